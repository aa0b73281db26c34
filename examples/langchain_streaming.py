"""LangChain: a chain streams its answer, piece by piece, as the service gives it."""

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate

from langchain_dynaspark import ChatDynaspark

prompt = ChatPromptTemplate.from_template("Write one sentence about {topic}.")
chain = prompt | ChatDynaspark() | StrOutputParser()

for piece in chain.stream({"topic": "the sea"}):
    print(piece, end="", flush=True)
print()
