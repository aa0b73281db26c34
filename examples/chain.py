"""A LangChain chain streams its answer, piece by piece, as the service gives it."""

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate

from langchain_dynaspark import ChatDynaspark

prompt = ChatPromptTemplate.from_messages([("system", "Answer in one short sentence."), ("human", "{question}")])
chain = prompt | ChatDynaspark() | StrOutputParser()

for piece in chain.stream({"question": "What is the capital of France?"}):
    print(piece, end="", flush=True)
print()
