"""A batch: many prompts with a bar, within the limits; stopped and started again, it goes on where it was."""

import asyncio

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate

from dynaspark_core.batch import abatch
from langchain_dynaspark import ChatDynaspark

prompt = ChatPromptTemplate.from_template("What is the capital of {country}? Answer in one word.")
chain = prompt | ChatDynaspark() | StrOutputParser()
countries = ["Austria", "Chile", "Denmark", "Egypt", "France", "Ghana", "India", "Japan", "Kenya", "Norway", "Peru"]


async def main() -> None:
    questions = [{"country": country} for country in countries]
    outcomes = await abatch(chain.ainvoke, questions, path="capitals.jsonl")  # what is in the file is not asked again
    for outcome in outcomes:
        print(f"{outcome.input['country']}: {outcome.error or outcome.value}")
    print(f"{sum(outcome.error is None for outcome in outcomes)} of {len(outcomes)} answered, see capitals.jsonl")


asyncio.run(main())
