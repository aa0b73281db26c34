"""What a long history and many tools cost: 200 and 2,000 messages, with and without calls; 1, 20 and 200 tools."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from empty import EmptyChat, EmptyLLM
from floors import PATH, PROMPT, TRANSPORT, Wire, Y
from harness import (
    TIMES,
    US,
    Goal,
    Row,
    Sizes,
    Table,
    async_sample,
    compare,
    growing,
    grown,
    main,
    service,
    sync_sample,
)
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from llama_index.core.base.llms.types import ChatMessage, MessageRole, TextBlock, ToolCallBlock
from peers import peers

from dynaspark_core import Chat, Message, Tool
from dynaspark_core.prompt.render import render
from langchain_dynaspark import ChatDynaspark
from llama_index_dynaspark import Dynaspark

PROSE = "The quick brown fox jumps over the lazy dog, and then it rests a while; so does the dog."
ARGUMENTS = {"city": "Oslo"}
PARAMETERS = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "The city's name, in English"},
        "days": {"type": "integer", "description": "How many days from today"},
    },
    "required": ["city"],
}
OF_Y: Goal = ("≤", 1.15)
OF_THIN: Goal = ("≤", 1.3)
ESCAPED = re.compile(r"<(?=\s*[/\\]?\s*(?:turn|tool))", re.IGNORECASE)
"""What a thin integration would keep out of the texts that it joins: the beginnings of its own markup."""
LONG = (200, 2000)
MANY = (1, 20, 200)
Call = Callable[[], Awaitable[object]]


def chain_history(count: int, *, has_calls: bool) -> list[BaseMessage]:
    """LangChain's messages: turns of user and assistant, or calls and their results after one question."""
    if not has_calls:
        return [HumanMessage(PROSE) if index % 2 else AIMessage(PROSE) for index in range(1, count + 1)]
    messages: list[BaseMessage] = [HumanMessage(PROSE)]
    for index in range(count // 2):
        call = {"name": "get_weather_0", "args": ARGUMENTS, "id": f"call_{index}"}
        messages += [AIMessage(PROSE, tool_calls=[call]), ToolMessage(PROSE, tool_call_id=f"call_{index}")]
    return messages


def index_history(count: int, *, has_calls: bool) -> list[ChatMessage]:
    """The same as LlamaIndex's messages."""
    if not has_calls:
        roles = (MessageRole.ASSISTANT, MessageRole.USER)
        return [ChatMessage(role=roles[index % 2], content=PROSE) for index in range(1, count + 1)]
    messages = [ChatMessage(role=MessageRole.USER, content=PROSE)]
    for index in range(count // 2):
        call = ToolCallBlock(tool_call_id=f"call_{index}", tool_name="get_weather_0", tool_kwargs=ARGUMENTS)
        known = {"tool_call_id": f"call_{index}", "name": "get_weather_0"}
        messages.append(ChatMessage(role=MessageRole.ASSISTANT, blocks=[TextBlock(text=PROSE), call]))
        messages.append(ChatMessage(role=MessageRole.TOOL, content=PROSE, additional_kwargs=known))
    return messages


def thin_chain(messages: Sequence[BaseMessage]) -> str:
    """The least that a thin integration does: texts escaped, each by one pattern, and joined with the calls."""
    escape = ESCAPED.sub
    return "\n".join(
        f"{message.type}: {escape('&lt;', str(message.content))}{json.dumps(message.tool_calls)}"
        if isinstance(message, AIMessage) and message.tool_calls
        else f"{message.type}: {escape('&lt;', str(message.content))}"
        for message in messages
    )


def thin_index(messages: Sequence[ChatMessage]) -> str:
    """The least that a thin integration does: texts escaped, each by one pattern, and joined with the calls."""
    return "\n".join(_thin_message(message) for message in messages)


def _thin_message(message: ChatMessage) -> str:
    calls = [block.tool_kwargs for block in message.blocks if isinstance(block, ToolCallBlock)]
    text = ESCAPED.sub("&lt;", message.content or "")
    return f"{message.role.value}: {text}{json.dumps(calls) if calls else ''}"


class Cases:
    """The calls with histories and tools, over one wire."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.wire = Wire(url + PATH)
        self.chain, self.index = ChatDynaspark(base_url=url), Dynaspark(base_url=url)
        self.empty, self.bare = EmptyChat(), EmptyLLM()

    def ainvoke(self, count: int, *, has_calls: bool) -> dict[str, Call]:
        """LangChain's: the raw post of the joined texts, Y, ours, and the peers."""
        messages = chain_history(count, has_calls=has_calls)

        async def thin() -> None:
            await self.empty.ainvoke(messages)
            await self.wire.post(thin_chain(messages))

        rivals = {
            name: lambda model=model: model.ainvoke(messages) for name, model in peers("langchain", self.url).items()
        }
        return {
            TRANSPORT: lambda: self.wire.post(thin_chain(messages)),
            Y: thin,
            "ainvoke": lambda: self.chain.ainvoke(messages),
            **rivals,
        }

    def achat(self, count: int, *, has_calls: bool) -> dict[str, Call]:
        """LlamaIndex's: the raw post of the joined texts, Y, ours, and the peers."""
        messages = index_history(count, has_calls=has_calls)

        async def thin() -> None:
            await self.bare.achat(messages)
            await self.wire.post(thin_index(messages))

        rivals = {
            name: lambda model=model: model.achat(messages) for name, model in peers("llama_index", self.url).items()
        }
        return {
            TRANSPORT: lambda: self.wire.post(thin_index(messages)),
            Y: thin,
            "achat": lambda: self.index.achat(messages),
            **rivals,
        }

    def with_tools(self, count: int) -> dict[str, Call]:
        """LangChain's with bound tools; the peer has them as its own field."""
        tools = [_tool(number) for number in range(count)]
        chain = self.chain.bind_tools(tools)

        async def thin() -> None:
            await self.empty.ainvoke(PROMPT)
            await self.wire.post(f"{json.dumps(tools)}\n{PROMPT}")

        rivals = {
            name: lambda model=model: model.ainvoke(PROMPT)
            for name, model in ((name, model.bind_tools(tools)) for name, model in peers("langchain", self.url).items())
        }
        return {
            TRANSPORT: lambda: self.wire.post(PROMPT),
            Y: thin,
            "ainvoke": lambda: chain.ainvoke(PROMPT),
            **rivals,
        }


def _tool(number: int) -> dict[str, Any]:
    about = {"name": f"get_weather_{number}", "description": "The weather in a city.", "parameters": PARAMETERS}
    return {"type": "function", "function": about}


def histories(runner: asyncio.Runner, cases: Cases, sizes: Sizes) -> Iterator[Table]:
    """A table for each length and framework; the last says what calls add to our own cost."""
    own: dict[tuple[str, int, bool], float] = {}
    for count in LONG:
        for ours, calls_of in {"ainvoke": cases.ainvoke, "achat": cases.achat}.items():
            for has_calls in (False, True):
                samples = {
                    name: async_sample(runner, call, sizes.part(10 / count if name in {TRANSPORT, Y, ours} else 0))
                    for name, call in calls_of(count, has_calls=has_calls).items()
                }
                costs = compare(samples, sizes.fewer(9))
                own[ours, count, has_calls] = costs.cost(ours) - costs.cost(Y)
                title = f"{count:,} messages{' with calls and results' if has_calls else ''}: {ours}"
                yield Table(title, costs.rows(ours, (TRANSPORT, Y), {"÷ Y": OF_THIN}), _THIN)
    rows = [
        Row(
            f"{ours}, {count:,} messages",
            {
                f"{US} plain": own[ours, count, False] * 1e6,
                f"{US} with calls": own[ours, count, True] * 1e6,
                "ratio": own[ours, count, True] / own[ours, count, False],
            },
            {"ratio": ("≤", 2.0)},
        )
        for ours in ("ainvoke", "achat")
        for count in LONG
    ]
    note = "Where a plain history costs next to nothing over `Y`, the ratio says little; the tables above do."
    yield Table("What calls and results in the history add to our own cost, over Y", rows, note)


_THIN = (
    "`Y` escapes each text by one pattern, joins them and the calls as JSON, posts that, and asks an empty model. "
    "What calls add is below."
)


def many_tools(runner: asyncio.Runner, cases: Cases, sizes: Sizes) -> Iterator[Table]:
    """A table for each number of tools."""
    for count in MANY:
        samples = {
            name: async_sample(
                runner, call, sizes.part(0.2 / (1 + count / 20) if name in {TRANSPORT, Y, "ainvoke"} else 0.03)
            )
            for name, call in cases.with_tools(count).items()
        }
        goals: dict[str, Goal] = {"÷ Y": OF_Y} if count == 20 else {}
        costs = compare(samples, sizes.fewer(9))
        yield Table(f"{count} tools in the prompt: ainvoke", costs.rows("ainvoke", (TRANSPORT, Y), goals), _TOOLS)


_TOOLS = "`Y` writes the tools into the prompt with `json.dumps` alone."


def growth(runner: asyncio.Runner, cases: Cases, sizes: Sizes) -> Table:
    """Histories, tools and prompts at n, 2n, 4n and 8n."""
    n = sizes.part(2.5)
    makers: dict[str, Callable[[int], Call]] = {
        f"ainvoke, n = {n} messages": lambda size: cases.ainvoke(size, has_calls=False)["ainvoke"],
        f"ainvoke, n = {n} messages with calls": lambda size: cases.ainvoke(size, has_calls=True)["ainvoke"],
        f"achat, n = {n} messages": lambda size: cases.achat(size, has_calls=False)["achat"],
        f"achat, n = {n} messages with calls": lambda size: cases.achat(size, has_calls=True)["achat"],
        f"ainvoke, n = {n // 5} tools": lambda size: cases.with_tools(size // 5)["ainvoke"],
        f"ainvoke, one message of n = {n * 100} words": lambda size: lambda: cases.chain.ainvoke("words " * size * 100),
    }
    rows = []
    for what, make in makers.items():
        samples = {growing(times): async_sample(runner, make(n * times), sizes.part(0.03)) for times in TIMES}
        rows.append(grown(what, compare(samples, sizes.fewer(5))))
    chats = {
        "render, plain": [Message("user", (PROSE,)), Message("assistant", (PROSE,))],
        "render, documents that hold markup": [Message("user", ("<b> <tool_call> " * 20,))],
    }
    for what, unit in chats.items():
        samples = {growing(times): _rendered(unit, n * times) for times in TIMES}
        rows.append(grown(f"{what}, n = {n} messages", compare(samples, sizes.fewer(5))))
    return Table("Growth of a prompt", rows)


def _rendered(unit: Sequence[Message], count: int) -> Callable[[], float]:
    chat = Chat(tuple(unit) * (count // len(unit)), tools=(Tool("get_weather_0", "", PARAMETERS),))
    return sync_sample(lambda: render(chat), 1)


def questions(sizes: Sizes) -> Iterator[Table]:
    """Long histories and many tools."""
    with service() as url, asyncio.Runner() as runner:
        cases = Cases(url)
        yield from histories(runner, cases, sizes)
        yield from many_tools(runner, cases, sizes)
        yield growth(runner, cases, sizes)
        runner.run(cases.wire.close())


if __name__ == "__main__":
    main(questions)
