"""LlamaIndex: a conversation is remembered by its memory, and another memory knows nothing of it."""

from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.memory import Memory

from llama_index_dynaspark import Dynaspark

llm = Dynaspark()
one, another = (SimpleChatEngine.from_defaults(llm=llm, memory=Memory.from_defaults(name)) for name in ("one", "two"))

print("one:", one.chat("The library opens at nine."))
print("one:", one.chat("When does the library open?"))
print("another:", another.chat("When does the library open?"))
