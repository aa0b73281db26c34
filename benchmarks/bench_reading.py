"""What reading a reply costs: nanoseconds a character, beside `json.loads`, and how they grow. See `docs`' tools."""

import json
from collections.abc import Callable, Iterator
from functools import partial

from harness import TIMES, Costs, Goal, Row, Sample, Sizes, Table, compare, growing, main, sync_sample

from dynaspark_core.messages import Tool
from dynaspark_core.reply.reader import ReplyReader, read_reply

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
    "json answer": lambda size: json.dumps([{"a": [1, 2.5, None], "b": "text"}] * max(1, size // 36)),
}
HOSTILE = {
    "<": "<", "<tool_call>": "<tool_call>", "<tool_call>{": "<tool_call>{", "<tool>{a:'x": "<tool>{a:'x ",
    "unended string": '<tool_call>{"a": "</tool_call>', "open objects": '{"name":\n', "deep": '<tool_call>{"a":',
    "fences": "```json\n{", "quotes": '"', "line breaks": "\n", "blanks": " ", "backticks": "`",
    "xml": "<function=get_weather><parameter=city>", "actions": "Action: get_weather\nAction Input: {",
    "thoughts": "<think>", "NUL": "\x00",
}  # fmt: skip
NS = "ns a character"
MOST_WHOLE = {"prose": 20, "many calls": 250}
MOST_BY_1 = {"prose": 1500}


def _filled(unit: str, size: int) -> str:
    return unit * (size // len(unit) + 1)


def _call(content: str) -> str:
    value = {"name": "write_file", "arguments": {"path": "a.py", "content": content}}
    return f"<tool_call>\n{json.dumps(value)}\n</tool_call>"


def _in_pieces(text: str, size: int) -> Callable[[], object]:
    pieces = [text[at : at + size] for at in range(0, len(text), size)]

    def read() -> None:
        reader = ReplyReader(TOOLS)
        for piece in pieces:
            reader.feed(piece)
        reader.close()

    return read


def _read_calls(count: int) -> None:
    """Read as many replies, each of one call."""
    for _ in range(count):
        read_reply(CALL, TOOLS)


def _per_character(work: Callable[[], object], text: str) -> Sample:
    sample = sync_sample(work, 1)
    return lambda: sample() / len(text) * 1e9


def ordinary(sizes: Sizes) -> Table:
    """Replies as models write them, whole and in pieces."""
    size = sizes.calls * 640
    rows = []
    for name, make in ORDINARY.items():
        text = make(size)
        samples = {
            "whole": _per_character(partial(read_reply, text, TOOLS), text),
            "by 20": _per_character(_in_pieces(text, 20), text),
            "by 1": _per_character(_in_pieces(text, 1), text),
        }
        costs = compare(samples, sizes.fewer(3))
        goals: dict[str, Goal] = {
            "whole": ("≤", MOST_WHOLE.get(name, 300)),
            "by 1": ("≤", MOST_BY_1.get(name, 2000)),
        }
        rows.append(Row(name, {way: costs.cost(way) for way in samples}, goals))
    count = size // len(CALL)
    whole = compare({"whole": _per_character(partial(_read_calls, count), CALL * count)}, sizes.fewer(3))
    rows.append(Row("replies of one call", {"whole": whole.cost("whole")}, {"whole": ("≤", 500)}))
    text = json.dumps({"content": _filled(CODE, size)})
    beside = compare({"whole": _per_character(lambda: json.loads(text), text)}, 3)
    rows.append(Row("`json.loads`", {"whole": beside.cost("whole")}))
    return Table(f"Reading a reply of {size:,} characters: {NS}", rows)


def _growing(make: Callable[[int], str], n: int, rounds: int) -> Costs:
    def sample(text: str) -> Sample:
        return sync_sample(partial(read_reply, text, TOOLS), 1)

    return compare({growing(times): sample(make(n * times)) for times in TIMES}, rounds)


def growth(sizes: Sizes) -> Iterator[Table]:
    """Ordinary replies and those made to be expensive, at n, 2n, 4n and 8n characters."""
    n = sizes.calls * 160
    kinds: dict[str, dict[str, Callable[[int], str]]] = {
        "a reply": ORDINARY,
        "a reply made to be expensive": {name: partial(_filled, unit) for name, unit in HOSTILE.items()},
    }
    for kind, makers in kinds.items():
        rows = []
        for name, make in makers.items():
            costs = _growing(make, n, sizes.fewer(3))
            figures = {f"{NS} at {growing(times)}": costs.cost(growing(times)) / n / times * 1e9 for times in TIMES}
            ratio = costs.ratio("8n", "n")
            rows.append(Row(f"`{name}`", figures | {"8n / n": ratio}, {"8n / n": ("≤", 10.0)}))
        yield Table(f"Reading {kind}, n = {n:,} characters", rows)


def questions(sizes: Sizes) -> Iterator[Table]:
    """Reading replies."""
    yield ordinary(sizes)
    yield from growth(sizes)


if __name__ == "__main__":
    main(questions)
