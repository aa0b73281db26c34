"""What sync calls from 32 threads reach: calls a second by the clock, and CPU time of a call."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter, process_time

from empty import EmptyChat, EmptyLLM
from floors import PATH, PROMPT, TRANSPORT, Bridge, Wire, Y
from harness import US, Costs, Goal, Row, Sample, Sizes, Table, compare, main, service
from langchain_core.messages import HumanMessage
from llama_index.core.base.llms.types import ChatMessage
from peers import peers

from langchain_dynaspark import ChatDynaspark
from llama_index_dynaspark import Dynaspark

THREADS = 32
MESSAGES = [HumanMessage(PROMPT)]
CHAT = [ChatMessage(content=PROMPT)]
Call = Callable[[], object]


def cases(url: str, bridge: Bridge, wire: Wire) -> dict[str, dict[str, Call]]:
    """For each framework: the raw post on a background loop, Y, ours and the peers."""
    chain, index = ChatDynaspark(base_url=url), Dynaspark(base_url=url)
    empty, bare = EmptyChat(), EmptyLLM()

    def post() -> object:
        return bridge.run(wire.post())

    of_chain = {name: lambda model=model: model.invoke(MESSAGES) for name, model in peers("langchain", url).items()}
    of_index = {name: lambda model=model: model.chat(CHAT) for name, model in peers("llama_index", url).items()}
    return {
        "invoke": {
            TRANSPORT: post,
            Y: lambda: (empty.invoke(MESSAGES), post()),
            "invoke": lambda: chain.invoke(MESSAGES),
            **of_chain,
        },
        "chat": {TRANSPORT: post, Y: lambda: (bare.chat(CHAT), post()), "chat": lambda: index.chat(CHAT), **of_index},
    }


def sample(pool: ThreadPoolExecutor, call: Call, calls: int, clock: Callable[[], float]) -> Sample:
    """Seconds for a call, by the clock that is given."""

    def work(_: int) -> None:
        call()

    def spent() -> float:
        begin = clock()
        list(pool.map(work, range(calls)))
        return (clock() - begin) / calls

    return spent


def rows(ours: str, paced: Costs, spent: Costs, names: list[str]) -> Iterator[Row]:
    """A row for each case; that of `ours` has its rate relative to the others."""
    rival = "ChatOpenAI" if ours == "invoke" else "LlamaIndex OpenAI"
    for name in names:
        figures = {"calls/s": 1 / paced.cost(name), US: spent.cost(name) * 1e6}
        others = [other for other in names if other != name] if name == ours else []
        figures |= {f"calls/s ÷ {other}": 1 / paced.ratio(name, other) for other in others}
        goals: dict[str, Goal] = {f"calls/s ÷ {rival}": ("≥", 4.0)} if rival in names else {}
        yield Row(name, figures, goals if name == ours else {})


def questions(sizes: Sizes) -> Iterator[Table]:
    """Sync calls from many threads."""
    with service() as url, ThreadPoolExecutor(THREADS) as pool:
        bridge, wire = Bridge(), Wire(url + PATH)
        for ours, calls in cases(url, bridge, wire).items():
            count = max(THREADS, sizes.calls)
            paced = compare(
                {name: sample(pool, call, count, perf_counter) for name, call in calls.items()}, sizes.fewer(7)
            )
            spent = compare(
                {name: sample(pool, call, count, process_time) for name, call in calls.items()}, sizes.fewer(7)
            )
            yield Table(f"Sync calls from {THREADS} threads: {ours}", list(rows(ours, paced, spent, list(calls))))
        bridge.run(wire.close())
        bridge.close()


if __name__ == "__main__":
    main(questions)
