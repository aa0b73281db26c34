"""What a picture of 5 MB costs, as base64, bytes or path: CPU time beside the raw post, and peak memory."""

import asyncio
import base64
import io
import os
import tempfile
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path

from empty import EmptyChat, EmptyLLM
from floors import PATH, PROMPT, TRANSPORT, Wire, Y
from harness import TIMES, Goal, Row, Sizes, Table, async_sample, compare, growing, grown, main, service
from langchain_core.messages import HumanMessage
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, TextBlock
from peers import peers
from PIL import Image

from dynaspark_core import DynasparkClient
from langchain_dynaspark import ChatDynaspark
from llama_index_dynaspark import Dynaspark

MEGABYTE = 1_000_000
Call = Callable[[], Awaitable[object]]


def picture(size: int) -> bytes:
    """A PNG of about `size` bytes that cannot be compressed."""
    side = max(1, int((size / 3) ** 0.5))
    file = io.BytesIO()
    Image.frombytes("RGB", (side, side), os.urandom(side * side * 3)).save(file, "png", compress_level=1)
    return file.getvalue()


def _chain_messages(encoded: str) -> list[HumanMessage]:
    url = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{encoded}"}}
    return [HumanMessage([{"type": "text", "text": PROMPT}, url])]


def _index_messages(block: ImageBlock) -> list[ChatMessage]:
    return [ChatMessage(role="user", blocks=[TextBlock(text=PROMPT), block])]


class Cases:
    """The ways to send one picture."""

    def __init__(self, url: str, wire: Wire, data: bytes, path: Path) -> None:
        self.url, self.wire, self.data, self.path = url, wire, data, path
        self.encoded = base64.b64encode(data).decode()
        self.chain, self.index = ChatDynaspark(base_url=url), Dynaspark(base_url=url)
        self.client = DynasparkClient(base_url=url)
        self.empty, self.bare = EmptyChat(), EmptyLLM()

    async def _read(self) -> None:
        await self.wire.post_file(await asyncio.to_thread(self.path.read_bytes))

    def of_client(self) -> dict[str, Call]:
        """The client's ways, beside the raw post of the same bytes, or of the same file."""
        return {
            TRANSPORT: lambda: self.wire.post_file(self.data),
            "raw post of a path": self._read,
            "client, bytes": lambda: self.client.complete(PROMPT, images=[self.data]),
            "client, path": lambda: self.client.complete(PROMPT, images=[self.path]),
        }

    def of_chain(self) -> dict[str, Call]:
        """LangChain's way, base64 in a message."""
        messages = _chain_messages(self.encoded)

        async def thin() -> None:
            await self.empty.ainvoke(messages)
            await self.wire.post_file(base64.b64decode(self.encoded, validate=True))

        rivals = {
            name: lambda model=model: model.ainvoke(messages) for name, model in peers("langchain", self.url).items()
        }
        return {
            TRANSPORT: lambda: self.wire.post_file(self.data),
            Y: thin,
            "ainvoke": lambda: self.chain.ainvoke(messages),
            **rivals,
        }

    def of_index(self) -> dict[str, Call]:
        """LlamaIndex's way: its block keeps base64."""
        messages = _index_messages(ImageBlock(image=self.data, image_mimetype="image/png"))

        async def thin() -> None:
            await self.bare.achat(messages)
            await self.wire.post_file(base64.b64decode(self.encoded, validate=True))

        rivals = {
            name: lambda model=model: model.achat(messages) for name, model in peers("llama_index", self.url).items()
        }
        return {
            TRANSPORT: lambda: self.wire.post_file(self.data),
            Y: thin,
            "achat": lambda: self.index.achat(messages),
            **rivals,
        }

    def of_index_path(self) -> dict[str, Call]:
        """LlamaIndex's block that names a file."""
        named = _index_messages(ImageBlock(path=self.path, image_mimetype="image/png"))

        async def thin() -> None:
            await self.bare.achat(named)
            await self._read()

        return {TRANSPORT: self._read, Y: thin, "achat, path": lambda: self.index.achat(named)}


NOTE = "`transport` posts the bytes in slices; `Y` decodes base64 with the standard library and asks an empty model."
GOALS: dict[str, dict[str, Goal]] = {
    "ainvoke": {"÷ Y": ("≤", 0.4)},
    "achat": {"÷ Y": ("≤", 0.4)},
    "achat, path": {"÷ transport": ("≤", 1.2)},
}


def costs(runner: asyncio.Runner, cases: Cases, sizes: Sizes) -> Iterator[Table]:
    """A table for each way."""
    calls = sizes.part(0.03)
    samples = {name: async_sample(runner, call, calls) for name, call in cases.of_client().items()}
    found = compare(samples, sizes.fewer(7))
    limit: dict[str, Goal] = {"÷ transport": ("≤", 1.2)}
    against_path: dict[str, Goal] = {"÷ raw post of a path": ("≤", 1.2)}
    rows = [
        found.row(TRANSPORT),
        found.row("raw post of a path", [TRANSPORT]),
        found.row("client, bytes", [TRANSPORT], limit),
        found.row("client, path", ["raw post of a path"], against_path),
    ]
    yield Table("A picture of 5 MB: client", rows, NOTE)
    for ways in (cases.of_chain(), cases.of_index(), cases.of_index_path()):
        ours = next(name for name in ways if name in GOALS)
        own = {TRANSPORT, Y, ours}
        samples = {name: async_sample(runner, call, calls if name in own else 1) for name, call in ways.items()}
        found = compare(samples, sizes.fewer(7))
        yield Table(f"A picture of 5 MB: {ours}", found.rows(ours, (TRANSPORT, Y), GOALS[ours]))


def _peak(runner: asyncio.Runner, call: Call) -> float:
    """The most that Python's allocators held at a time during a call, over what they held before, in MB."""

    async def measured() -> float:
        await call()
        tracemalloc.start()
        try:
            await call()
            return tracemalloc.get_traced_memory()[1] / MEGABYTE
        finally:
            tracemalloc.stop()

    return runner.run(measured())


def memory(runner: asyncio.Runner, cases: Cases) -> Table:
    """Peak memory of one call; a decoded picture is 5 MB."""
    size = len(cases.data) / MEGABYTE
    ways: Mapping[str, tuple[dict[str, Call], str, str]] = {
        "client, bytes": (cases.of_client(), "client, bytes", TRANSPORT),
        "client, path": (cases.of_client(), "client, path", "raw post of a path"),
        "ainvoke, base64": (cases.of_chain(), "ainvoke", Y),
        "achat, base64": (cases.of_index(), "achat", Y),
        "achat, path": (cases.of_index_path(), "achat, path", TRANSPORT),
    }
    rows = []
    for what, (calls, ours, floor) in ways.items():
        base = _peak(runner, calls[floor])
        peak = _peak(runner, calls[ours])
        figures = {"MB": peak, "MB of the floor": base, "MB over it": peak - base}
        rows.append(Row(what, figures, {"MB over it": ("≤", round(size, 1))}))
    return Table("A picture of 5 MB: peak memory", rows, "Over what was held before the call, by `tracemalloc`.")


def growth(runner: asyncio.Runner, url: str, wire: Wire, sizes: Sizes, folder: Path) -> Table:
    """Pictures of n, 2n, 4n and 8n bytes."""
    n = sizes.calls * 10_000
    rows = []
    for what in ("ainvoke", "client, bytes"):
        samples = {}
        for times in TIMES:
            cases = Cases(url, wire, picture(n * times), folder / "none.png")
            samples[growing(times)] = async_sample(runner, (cases.of_chain() | cases.of_client())[what], 3)
        rows.append(grown(f"a picture, {what}", compare(samples, sizes.fewer(5))))
    return Table(f"Growth of a picture, n = {n / MEGABYTE:g} MB", rows)


def questions(sizes: Sizes) -> Iterator[Table]:
    """A picture of 5 MB."""
    with service() as url, asyncio.Runner() as runner, tempfile.TemporaryDirectory() as folder:
        wire, data, path = Wire(url + PATH), picture(5 * MEGABYTE), Path(folder, "picture.png")
        path.write_bytes(data)
        cases = Cases(url, wire, data, path)
        yield from costs(runner, cases, sizes)
        yield memory(runner, cases)
        yield growth(runner, url, wire, sizes, Path(folder))
        runner.run(wire.close())


if __name__ == "__main__":
    main(questions)
