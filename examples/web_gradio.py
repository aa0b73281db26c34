"""Gradio: a chat with pictures; the answer appears as it arrives. Run `python web_gradio.py`."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import gradio

from dynaspark_core import DynasparkClient, DynasparkError

client = DynasparkClient()


async def reply(message: dict[str, Any], history: list[dict[str, Any]]) -> AsyncIterator[str]:
    """The answer so far, each time a piece of it arrives."""
    texts = [{"role": said["role"], "content": said["content"]} for said in history]
    question = {"role": "user", "content": message["text"]}
    answer = ""
    try:
        async for text in client.stream([*texts, question], images=[Path(file) for file in message["files"]]):
            answer += text
            yield answer
    except DynasparkError as error:
        raise gradio.Error(str(error)) from error


demo = gradio.ChatInterface(reply, multimodal=True, title="Dynaspark")
if __name__ == "__main__":
    demo.launch()
