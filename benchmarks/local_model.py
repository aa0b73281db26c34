"""How often a real model gets through a tool loop and a structured answer: 20 cases each, counted as they are.

python benchmarks/local_model.py [FILE.gguf] [--auto]

Without a file, the local service's own model. A loop counts when the call has the right tool and arguments and the
final answer holds what the tool returned. By default the tool is named in `tool_choice`, as a model of 135 million
parameters does not choose; with `--auto` the model chooses among four tools.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from dynaspark_core import Chat, DynasparkClient, DynasparkError, Message, Tool
from dynaspark_core.server import LocalService
from dynaspark_core.server.local.engine import Local

Case = TypeVar("Case")


def _tool(name: str, description: str, **properties: str) -> Tool:
    kinds = {key: {"type": kind} for key, kind in properties.items()}
    return Tool(name, description, {"type": "object", "properties": kinds, "required": list(kinds)})


TOOLS = (
    _tool("get_weather", "The weather in a city today.", city="string"),
    _tool("convert_currency", "Converts an amount of money.", amount="number", to="string"),
    _tool("find_order", "The state of an order.", order_id="integer"),
    _tool("send_mail", "Sends a mail.", to="string", subject="string"),
)
WEATHER, MONEY, ORDER, MAIL = TOOLS

LOOPS: list[tuple[Tool, str, dict[str, Any], str, str]] = [
    (WEATHER, "What is the weather in Oslo?", {"city": "Oslo"}, "3 degrees and snow", "snow"),
    (WEATHER, "Tell me the weather in Rome today.", {"city": "Rome"}, "27 degrees and sunny", "sunny"),
    (WEATHER, "Do I need an umbrella in London?", {"city": "London"}, "heavy rain", "rain"),
    (WEATHER, "How warm is it in Cairo?", {"city": "Cairo"}, "38 degrees", "38"),
    (WEATHER, "Is it windy in Chicago?", {"city": "Chicago"}, "strong wind from the lake", "wind"),
    (WEATHER, "I travel to Lima. What is the weather there?", {"city": "Lima"}, "fog and 17 degrees", "fog"),
    (MONEY, "Convert 100 to EUR.", {"amount": 100, "to": "EUR"}, "92.5 EUR", "92.5"),
    (MONEY, "How much is 20 in JPY?", {"amount": 20, "to": "JPY"}, "3100 JPY", "3100"),
    (MONEY, "Change 5.5 to GBP, please.", {"amount": 5.5, "to": "GBP"}, "4.3 GBP", "4.3"),
    (MONEY, "I have 250. What is that in CHF?", {"amount": 250, "to": "CHF"}, "221 CHF", "221"),
    (MONEY, "What are 7 in SEK?", {"amount": 7, "to": "SEK"}, "75 SEK", "75"),
    (ORDER, "Where is order 4711?", {"order_id": 4711}, "shipped on Monday", "shipped"),
    (ORDER, "Has order 12 been paid?", {"order_id": 12}, "not paid yet", "not"),
    (ORDER, "What is the state of my order number 90210?", {"order_id": 90210}, "delivered", "delivered"),
    (ORDER, "Look up order 5.", {"order_id": 5}, "cancelled by the customer", "cancelled"),
    (ORDER, "Tell me about order 333.", {"order_id": 333}, "waiting for payment", "waiting"),
    (MAIL, "To ann@example.org, subject Lunch.", {"to": "ann@example.org", "subject": "Lunch"}, "sent", "sent"),
    (MAIL, "Write to bob@example.org, subject Bill.", {"to": "bob@example.org", "subject": "Bill"}, "sent", "sent"),
    (MAIL, "Mail eva@example.org about Sun.", {"to": "eva@example.org", "subject": "Sun"}, "sent", "sent"),
    (MAIL, "Subject Hello, to max@example.org.", {"to": "max@example.org", "subject": "Hello"}, "sent", "sent"),
]  # fmt: skip


def _schema(**properties: Any) -> dict[str, Any]:
    kinds = {key: {"type": kind} if isinstance(kind, str) else kind for key, kind in properties.items()}
    return {"type": "object", "properties": kinds, "required": list(kinds)}


PERSON = _schema(name="string", age="integer")
BILL = _schema(shop="string", total="number")
MEETING = _schema(day="string", room="string")
MOOD = _schema(mood={"enum": ["positive", "negative"]})
OBJECTS: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
    (PERSON, "Anna is 31 years old.", {"name": "Anna", "age": 31}),
    (PERSON, "The driver, Tom, turned 54 in May.", {"name": "Tom", "age": 54}),
    (PERSON, "At 19, Maria is the youngest of the team.", {"name": "Maria", "age": 19}),
    (PERSON, "Peter has been retired since he was 66.", {"name": "Peter", "age": 66}),
    (PERSON, "My neighbour Ines is 8.", {"name": "Ines", "age": 8}),
    (BILL, "Corner Cafe, total 14.70", {"shop": "Corner Cafe", "total": 14.7}),
    (BILL, "I paid 99 at Bookworld.", {"shop": "Bookworld", "total": 99}),
    (BILL, "Shop: Fruit Box. Apples 3.20, pears 2.80. Total: 6.00", {"shop": "Fruit Box", "total": 6}),
    (BILL, "The bill of Hotel Luna was 420.50.", {"shop": "Hotel Luna", "total": 420.5}),
    (BILL, "Total of 12.30 at Green Market.", {"shop": "Green Market", "total": 12.3}),
    (MEETING, "We meet on Tuesday in room B12.", {"day": "Tuesday", "room": "B12"}),
    (MEETING, "Room 7, Friday.", {"day": "Friday", "room": "7"}),
    (MEETING, "The talk is in the Aquarium on Monday.", {"day": "Monday", "room": "Aquarium"}),
    (MEETING, "Sunday works; let us take room North.", {"day": "Sunday", "room": "North"}),
    (MEETING, "Thursday, room C3, as always.", {"day": "Thursday", "room": "C3"}),
    (MOOD, "What a wonderful day, I love it!", {"mood": "positive"}),
    (MOOD, "The food was cold and the waiter rude.", {"mood": "negative"}),
    (MOOD, "I am very happy with this phone.", {"mood": "positive"}),
    (MOOD, "Broken after a week. Never again.", {"mood": "negative"}),
    (MOOD, "Great service, thank you!", {"mood": "positive"}),
]


async def loop(client: DynasparkClient, case: tuple[Tool, str, dict[str, Any], str, str], *, is_auto: bool) -> str:
    """Empty for a whole right loop, else what went wrong."""
    tool, question, arguments, result, expected = case
    asked = (Message("user", (question,)),)
    tools = TOOLS if is_auto else (tool,)
    reply = await client.complete(Chat(asked, tools=tools, tool_choice="auto" if is_auto else tool.name))
    if not reply.tool_calls:
        return f"no call: {reply.text[:60]!r} {[call.reason for call in reply.invalid_tool_calls]}"
    call = reply.tool_calls[0]
    if (call.name, call.arguments) != (tool.name, arguments):
        return f"wrong call: {call.name} {call.arguments}"
    said = Message("assistant", tool_calls=(call,))
    told = Message("tool", (result,), call.name, tool_call_id=call.id)
    final = await client.complete(Chat((*asked, said, told), tools=tools, tool_choice="auto" if is_auto else "none"))
    return "" if expected in final.text else f"wrong answer: {final.text[:60]!r}"


async def extract(client: DynasparkClient, case: tuple[dict[str, Any], str, dict[str, Any]]) -> str:
    """Empty for the right value, else what came."""
    schema, text, expected = case
    found = await client.value(Chat((Message("user", (f"Extract from this text: {text}",)),), response_schema=schema))
    return "" if found.value == expected else f"wrong value: {found.value}"


async def count(title: str, cases: Sequence[Case], run: Callable[[Case], Awaitable[str]]) -> None:
    start, wrong = time.perf_counter(), []
    for case in cases:
        try:
            problem = await run(case)
        except DynasparkError as error:
            problem = f"{type(error).__name__}: {str(error)[:80]}"
        wrong += [problem] if problem else []
    seconds = (time.perf_counter() - start) / len(cases)
    print(f"{title}: {len(cases) - len(wrong)} of {len(cases)} right, {seconds:.1f} s a case")
    print(*(f"   {problem}" for problem in wrong), sep="\n")


async def main(file: Path | None, *, is_auto: bool) -> None:
    with LocalService(Local(file)) as service:
        client = DynasparkClient(base_url=service.url, timeout=600)
        await count("tool loops", LOOPS, partial(loop, client, is_auto=is_auto))
        await count("structured answers", OBJECTS, partial(extract, client))


if __name__ == "__main__":
    files = [Path(word) for word in sys.argv[1:] if not word.startswith("--")]
    asyncio.run(main(files[0] if files else None, is_auto="--auto" in sys.argv))
