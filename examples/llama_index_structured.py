"""LlamaIndex: text becomes an instance of a class; an answer that is none says what was wrong."""

from llama_index.core import PromptTemplate
from pydantic import BaseModel

from dynaspark_core.errors import OutputError
from llama_index_dynaspark import Dynaspark


class Receipt(BaseModel):
    """What was paid where."""

    shop: str
    total: float


template = PromptTemplate("Read the receipt: {text}")
try:
    receipt = Dynaspark().structured_predict(Receipt, template, text="CORNER SHOP  2 x tea 7.35  TOTAL 14.70")
    print(f"{receipt.total:.2f} at {receipt.shop}")
except OutputError as error:
    print(f"{error}\nThe model wrote: {error.text}")
