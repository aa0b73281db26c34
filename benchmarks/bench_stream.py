"""What a piece of a stream costs, and the first text: JSON that comes in pieces, and server-sent events."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from time import process_time
from typing import Any

from empty import EmptyLLM, EmptyStreamingChat
from floors import PROMPT, TRANSPORT, Wire, Y
from harness import TIMES, Goal, Sample, Sizes, Table, compare, growing, grown, main, service
from langchain_core.messages import HumanMessage
from llama_index.core.base.llms.types import ChatMessage
from peers import peers
from service import PIECE

from langchain_dynaspark import ChatDynaspark
from llama_index_dynaspark import Dynaspark

MESSAGES = [HumanMessage(PROMPT)]
CHAT = [ChatMessage(content=PROMPT)]
FEW = 3
"""Pieces of the stream whose first text is timed."""
NOTE = "CPU time of a whole stream by its number of pieces, which come one by one. `Y` reads raw bytes and asks the "
NOTE += "framework's empty stream for a chunk, in turn."

Stream = Callable[[], AsyncIterator[object]]


async def _index(llm: Any) -> AsyncIterator[object]:
    async for response in await llm.astream_chat(CHAT):
        yield response


def _with(raw: Stream, empty: Stream) -> Stream:
    """For each raw piece a chunk of the empty stream."""

    async def both() -> AsyncIterator[object]:
        chunks = empty()
        async for _ in raw():
            chunk = await anext(chunks, None)
            if chunk is not None:
                yield chunk
        async for chunk in chunks:
            yield chunk

    return both


def streams(wire: Wire, url: str, kind: str, pieces: int) -> dict[str, Mapping[str, Stream]]:
    """For each framework: the raw read, Y, ours and the peers."""
    base = f"{url}/{pieces}"
    wire = wire.at(f"{base}/{kind}")
    chain, index = ChatDynaspark(base_url=base, path=f"/{kind}"), Dynaspark(base_url=base, path=f"/{kind}")
    empty, bare = EmptyStreamingChat(pieces=pieces), EmptyLLM(pieces=pieces)
    of_chain = {name: lambda model=model: model.astream(MESSAGES) for name, model in peers("langchain", base).items()}
    of_index = {name: lambda model=model: _index(model) for name, model in peers("llama_index", base).items()}
    return {
        "astream": {
            TRANSPORT: wire.pieces,
            Y: _with(wire.pieces, lambda: empty.astream(MESSAGES)),
            "astream": lambda: chain.astream(MESSAGES),
            **(of_chain if kind == "json" else {}),
        },
        "astream_chat": {
            TRANSPORT: wire.pieces,
            Y: _with(wire.pieces, lambda: _index(bare)),
            "astream_chat": lambda: _index(index),
            **(of_index if kind == "json" else {}),
        },
    }


def _drained(runner: asyncio.Runner, stream: Stream, turns: int, pieces: int) -> Sample:
    """CPU seconds for a piece."""

    async def drain() -> float:
        begin = process_time()
        for _ in range(turns):
            async for _ in stream():
                pass
        return (process_time() - begin) / turns / pieces

    return lambda: runner.run(drain())


def _says(item: object) -> bool:
    """Whether an item of a stream, or raw bytes of one, has text."""
    if isinstance(item, bytes):
        return PIECE.encode() in item
    return bool(getattr(item, "delta", None) or getattr(item, "content", None))


def _begun(runner: asyncio.Runner, stream: Stream, turns: int) -> Sample:
    """CPU seconds from the call to its first text; the rest is read, and does not count."""

    async def begin() -> float:
        spent = 0.0
        for _ in range(turns):
            start, first = process_time(), 0.0
            async for item in stream():
                first = first or (process_time() if _says(item) else 0.0)
            spent += first - start
        return spent / turns

    return lambda: runner.run(begin())


def per_piece(runner: asyncio.Runner, wire: Wire, url: str, sizes: Sizes, kind: str) -> Iterator[Table]:
    """A table for each framework."""
    pieces = sizes.calls
    goals: dict[str, Goal] = {"÷ Y": ("≤", 1.15)}
    for ours, cases in streams(wire, url, kind, pieces).items():
        samples = {name: _drained(runner, stream, 1, pieces) for name, stream in cases.items()}
        costs = compare(samples, sizes.fewer(9))
        yield Table(f"A piece of a stream ({kind}): {ours}", costs.rows(ours, (TRANSPORT, Y), goals), NOTE)


def first_text(runner: asyncio.Runner, wire: Wire, url: str, sizes: Sizes, kind: str) -> Iterator[Table]:
    """A table for each framework."""
    goals: dict[str, Goal] = {"÷ transport": ("≤", 2.0)}
    for ours, cases in streams(wire, url, kind, FEW).items():
        samples = {name: _begun(runner, stream, sizes.part(0.1)) for name, stream in cases.items()}
        costs = compare(samples, sizes.fewer(9))
        yield Table(f"The first text of a stream ({kind}): {ours}", costs.rows(ours, (TRANSPORT, Y), goals))


def growth(runner: asyncio.Runner, wire: Wire, url: str, sizes: Sizes) -> Table:
    """Whole streams of n, 2n, 4n and 8n pieces."""
    rows = []
    for kind in ("json", "events"):
        for ours in ("astream", "astream_chat"):
            samples = {}
            for times in TIMES:
                stream = streams(wire, url, kind, times * sizes.part(0.5))[ours][ours]
                samples[growing(times)] = _drained(runner, stream, 1, 1)
            costs = compare(samples, sizes.fewer(3))
            rows.append(grown(f"{ours}, {kind}", costs))
    return Table(f"Growth of a stream, n = {sizes.part(0.5)} pieces", rows)


def questions(sizes: Sizes) -> Iterator[Table]:
    """Streams."""
    with service() as url, asyncio.Runner() as runner:
        wire = Wire(url)
        for kind in ("json", "events"):
            yield from per_piece(runner, wire, url, sizes, kind)
        yield from first_text(runner, wire, url, sizes, "json")
        yield growth(runner, wire, url, sizes)
        runner.run(wire.close())


if __name__ == "__main__":
    main(questions)
