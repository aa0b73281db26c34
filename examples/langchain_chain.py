"""LangChain: prompt, model and parser make a chain; one question, then several at a time."""

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate

from langchain_dynaspark import ChatDynaspark

prompt = ChatPromptTemplate.from_messages([("system", "Answer in one short sentence."), ("human", "What is {thing}?")])
chain = prompt | ChatDynaspark() | StrOutputParser()

print(chain.invoke({"thing": "a lighthouse"}))
things = ["a bakery", "a harbour", "an island"]
for thing, answer in zip(things, chain.batch([{"thing": thing} for thing in things]), strict=True):
    print(f"{thing}: {answer}")
