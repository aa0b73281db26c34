"""How a conversation is put to a model of 135M parameters, which copies rules and schemas instead of following them.

Everything is shown by worked examples and kept short. Measured with SmolLM2 Q4_1 on requests of our own, which the
wording was chosen on, so elsewhere it is worse. 25 objects and calls to fill in, bound by the schema either way: 18
right (12 with the form of the answer as the prompt has it; on the 16 calls 13, against 1 with the tool section). 17
questions on the text in an image: 15 (9 without examples). Answers from a tool's result are not measured in this form.
Pure values.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from dynaspark_core.server.local import phrasing
from dynaspark_core.server.local.phrasing import Phrased
from dynaspark_core.server.local.request_kind import Call, FreeText, Schema, Value, Wanted
from dynaspark_core.server.local.turns import Conversation, Turn

_CALL = re.compile(r"<tool_call\b[^>]*>.*?</tool_call>\s*", re.DOTALL)
_RESULT = re.compile(r'<tool_result\b(?:[^>]*? name="([^"]*)")?[^>]*>\n?(.*?)\n?</tool_result>', re.DOTALL)
_NO_TEXT = "(none)"
_FAIR = "Image: 200 x 100 pixels, mainly green\nText in the image:\nSPRING FAIR\nSunday 11-16\nTicket  3.50 EUR"
_GREY = f"Image: 90 x 90 pixels, mainly grey\nText in the image:\n{_NO_TEXT}"

_FILLED = (
    ("Book a table for 4 at Luigi's tomorrow.", "restaurant (string), guests (integer), day (string)",
     '{"restaurant": "Luigi\'s", "guests": 4, "day": "tomorrow"}'),
    ("Tell max@home.net that the parcel has arrived.", "address (string), text (string)",
     '{"address": "max@home.net", "text": "The parcel has arrived."}'),
    ("Close the window in the office.", "window (string), open (boolean)",
     '{"window": "office", "open": false}'),
)  # fmt: skip
_SEEN = (
    (f"How much is a ticket?\n\n{_FAIR}", "A ticket is 3.50 EUR."),
    (f"What does the image say?\n\n{_FAIR}", "It says: SPRING FAIR, Sunday 11-16, Ticket 3.50 EUR."),
)
_SEEN_NO_TEXT = (
    (f"What is in the image?\n\n{_GREY}", "There is no text in it. It is mainly grey; I cannot see more."),
)  # fmt: skip


def phrase(conversation: Conversation, wanted: Wanted, seen: str) -> Phrased:
    """The conversation in few and plain words; `seen`, what is known of the file, follows the last user text.

    Tools that the model may but need not call are left out, for it cannot choose. After a tool's result it gets the
    question, then `Text:` and the result; of the file nothing, or it only repeats what the file says.
    """
    if isinstance(wanted, FreeText) and wanted.has_tools and conversation.turns[-1].role == "tool":
        return Phrased(phrasing.chat(_with_results(conversation.turns), ""))
    turns = tuple(_plain(conversation.turns))
    messages = phrasing.chat(turns, seen)
    match wanted:
        case FreeText() if not conversation.closing or wanted.has_tools:
            return Phrased(_after(messages, _seen_examples(seen)))
        case Call((tool,)) if fields := _fields(tool.parameters):
            return phrasing.call(_filling(messages, fields), tool, is_begun=False)
        case Value(schema) if fields := _fields(schema):
            return Phrased(_filling(messages, fields), schema)
        case _:
            return phrasing.phrase(replace(conversation, turns=turns), wanted, seen)


def _with_results(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """The turns up to the last question, which is followed by all results since."""
    start = max((index for index, turn in enumerate(turns) if turn.role == "user"), default=0)
    results = "\n".join(_RESULT.sub(r"\2", turn.text) for turn in turns[start:] if turn.role == "tool")
    question = turns[start].text if turns[start].role == "user" else ""
    return (*_plain(turns[:start]), Turn("user", f"{question}\n\nText:\n{results}".lstrip()))


def _plain(turns: Iterable[Turn]) -> Iterator[Turn]:
    """The turns without past calls, and with results as plain text."""
    for turn in turns:
        if turn.role == "tool":
            yield Turn("tool", _RESULT.sub(lambda found: f"Result of {found[1] or 'the tool'}: {found[2]}", turn.text))
        elif turn.role != "assistant":
            yield turn
        elif text := _CALL.sub("", turn.text).strip():
            yield Turn("assistant", text)


def _seen_examples(seen: str) -> tuple[tuple[str, str], ...]:
    """Examples of questions on an image; for one without text none that could lend it theirs."""
    return () if not seen else _SEEN_NO_TEXT if seen.endswith(_NO_TEXT) else (*_SEEN, *_SEEN_NO_TEXT)


def _filling(messages: tuple[Turn, ...], fields: str) -> tuple[Turn, ...]:
    """The messages; the last one asks to fill in the fields, and examples show how."""
    request = Turn("user", _request(messages[-1].text, fields))
    examples = ((_request(text, filled), reply) for text, filled, reply in _FILLED)
    return _after((*messages[:-1], request), examples)


def _after(messages: tuple[Turn, ...], examples: Iterable[tuple[str, str]]) -> tuple[Turn, ...]:
    """The messages; the examples, questions with their replies, come first, but after the system text."""
    start = 1 if messages[0].role == "system" else 0
    turns = (turn for question, reply in examples for turn in (Turn("user", question), Turn("assistant", reply)))
    return (*messages[:start], *turns, *messages[start:])


def _request(text: str, fields: str) -> str:
    return f"Request: {text}\nWrite as JSON: {fields}"


def _fields(schema: Schema) -> str:
    """The object's fields, each with its description, choices or type; "" for a schema that is no plain object."""
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return ""
    return ", ".join(f"{name} ({_hint(field)})" for name, field in properties.items())


def _hint(field: object) -> str:
    if not isinstance(field, dict):
        return "any"
    if isinstance(field.get("enum"), list):
        return " or ".join(map(str, field["enum"]))
    kind = "list" if field.get("type") == "array" else field.get("type")
    return str(field.get("description") or kind or "any")
