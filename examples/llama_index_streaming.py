"""LlamaIndex: a chat with a system message streams its answer, piece by piece, as the service gives it."""

from llama_index.core.llms import ChatMessage

from llama_index_dynaspark import Dynaspark

messages = [ChatMessage("Answer in one sentence.", role="system"), ChatMessage("Why is the sky blue?")]
for response in Dynaspark().stream_chat(messages):
    print(response.delta, end="", flush=True)
print()
