"""What one call costs: each way to ask, beside the raw post, the empty model and the peers of its framework."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping

from empty import EmptyChat, EmptyLLM
from floors import PATH, PROMPT, TRANSPORT, Bridge, Wire, Y, in_turn
from harness import Goal, Sizes, Table, async_sample, compare, main, service, sync_sample
from langchain_core.messages import HumanMessage
from llama_index.core.base.llms.types import ChatMessage
from peers import peers

from dynaspark_core import DynasparkClient
from langchain_dynaspark import ChatDynaspark
from llama_index_dynaspark import Dynaspark

NOTE = (
    "CPU time of the calling process. `transport` is the raw post, `framework` an empty model, `Y` both in turn in one "
    "task. The sync ways have their transport on one background loop."
)
OF_Y: Goal = ("≤", 1.15)
GOALS: dict[str, dict[str, Goal]] = {
    "ainvoke": {"÷ Y": OF_Y, "÷ ChatOpenAI": ("≤", 0.30), "÷ ChatOllama": ("≤", 0.40)},
    "achat": {"÷ Y": OF_Y, "÷ LlamaIndex OpenAI": ("≤", 0.25)},
    "acomplete": {"÷ Y": OF_Y},
    "invoke": {"÷ Y": OF_Y},
    "chat": {"÷ Y": OF_Y},
}
FLOORS = (TRANSPORT, "framework", Y)
MESSAGES = [HumanMessage(PROMPT)]
CHAT = [ChatMessage(content=PROMPT)]

Call = Callable[[], Awaitable[object]]


def asynchronous(url: str, wire: Wire) -> dict[str, Mapping[str, Call]]:
    """The ways to ask that are awaited, each with its floors and peers."""
    chain, index, client = ChatDynaspark(base_url=url), Dynaspark(base_url=url), DynasparkClient(base_url=url)
    empty, bare = EmptyChat(), EmptyLLM()
    of_chain = {name: lambda model=model: model.ainvoke(MESSAGES) for name, model in peers("langchain", url).items()}
    of_index = {name: lambda model=model: model.achat(CHAT) for name, model in peers("llama_index", url).items()}

    def floors(empty: Call) -> dict[str, Call]:
        return {TRANSPORT: wire.post, "framework": empty, Y: in_turn(empty, wire.post)}

    return {
        "ainvoke": {
            **floors(lambda: empty.ainvoke(MESSAGES)),
            "ainvoke": lambda: chain.ainvoke(MESSAGES),
            **of_chain,
        },
        "achat": {**floors(lambda: bare.achat(CHAT)), "achat": lambda: index.achat(CHAT), **of_index},
        "acomplete": {**floors(lambda: bare.acomplete(PROMPT)), "acomplete": lambda: index.acomplete(PROMPT)},
        "client": {TRANSPORT: wire.post, "client": lambda: client.complete(PROMPT)},
    }


def synchronous(url: str, bridge: Bridge, wire: Wire) -> dict[str, Mapping[str, Callable[[], object]]]:
    """The ways to ask that block, each with its floors and peers."""
    chain, index = ChatDynaspark(base_url=url), Dynaspark(base_url=url)
    empty, bare = EmptyChat(), EmptyLLM()
    of_chain = {name: lambda model=model: model.invoke(MESSAGES) for name, model in peers("langchain", url).items()}
    of_index = {name: lambda model=model: model.chat(CHAT) for name, model in peers("llama_index", url).items()}

    def floors(empty: Callable[[], object]) -> dict[str, Callable[[], object]]:
        def post() -> object:
            return bridge.run(wire.post())

        return {TRANSPORT: post, "framework": empty, Y: lambda: (empty(), post())}

    return {
        "invoke": {**floors(lambda: empty.invoke(MESSAGES)), "invoke": lambda: chain.invoke(MESSAGES), **of_chain},
        "chat": {**floors(lambda: bare.chat(CHAT)), "chat": lambda: index.chat(CHAT), **of_index},
    }


def _calls(sizes: Sizes, name: str, ours: str) -> int:
    """Fewer of the peers', which take long."""
    return sizes.part(0.3 if name in {*FLOORS, ours} else 0.1)


def awaited(url: str, sizes: Sizes) -> Iterator[Table]:
    """A table for each way to ask that is awaited."""
    with asyncio.Runner() as runner:
        wire = Wire(url + PATH)
        for ours, calls in asynchronous(url, wire).items():
            samples = {name: async_sample(runner, call, _calls(sizes, name, ours)) for name, call in calls.items()}
            costs = compare(samples, sizes.rounds)
            yield Table(f"One call: {ours}", costs.rows(ours, FLOORS, GOALS.get(ours)), NOTE)
        runner.run(wire.close())


def blocking(url: str, sizes: Sizes) -> Iterator[Table]:
    """A table for each way to ask that blocks."""
    bridge, wire = Bridge(), Wire(url + PATH)
    for ours, calls in synchronous(url, bridge, wire).items():
        samples = {name: sync_sample(call, _calls(sizes, name, ours)) for name, call in calls.items()}
        costs = compare(samples, sizes.rounds)
        yield Table(f"One call: {ours}", costs.rows(ours, FLOORS, GOALS.get(ours)))
    bridge.run(wire.close())
    bridge.close()


def questions(sizes: Sizes) -> Iterator[Table]:
    """The cost of one call, each way."""
    with service() as url:
        yield from awaited(url, sizes)
        yield from blocking(url, sizes)


if __name__ == "__main__":
    main(questions)
