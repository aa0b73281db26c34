"""What a call costs when many are under way: 10, 100 and 1,000 at once, and 100 at once where the service is slow."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from time import perf_counter

import aiohttp
from empty import EmptyChat, EmptyLLM
from floors import PATH, PROMPT, TRANSPORT, Wire, Y, in_turn
from harness import Goal, Row, Sample, Sizes, Table, async_sample, compare, main, service
from langchain_core.messages import HumanMessage
from llama_index.core.base.llms.types import ChatMessage
from peers import peers

from langchain_dynaspark import ChatDynaspark
from llama_index_dynaspark import Dynaspark

MESSAGES = [HumanMessage(PROMPT)]
CHAT = [ChatMessage(content=PROMPT)]
AT_ONCE = {10: 1.25, 100: 1.25, 1000: 1.4}
"""How many calls at once → the goal, relative to Y."""
SLOW, TURNS = 100, 8
"""Calls at once to the slow service, and how many each of those that make them makes in a row."""
Call = Callable[[], Awaitable[object]]


def calls(url: str, wire: Wire, at_once: int) -> dict[str, Mapping[str, Call]]:
    """For each framework: the floors, ours and a peer."""
    chain, index = ChatDynaspark(base_url=url), Dynaspark(base_url=url)
    empty, bare = EmptyChat(), EmptyLLM()
    of_chain = {name: lambda model=model: model.ainvoke(MESSAGES) for name, model in peers("langchain", url).items()}
    of_index = {name: lambda model=model: model.achat(CHAT) for name, model in peers("llama_index", url).items()}
    if at_once > 100:  # their pools take seconds, and some of them fail
        of_chain, of_index = {}, {}
    return {
        "ainvoke": {
            TRANSPORT: wire.post,
            Y: in_turn(lambda: empty.ainvoke(MESSAGES), wire.post),
            "ainvoke": lambda: chain.ainvoke(MESSAGES),
            **of_chain,
        },
        "achat": {
            TRANSPORT: wire.post,
            Y: in_turn(lambda: bare.achat(CHAT), wire.post),
            "achat": lambda: index.achat(CHAT),
            **of_index,
        },
    }


def at_once(runner: asyncio.Runner, url: str, sizes: Sizes) -> Iterator[Table]:
    """A table for each number of calls at once and each framework."""
    wire = Wire(url + PATH)
    for count, limit in AT_ONCE.items():
        together = min(count, sizes.calls * 10)
        for ours, cases in calls(url, wire, together).items():
            turns = {name: sizes.part(0.3 / count if name in {TRANSPORT, Y, ours} else 0) for name in cases}
            samples = {name: async_sample(runner, call, turns[name], together) for name, call in cases.items()}
            goals: dict[str, Goal] = {"÷ Y": ("≤", limit)}
            costs = compare(samples, sizes.fewer(15 if count == 10 else 7))
            yield Table(f"{together:,} calls at once: {ours}", costs.rows(ours, (TRANSPORT, Y), goals))
    runner.run(wire.close())


def _paced(runner: asyncio.Runner, call: Call, at_once: int, turns: int) -> Sample:
    """Calls a second, by the clock."""

    async def worker() -> None:
        for _ in range(turns):
            await call()

    async def all_of_them() -> float:
        begin = perf_counter()
        await asyncio.gather(*(worker() for _ in range(at_once)))
        return at_once * turns / (perf_counter() - begin)

    return lambda: runner.run(all_of_them())


async def _opened(url: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/opened") as response:
        return int(await response.read())


def slow(runner: asyncio.Runner, url: str, sizes: Sizes) -> Table:
    """Calls a second, 100 at once, against a service that takes 100 ms; and the connections that warm calls open."""
    wire, empty = Wire(f"{url}/slow{PATH}"), EmptyChat()
    chain, index = ChatDynaspark(base_url=f"{url}/slow"), Dynaspark(base_url=f"{url}/slow")
    cases: dict[str, Call] = {
        TRANSPORT: wire.post,
        Y: in_turn(lambda: empty.ainvoke(MESSAGES), wire.post),
        "ainvoke": lambda: chain.ainvoke(MESSAGES),
        "achat": lambda: index.achat(CHAT),
    }
    together = min(SLOW, sizes.calls)
    costs = compare({name: _paced(runner, call, together, TURNS) for name, call in cases.items()}, sizes.fewer(3))
    rows = []
    for name, call in cases.items():
        before = runner.run(_opened(url))
        _paced(runner, call, together, 1)()
        opened = runner.run(_opened(url)) - before - 1
        figures = {"calls/s": costs.cost(name), "÷ transport": costs.ratio(name, TRANSPORT), "new connections": opened}
        goals: dict[str, Goal] = {"÷ transport": ("≥", 0.92), "new connections": ("≤", 0)}
        rows.append(Row(name, figures, {} if name in {TRANSPORT, Y} else goals))
    runner.run(wire.close())
    return Table(f"{together} calls at once, of a service that takes 100 ms", rows, "By the clock; pools are warm.")


def questions(sizes: Sizes) -> Iterator[Table]:
    """Many calls at once."""
    with service() as url, asyncio.Runner() as runner:
        yield from at_once(runner, url, sizes)
        yield slow(runner, url, sizes)


if __name__ == "__main__":
    main(questions)
