"""From the old provider: its `create_async_generator` over `DynasparkClient`, for callers that shall not change yet.

Roles and history go as turns, every picture goes (not only the first), and text comes as it arrives.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from dynaspark_core import DynasparkClient

Media = Sequence[tuple[bytes, str]]


def create_async_generator(
    model: str, messages: list[dict[str, str]], proxy: str | None = None, media: Media | None = None, **_ignored: object
) -> AsyncGenerator[str]:
    return DynasparkClient(model, proxy=proxy).stream(messages, images=media or ())


async def main() -> None:
    media = [((Path(__file__).parent / "receipt.png").read_bytes(), "receipt.png")]
    messages = [{"role": "user", "content": "What was the total?"}]
    async for text in create_async_generator("gemini-1.5-flash", messages, media=media):
        print(text, end="", flush=True)
    print()


asyncio.run(main())
