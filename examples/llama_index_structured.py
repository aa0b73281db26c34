"""LlamaIndex: a picture of a receipt becomes an instance of a class; an answer that is none says what was wrong."""

from pathlib import Path

from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock
from pydantic import BaseModel

from dynaspark_core.errors import OutputError
from llama_index_dynaspark import Dynaspark


class Receipt(BaseModel):
    """What was paid where."""

    shop: str
    total: float


picture = ImageBlock(path=Path(__file__).parent / "receipt.png")
question = ChatMessage(blocks=[TextBlock(text="What is the name of the shop, and the total?"), picture])
try:
    receipt = Dynaspark().as_structured_llm(Receipt).chat([question]).raw
    print(repr(receipt))
except OutputError as error:
    print(f"{error}\nThe model wrote: {error.text}")
