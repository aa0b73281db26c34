"""What stays in memory: how much a process grows from the 2,000th to the 20,000th call, and what a call leaves."""

import asyncio
import gc
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from importlib import import_module

from bench_start import resident
from floors import PATH, PROMPT, Wire
from harness import Goal, Row, Sizes, Table, in_child, main, service

KILOBYTE = 1_000
CALLS = 200
"""Calls for each one that `--calls` says: 20,000 by default, a tenth of them to warm up."""
Call = Callable[[], Awaitable[object]]


def _raw(url: str) -> Call:
    return Wire(url + PATH).post


def _chain(url: str) -> Call:
    model = import_module("langchain_dynaspark").ChatDynaspark(base_url=url)
    return lambda: model.ainvoke(PROMPT)


def _index(url: str) -> Call:
    message = import_module("llama_index.core.base.llms.types").ChatMessage
    llm = import_module("llama_index_dynaspark").Dynaspark(base_url=url)
    return lambda: llm.achat([message(content=PROMPT)])


WAYS: dict[str, Callable[[str], Call]] = {"transport": _raw, "ainvoke": _chain, "achat": _index}
"""The calls whose process is looked at; each imports only what it needs."""


async def child(way: str, url: str, calls: int) -> dict[str, float]:
    """Kilobytes by which this process grows, and the objects that a call leaves in cycles."""
    call = WAYS[way](url)
    for _ in range(calls // 10):
        await call()
    gc.collect()
    before = resident()
    for _ in range(calls - calls // 10):
        await call()
    gc.collect()
    return {"kB": (resident() - before) * KILOBYTE, "objects in cycles": await left_over(call)}


async def left_over(call: Call) -> float:
    """The objects of a call that only the garbage collector frees."""
    calls = 20
    gc.disable()
    for _ in range(calls):
        await call()
    found = gc.collect()
    gc.enable()
    return round(found / calls)


def questions(sizes: Sizes) -> Iterator[Table]:
    """Growth of each way's own process."""
    calls = sizes.calls * CALLS
    goals: dict[str, Goal] = {"kB": ("≤", 300), "objects in cycles": ("≤", 0)}
    with service() as url:
        rows = [
            Row(way, in_child("bench_memory.py", way, url, str(calls)), goals if way != "transport" else {})
            for way in WAYS
        ]
    title = f"Memory from call {calls // 10:,} to {calls:,}"
    note = "Resident memory of a process that only does this; `objects in cycles` wait for the garbage collector."
    yield Table(title, rows, note)


if __name__ == "__main__":
    if "--child" in sys.argv:
        way, url, calls = sys.argv[-3:]
        print(json.dumps(asyncio.run(child(way, url, int(calls)))))
    else:
        main(questions)
