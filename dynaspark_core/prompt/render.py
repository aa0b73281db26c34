"""A chat becomes the one text that the service takes.

Only text is made here: images are named by their place (`[image 2]`), loading and packing them is `images`' work. What
the caller inserts can forge no turn, call or result: see `prompt.markers`.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import get_args

from dynaspark_core.errors import ConfigError
from dynaspark_core.messages import Chat, Image, ImageRef, Message, Part, Role, TextFile, ToolCall
from dynaspark_core.prompt.markers import attribute, escape
from dynaspark_core.prompt.tools import LastStep, closing_lines, opening_lines
from dynaspark_core.prompt.turns import (
    Aliases,
    call_blocks,
    cut_middle,
    result_turn,
    tool_turn,
)

_OTHER_ROLES = ("user", "system")
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
    image_numbers: Sequence[int] | None = None,
    image_remarks: Sequence[str] = (),
    hidden: Collection[int] = (),
    result_limit: int = MAX_RESULT_CHARACTERS,
) -> str:
    """The prompt for the chat: a lone user message as its bare text, anything else as turns.

    `image_numbers` is the number of each of `chat.images()`, in order; by default the same image has one number, and
    they are counted from 1. `hidden` are the numbers of those that are not shown: in turns this is said once, after the
    last turn, so that the turns stay as they are while a conversation grows. One image in a lone message is just
    `[image]`, and needs no mark beside text. `image_remarks` say what is missing of an image that is shown; most are
    empty. Tool results and text files longer than `result_limit` characters are cut in the middle.
    """
    if not has_turns(chat):
        if len(only := chat.messages[0].content) == 1 and isinstance(only[0], str):
            return only[0]
        marks = _bare_marks(_numbered(chat, image_numbers, image_remarks), hidden)
        return _bare(chat.messages[0], marks, result_limit)
    aliases = Aliases()
    turns = _turns(chat.messages, aliases, _marks(chat, image_numbers, image_remarks), result_limit)
    lines = [*opening_lines(chat), *turns]
    if hidden:
        lines.append(_hidden_line({number for _, number, _ in _numbered(chat, image_numbers)}, hidden))
    lines += [*aliases.unanswered_blocks(), *closing_lines(chat, _last_step(chat, aliases))]
    return "\n".join((*lines, '<turn role="assistant">\n'))


def _numbered(
    chat: Chat, numbers: Sequence[int] | None, remarks: Sequence[str] = ()
) -> list[tuple[Image | ImageRef, int, str]]:
    """Each image with its number, counted from 1 if it has none yet, and what its mark says after it."""
    images = chat.images()
    if not numbers:
        counted = {image: number for number, image in enumerate(dict.fromkeys(images), 1)}
        numbers = [counted[image] for image in images]
    if len(numbers) != len(images):
        raise ValueError(f"image_numbers: {len(numbers)} numbers for {len(images)} images")
    notes = [f": {note}" if note else "" for note in remarks or [""] * len(images)]
    return [*zip(images, numbers, notes, strict=True)]


def _marks(chat: Chat, numbers: Sequence[int] | None, remarks: Sequence[str]) -> Iterator[str]:
    """The mark of each image in turns; images are looked for when the first is needed, as most histories have none."""
    for _, number, note in _numbered(chat, numbers, remarks):
        yield f"[image {number}{note}]"


def _hidden_line(numbers: Collection[int], hidden: Collection[int]) -> str:
    """What the model is told of the images that it cannot see."""
    shown = sorted(set(numbers) - set(hidden))
    if len(shown) == 1:
        return f"Of the images, the attached one is image {shown[0]}; the others are not shown."
    return f"Not shown: {', '.join(_ranges(sorted(hidden)))}."


def _ranges(numbers: Sequence[int]) -> Iterator[str]:
    """`image 1`, `images 3-5`."""
    start = numbers[0]
    for number, following in zip(numbers, [*numbers[1:], 0], strict=True):
        if following != number + 1:
            yield f"image {number}" if start == number else f"images {start}-{number}"
            start = following


def has_turns(chat: Chat) -> bool:
    """Whether the prompt is written in turns, so that the answer may repeat or continue them."""
    if len(chat.messages) != 1 or (chat.tools and chat.tool_choice != "none") or chat.response_schema is not None:
        return True
    message = chat.messages[0]
    return message.role != "user" or bool(message.name)


def _bare(message: Message, marks: Sequence[str], limit: int) -> str:
    needs_no_mark = marks == ["[image]"] and message.text.strip()
    return _joined(message, iter([""] if needs_no_mark else marks), limit)


def _bare_marks(images: Sequence[tuple[Image | ImageRef, int, str]], hidden: Collection[int]) -> list[str]:
    """What stands for each image in a lone message."""
    is_single = len({number for _, number, _ in images} - set(hidden)) <= 1
    return [
        _not_shown(image) if number in hidden else f"[image{'' if is_single else f' {number}'}{note}]"
        for image, number, note in images
    ]


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
        role, content = message.role, message.content
        if len(content) == 1 and isinstance(content[0], str):
            text = content[0]
        else:
            text = _joined(message, marks, None if role == "tool" else limit)
        if "<" in text or not text.isascii():
            text = escape(text)
        if role == "tool":
            yield result_turn(message, text if len(text) <= limit else cut_middle(text, limit), aliases)
            continue
        if role == "assistant":
            if aliases.calls and (unanswered := aliases.begin_turn()):
                yield from map(tool_turn, unanswered)
        elif role not in _OTHER_ROLES:
            raise ConfigError(f"a message has the unknown role {role!r}; known are {', '.join(get_args(Role))}")
        if message.tool_calls or message.invalid_tool_calls:
            calls = call_blocks(message, aliases)
            text = "\n".join((text, *calls) if text else calls)
        named = f'" name="{attribute(message.name)}' if message.name else ""
        yield f'<turn role="{role}{named}">{text}</turn>'


def _joined(message: Message, marks: Iterator[str], limit: int | None = None) -> str:
    """The text of a message: an image as its mark, a text file under its name, cut to `limit` characters."""
    content = message.content
    if len(content) == 1 and isinstance(content[0], str):
        return content[0]
    text = ""
    for part in message.parts():
        shown = _shown_text(part, marks, limit)
        text += f" {shown}" if shown.startswith("[image:") and text and not text[-1].isspace() else shown
    return text


def _shown_text(part: Part, marks: Iterator[str], limit: int | None) -> str:
    if isinstance(part, Image | ImageRef):
        return next(marks)
    if isinstance(part, TextFile) and part.text is None:
        return f"[file: {attribute(part.name) or 'unnamed'} – not shown]"  # noqa: RUF001 - as of an image
    if isinstance(part, TextFile) and limit is not None:
        part = replace(part, text=cut_middle(part.text or "", limit))
    return str(part)


def _last_step(chat: Chat, aliases: Aliases) -> LastStep:
    """What came last, as far as the end of the prompt depends on it."""
    asked, results = _step(chat.messages)
    if errors := _errors(asked, results):
        before = _errors(*_step(chat.messages[: -len(results) - 1]))
        return "same error" if all(error in before for error in errors) else "error"
    if asked.invalid_tool_calls:
        return "error"
    if aliases.has_unanswered:
        return "missing"
    if not results:
        return "text"
    called = {call.name for call in asked.tool_calls}
    is_left = called and called.isdisjoint(tool.name for tool in chat.offered())
    return "handed over" if is_left or any(map(_is_handoff, asked.tool_calls)) else "results"


def _is_handoff(call: ToolCall) -> bool:
    """Whether it is a call of LlamaIndex's tool for it, which is offered to the next agent, too."""
    return call.name == "handoff" and "to_agent" in call.arguments


def _step(messages: Sequence[Message]) -> tuple[Message, Sequence[Message]]:
    """The last message that is no result, and the results after it."""
    end = len(messages)
    while end and messages[end - 1].role == "tool":
        end -= 1
    return messages[end - 1] if end else Message("assistant"), messages[end:]


def _errors(asked: Message, results: Sequence[Message]) -> list[tuple[object, str]]:
    """Each call that failed, with its error."""
    failed = [each for each in results if each.status == "error"]
    if not failed:
        return []
    calls: dict[str | None, object] = {call.id: (call.name, call.arguments) for call in asked.tool_calls}
    calls |= {call.id: call.raw for call in asked.invalid_tool_calls}
    return [(calls.get(each.tool_call_id), each.text) for each in failed]
