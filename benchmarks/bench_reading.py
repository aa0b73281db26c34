"""What reading and rendering cost: nanoseconds a character, how they grow, beside `json.loads`. Prints tables.

Run it with `python benchmarks/bench_reading.py`. Times mean little on another machine; growth and ratios do.
"""

import json
from collections.abc import Callable, Sequence
from time import perf_counter

from dynaspark_core.messages import Chat, Message, Tool, ToolCall
from dynaspark_core.prompt import render
from dynaspark_core.tools import ReplyReader, read_reply

STRING = {"type": "string"}
WEATHER = {"type": "object", "properties": {"city": STRING}, "required": ["city"]}
FILE = {"type": "object", "properties": {"path": STRING, "content": STRING}, "required": ["path", "content"]}
TOOLS = (Tool("get_weather", "Weather", WEATHER), Tool("write_file", "Writes a file", FILE))

CALL = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Oslo"}}\n</tool_call>\n'
PROSE = "The quick brown fox jumps over the lazy dog, and then it rests a while; so does the dog.\n"
CODE = "def f(x):\n    return {'a': [x, 1 < 2]}  # <b>\n"

ORDINARY: dict[str, Callable[[int], str]] = {
    "prose": lambda size: _filled(PROSE, size),
    "prose with markup": lambda size: _filled("<p>The <b>quick</b> fox</p> and `code`, **bold**\n- item\n", size),
    "one long call": lambda size: _call(_filled(CODE, size)),
    "one broken call": lambda size: _call(_filled(CODE, size)).replace('"path"', "'path'"),
    "many calls": lambda size: _filled(CALL, size),
    "json answer": lambda size: json.dumps([{"a": [1, 2.5, None], "b": "text"}] * (size // 36)),
}
HOSTILE = {
    "<": "<", "<tool_call>": "<tool_call>", "<tool_call>{": "<tool_call>{", "<tool>{a:'x": "<tool>{a:'x ",
    "unended string": '<tool_call>{"a": "</tool_call>', "open objects": '{"name":\n', "deep": '<tool_call>{"a":',
    "fences": "```json\n{", "quotes": '"', "line breaks": "\n", "blanks": " ", "backticks": "`",
    "xml": "<function=get_weather><parameter=city>", "actions": "Action: get_weather\nAction Input: {",
    "thoughts": "<think>", "NUL": "\x00",
}  # fmt: skip


def _filled(unit: str, size: int) -> str:
    return unit * (size // len(unit) + 1)


def _call(content: str) -> str:
    value = {"name": "write_file", "arguments": {"path": "a.py", "content": content}}
    return f"<tool_call>\n{json.dumps(value)}\n</tool_call>"


def _best(work: Callable[[], object], repeats: int = 3) -> float:
    """The shortest of some runs, in nanoseconds."""
    times = []
    for _ in range(repeats):
        begin = perf_counter()
        work()
        times.append((perf_counter() - begin) * 1e9)
    return min(times)


def whole(text: str) -> float:
    """Nanoseconds a character for the whole text."""
    return _best(lambda: read_reply(text, TOOLS)) / len(text)


def in_pieces(text: str, size: int) -> float:
    """Nanoseconds a character for the text in pieces of `size` characters."""
    pieces = [text[at : at + size] for at in range(0, len(text), size)]

    def read() -> None:
        reader = ReplyReader(TOOLS)
        for piece in pieces:
            reader.feed(piece)
        reader.close()

    return _best(read, 2) / len(text)


def _row(name: str, figures: Sequence[float]) -> None:
    print(f"{name:20}" + "".join(f"{figure:10.1f}" for figure in figures))


def ordinary() -> None:
    """Ordinary replies."""
    print(f"{'ns a character':20}" + "".join(f"{title:>10}" for title in ("8k", "64k", "512k", "by 20", "by 1")))
    for name, make in ORDINARY.items():
        figures = [whole(make(size)) for size in (8_000, 64_000, 512_000)]
        _row(name, [*figures, in_pieces(make(64_000), 20), in_pieces(make(64_000), 1)])
    text = json.dumps({"content": _filled(CODE, 64_000)})
    _row("json.loads", [_best(lambda: json.loads(text)) / len(text)])


def hostile() -> None:
    """Replies made to be expensive: the figures of a row stay near each other when the work is linear."""
    sizes = (16_000, 32_000, 64_000, 128_000)
    print(
        f"\n{'ns a character':20}" + "".join(f"{title:>10}" for title in ("16k", "32k", "64k", "128k", "1 M", "16k/1"))
    )
    for name, unit in HOSTILE.items():
        figures = [whole(_filled(unit, size)) for size in (*sizes, 1_000_000)]
        _row(name, [*figures, in_pieces(_filled(unit, 16_000), 1)])


def rendering() -> None:
    """Histories."""
    print(f"\n{'milliseconds':20}" + "".join(f"{title:>10}" for title in ("200", "2,000", "20,000")))
    calls = (ToolCall("get_weather", {"city": "Oslo"}, "a"),)
    plain = (Message("user", (PROSE,)), Message("assistant", (PROSE,)))
    tools = (
        Message("assistant", (PROSE,), tool_calls=calls),
        Message("tool", (PROSE,), "get_weather", tool_call_id="a"),
    )
    for name, unit in {"plain": plain, "calls and results": tools}.items():
        chats = [Chat(unit * (count // 2), tools=TOOLS) for count in (200, 2_000, 20_000)]
        _row(name, [_best(lambda chat=chat: render(chat)) / 1e6 for chat in chats])  # type: ignore[misc]


if __name__ == "__main__":
    ordinary()
    hostile()
    rendering()
