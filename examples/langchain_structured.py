"""LangChain's structured output: an instance of a class, or else what the model wrote instead."""

from typing import Any

from pydantic import BaseModel

from langchain_dynaspark import ChatDynaspark


class Receipt(BaseModel):
    """What was paid where."""

    shop: str
    total: float


text = "CORNER SHOP  2 x tea 7.35  TOTAL 14.70  thank you"
found: Any = ChatDynaspark().with_structured_output(Receipt, include_raw=True).invoke(text)
print(found["parsed"] or found["raw"].text)
