"""LlamaIndex: a question about a picture, streamed."""

from pathlib import Path

from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock

from llama_index_dynaspark import Dynaspark

picture = ImageBlock(path=Path(__file__).parent / "receipt.png")
question = ChatMessage(blocks=[TextBlock(text="What was the total?"), picture])
for response in Dynaspark().stream_chat([question]):
    print(response.delta, end="", flush=True)
print()
