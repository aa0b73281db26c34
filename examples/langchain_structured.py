"""LangChain: a picture of a receipt becomes an instance of a class, or else what the model wrote instead."""

from base64 import b64encode
from pathlib import Path
from typing import Any

from langchain_core.messages import HumanMessage
from pydantic import BaseModel

from langchain_dynaspark import ChatDynaspark


class Receipt(BaseModel):
    """What was paid where."""

    shop: str
    total: float


data = b64encode((Path(__file__).parent / "receipt.png").read_bytes()).decode()
picture = {"type": "image", "base64": data, "mime_type": "image/png"}
question = HumanMessage([{"type": "text", "text": "What is the name of the shop, and the total?"}, picture])
found: Any = ChatDynaspark().with_structured_output(Receipt, include_raw=True).invoke([question])
print(found["parsed"] or found["raw"].text)
