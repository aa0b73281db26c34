"""What a turn of an agent costs as its history grows: 40 turns, each a call and a result of 2 kB, some a picture."""

import asyncio
import base64
from collections.abc import Iterator, Sequence
from statistics import mean, median
from time import process_time
from typing import Any

import aiohttp
from bench_history import PARAMETERS
from bench_image import picture
from harness import TIMES, US, Costs, Goal, Row, Sizes, Table, growing, grown, main, service
from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage
from peers import peers

from langchain_dynaspark import ChatDynaspark

TURNS, TOOLS, PART = 40, 5, 5
"""Turns of the loop; tools that are bound; how many turns the first and the last columns are the mean of."""
PICTURE_EVERY = 5
PICTURE_BYTES = 30_000
RESULT = "".join(f'{{"hour": {hour}, "sky": "clear <b>and</b> bright", "wind": {hour % 7}}}\n' for hour in range(42))
"""What a tool gives: 2 kB, in which nothing is to be escaped but what looks like markup."""
GOALS: dict[str, Goal] = {"÷ ChatOpenAI": ("≤", 0.5), "÷ ChatOllama": ("≤", 1.0)}
NOTE = (
    "Each turn sends the whole history, and the answer is a call of a tool. A result has 2 kB; every fifth turn brings "
    "a picture of 30 kB. µs: CPU time of one turn, and the mean of the first and the last five. kB: bodies that were "
    "sent. Of several pictures this package sends one sheet, drawn when a picture comes; the peers send every picture "
    "in every turn."
)


def tools() -> list[dict[str, Any]]:
    """Tools in OpenAI's form, as all peers take them."""
    about = {"description": "The weather in a city.", "parameters": PARAMETERS}
    return [{"type": "function", "function": {"name": f"get_weather_{number}", **about}} for number in range(TOOLS)]


def shown(turn: int, pictures: Sequence[str]) -> list[BaseMessage]:
    """The picture that comes in this turn, as a message of its own: OpenAI takes none in a result."""
    if turn % PICTURE_EVERY:
        return []
    url = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{pictures[turn // PICTURE_EVERY]}"}}
    return [HumanMessage([{"type": "text", "text": f"The map of hour {turn}."}, url])]


async def loop(model: Any, turns: int, pictures: Sequence[str]) -> list[float]:
    """CPU seconds of each turn."""
    messages: list[BaseMessage] = [HumanMessage("How will the weather be in Oslo, hour by hour?")]
    costs = []
    for turn in range(turns):
        begin = process_time()
        answer = await model.ainvoke(messages)
        costs.append(process_time() - begin)
        (call,) = answer.tool_calls
        messages += [answer, ToolMessage(f"{turn}\n{RESULT}", tool_call_id=call["id"]), *shown(turn, pictures)]
    return costs


async def _received(url: str) -> int:
    """Bytes of all bodies that the service has got."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/received") as response:
        return int(await response.read())


async def _sent(url: str, model: Any, turns: int, pictures: Sequence[str]) -> float:
    before = await _received(url)
    await loop(model, turns, pictures)
    return (await _received(url) - before) / 1000


def questions(sizes: Sizes) -> Iterator[Table]:
    """A loop of an agent, beside the peers'."""
    turns = min(TURNS, max(2, sizes.calls))
    with service() as url, asyncio.Runner() as runner:
        known = {"ainvoke": ChatDynaspark(base_url=f"{url}/agent"), **peers("langchain", f"{url}/agent")}
        models = {name: model.bind_tools(tools()) for name, model in known.items()}
        costs: dict[str, list[list[float]]] = {name: [] for name in models}
        for round_number in range(sizes.fewer(5) + 1):
            for name, model in models.items():
                pictures = [base64.b64encode(picture(PICTURE_BYTES)).decode() for _ in range(turns)]
                found = runner.run(loop(model, turns, pictures))
                costs[name] += [found] if round_number else []  # the first warms up
        rows = []
        for name, model in models.items():
            kilobytes = {
                f"kB in turn {turns}": runner.run(_sent(url, model, turns, pictures))
                - runner.run(_sent(url, model, turns - 1, pictures)),
                "kB in all": runner.run(_sent(url, model, turns, pictures)),
            }
            rows.append(_row(name, costs, kilobytes))
        yield Table(f"An agent of {turns} turns: ainvoke", rows, NOTE)
        yield _growth(costs["ainvoke"], turns)


def _row(name: str, costs: dict[str, list[list[float]]], kilobytes: dict[str, float]) -> Row:
    own = costs[name]
    first, last = (median(mean(found[part]) for found in own) * 1e6 for part in (slice(PART), slice(-PART, None)))
    ratios = {
        f"÷ {other}": median(sum(mine) / sum(theirs) for mine, theirs in zip(own, costs[other], strict=True))
        for other in costs
        if name == "ainvoke" and other != name
    }
    figures = {
        US: median(map(mean, own)) * 1e6,
        f"{US}, first": first,
        f"{US}, last": last,
        "last ÷ first": last / first,
    }
    return Row(name, figures | kilobytes | ratios, GOALS if name == "ainvoke" else {})


def _growth(costs: Sequence[Sequence[float]], turns: int) -> Table:
    """What the turns up to n, 2n, 4n and 8n cost: each the mean of the last few before it."""
    n = max(1, turns // TIMES[-1])
    up_to = {times: slice(max(0, min(times * n, turns) - PART), times * n) for times in TIMES}
    means = Costs({growing(times): [mean(found[part]) for found in costs] for times, part in up_to.items()})
    return Table(f"Growth of an agent, n = {n} turns", [grown("a turn, ainvoke", means)])


if __name__ == "__main__":
    main(questions)
