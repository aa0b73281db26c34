"""A chat becomes the one text that the service takes.

Only text is made here: images are named by their place (`[image 2]`), loading and packing them is `images`' work. What
the caller inserts can forge no turn, call or result: see `prompt.markers`.
"""

from collections.abc import Iterator, Sequence
from itertools import takewhile

from dynaspark_core.messages import Chat, Image, ImageRef, Message
from dynaspark_core.prompt.markers import attribute, escape
from dynaspark_core.prompt.tools import LastStep, closing_lines, opening_lines
from dynaspark_core.prompt.turns import (
    Aliases,
    call_blocks,
    cut_middle,
    result_block,
    tool_turn,
)

MAX_RESULT_CHARACTERS = 100_000
"""Longest tool result in the prompt, in characters: about 25,000 tokens, so that forty fill the context window."""

CHARACTERS_PER_TOKEN = 4
"""Google's published rule of thumb for Gemini models: a token is about four characters."""


def estimate_tokens(text: str) -> int:
    """The number of tokens in the text, estimated at four characters each (Google's figure for Gemini), rounded up."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def render(
    chat: Chat,
    *,
    image_numbers: Sequence[int | None] | None = None,
    image_remarks: Sequence[str] = (),
    result_limit: int = MAX_RESULT_CHARACTERS,
) -> str:
    """The prompt for the chat: a lone user message as its bare text, anything else as turns.

    `image_numbers` says for each of `chat.images()`, in order, its number on the sheet, or None if it is not shown; by
    default all are shown and counted from 1. The one image of a lone message is just `[image]`, and needs no mark
    beside text. `image_remarks` say what is missing of an image that is shown; most are empty.
    Tool results longer than `result_limit` characters are cut in the middle.
    """
    marks = _marks(chat, image_numbers, image_remarks)
    if _is_lone(chat):
        return _bare(chat.messages[0], marks)
    aliases = Aliases()
    turns = _turns(chat.messages, aliases, iter(marks), result_limit)
    lines = [*opening_lines(chat), *turns]
    lines += [*aliases.unanswered_blocks(), *closing_lines(chat, _last_step(chat, aliases))]
    return "\n".join((*lines, '<turn role="assistant">\n'))


def has_turns(chat: Chat) -> bool:
    """Whether the prompt is written in turns, so that the answer may repeat or continue them."""
    return not _is_lone(chat)


def _is_lone(chat: Chat) -> bool:
    if len(chat.messages) != 1 or (chat.tools and chat.tool_choice != "none") or chat.response_schema is not None:
        return False
    message = chat.messages[0]
    return message.role == "user" and not message.name


def _bare(message: Message, marks: Sequence[str]) -> str:
    if marks == ["[image]"] and message.text.strip():
        return message.text
    rest = iter(marks)
    return "".join(part if isinstance(part, str) else next(rest) for part in message.parts())


def _marks(chat: Chat, numbers: Sequence[int | None] | None, remarks: Sequence[str]) -> list[str]:
    """What stands at each image's place."""
    images = [part for message in chat.messages for part in message.content if not isinstance(part, str)]
    given = range(1, len(images) + 1) if numbers is None else numbers
    if len(given) != len(images):
        raise ValueError(f"image_numbers: {len(given)} numbers for {len(images)} images")
    is_single = _is_lone(chat) and len(set(given) - {None}) <= 1
    notes = remarks or [""] * len(images)
    return [
        _not_shown(image) if number is None else _shown(None if is_single else number, note)
        for image, number, note in zip(images, given, notes, strict=True)
    ]


def _shown(number: int | None, note: str) -> str:
    return f"[image{'' if number is None else f' {number}'}{f': {note}' if note else ''}]"


def _not_shown(image: Image | ImageRef) -> str:
    facts = [attribute(image.name) or "unnamed"]
    if isinstance(image, Image):
        facts += [attribute(image.content_type), f"{len(image.data)} bytes"]
    elif image.kind == "bytes":
        facts.append(f"{len(image.source)} bytes")
    elif image.kind == "base64":
        facts.append(f"about {len(image.source) * 3 // 4} bytes")
    else:
        facts.append(image.kind)
    return f"[image: {', '.join(facts)} – not shown]"  # noqa: RUF001 - the dash that the tool section names


def _turns(messages: Sequence[Message], aliases: Aliases, marks: Iterator[str], limit: int) -> Iterator[str]:
    """The turns, each result in its own: so a history that grows at its end keeps all that was there before."""
    for message in messages:
        if message.role == "tool":
            yield tool_turn(result_block(message, cut_middle(_text(message, marks), limit), aliases))
            continue
        if message.role == "assistant":
            yield from map(tool_turn, aliases.unanswered_blocks())
            aliases.begin_turn()
        yield _turn(message, aliases, marks)


def _turn(message: Message, aliases: Aliases, marks: Iterator[str]) -> str:
    text = _text(message, marks)
    name = f' name="{attribute(message.name)}"' if message.name else ""
    if message.tool_calls or message.invalid_tool_calls:
        text = "\n".join(filter(None, (text, *call_blocks(message, aliases))))
    return f'<turn role="{message.role}"{name}>{text}</turn>'


def _text(message: Message, marks: Iterator[str]) -> str:
    content = message.content
    if len(content) == 1 and isinstance(content[0], str):
        return escape(content[0])
    return escape("".join(part if isinstance(part, str) else next(marks) for part in message.parts()))


def _last_step(chat: Chat, aliases: Aliases) -> LastStep:
    """What came last, as far as the end of the prompt depends on it."""
    results = list(takewhile(lambda message: message.role == "tool", reversed(chat.messages)))
    asked = chat.messages[-len(results) - 1] if len(results) < len(chat.messages) else results[-1]
    if asked.invalid_tool_calls or any(message.status == "error" for message in results):
        return "error"
    if aliases.has_unanswered:
        return "missing"
    called = {call.name for call in asked.tool_calls}
    is_own = not called or any(tool.name in called for tool in chat.offered())
    return "text" if not results else "results" if is_own else "handed over"
