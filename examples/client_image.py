"""The client alone: a question about a picture, streamed."""

import asyncio
from pathlib import Path

from dynaspark_core import DynasparkClient

receipt = Path(__file__).parent / "receipt.png"


async def main() -> None:
    async for text in DynasparkClient().stream("What does the image say?", images=[receipt]):
        print(text, end="", flush=True)
    print()


asyncio.run(main())
