"""A question as a programmer writes it, turned into our messages: a text, role/content dictionaries, or Messages.

Pure, and for the client alone: the frameworks have message classes of their own. The dictionaries are those of
OpenAI's chat API, also with the roles that LangChain and Google use, with LangChain's `tool_calls`, and with the blocks
in which other providers write calls and results.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from dynaspark_core.content.blocks import read_parts
from dynaspark_core.content.image_refs import Place, Places
from dynaspark_core.content.tool_results import result_block
from dynaspark_core.errors import ConfigError
from dynaspark_core.messages import Image, ImageRef, InvalidToolCall, Message, Part, Role, ToolCall, new_message

ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function": "tool",
}

Entry = Mapping[str, Any]
Call = ToolCall | InvalidToolCall
_CALL_TYPES = ("tool_use", "tool_call", "function_call", "invalid_tool_call", "custom_tool_call")
_CUSTOM = ("custom", "custom_tool_call")
"""Types of OpenAI's calls whose `input` is any text."""
_CALL_KEYS = ("functionCall", "function_call", "toolUse")
"""Keys of blocks without a type: Gemini's, OpenAI's old one, Bedrock's."""
_IDS = ("call_id", "toolUseId", "id", "tool_call_id", "tool_id")  # the `id` of OpenAI's Responses is the block's
_ARGUMENTS = ("arguments", "args", "input", "parameters", "tool_kwargs")
"""Where a call says what: OpenAI, LangChain and Google, Anthropic and Bedrock, Cohere, LlamaIndex's own objects."""


def messages_from(
    value: object, images: Iterable[Image | ImageRef] = (), *, allow_files: bool = False
) -> tuple[Message, ...]:
    """The conversation in a text, a dictionary, a Message, or a list of dictionaries and Messages.

    The images join the last user message, after its text; without one they are a message of their own. Raises
    ConfigError that names the place for an empty conversation, an unknown role, missing content or a wrong type, and
    what `blocks.read_parts` raises.
    """
    messages = list(_written(value, allow_files=allow_files))
    messages = _with_images(messages, tuple(images))
    if not any(message.content or message.tool_calls or message.invalid_tool_calls for message in messages):
        raise ConfigError("the prompt is empty: there is no text and no image to send")
    return tuple(messages)


def _written(value: object, *, allow_files: bool) -> Iterable[Message]:
    if isinstance(value, str):
        return (Message("user", (value,)),) if value else ()
    entries = [value] if isinstance(value, Mapping | Message) else value
    if not isinstance(entries, Sequence) or isinstance(entries, bytes | bytearray | memoryview):
        raise ConfigError(f"a prompt is text or a list of messages, not {type(value).__name__}")
    roles = [_role(entry, index) for index, entry in enumerate(entries)]
    contents = (None if isinstance(entry, Message) else entry.get("content") for entry in entries)
    places = Places(lambda: roles, allow_files, lambda: newest_results(contents))
    return chain.from_iterable(_messages(entry, index, places) for index, entry in enumerate(entries))


def _with_images(messages: list[Message], images: tuple[Image | ImageRef, ...]) -> list[Message]:
    if not images:
        return messages
    for index in reversed(range(len(messages))):
        if messages[index].role == "user":
            joined = replace(messages[index], content=messages[index].content + images)
            return [*messages[:index], joined, *messages[index + 1 :]]
    return [*messages, Message("user", images)]


def _messages(entry: Message | Entry, index: int, places: Places) -> Iterable[Message]:
    """One entry's message, after the tool results that an Anthropic user message carries in its content."""
    if isinstance(entry, Message):
        return (entry,)
    name, role, said = f"messages[{index}]", ROLES[entry["role"]], entry.get("content")
    calls = _calls(entry, name)
    if said is None and not calls:
        raise ConfigError(f"{name} (role {entry['role']!r}) has no content")
    results: tuple[Message, ...] = ()
    if said is None or isinstance(said, str):
        content: tuple[Part, ...] = (said,) if said else ()
    else:
        content, results = parts_and_results(said, places[index].inner(".content"))
    # OpenAI's old function messages have no ids: their name ties a result to its call
    function_id = f"function_{entry.get('name')}" if entry["role"] == "function" else None
    message = new_message(
        role,
        content,
        _text_or_none(entry, "name", name),
        tuple([call for call in calls if isinstance(call, ToolCall)]) if calls else (),
        tuple([call for call in calls if isinstance(call, InvalidToolCall)]) if calls else (),
        _text_or_none(entry, "tool_call_id", name) or function_id,
        "error" if entry.get("status") == "error" else "ok",
    )
    return results if results and not content else (*results, message)


def _role(entry: object, index: int) -> Role:
    if isinstance(entry, Message):
        return entry.role
    if type(entry) is not dict and not isinstance(entry, Mapping):
        kind = f"messages[{index}] is of type {type(entry).__name__}"
        raise ConfigError(f"{kind}; it has to be a dictionary with role and content, or a Message")
    role = entry.get("role")
    if isinstance(role, str) and role in ROLES:
        return ROLES[role]
    found = f"the unknown role {role!r}" if "role" in entry else f"no role, only {list(entry)[:8]}"
    raise ConfigError(f"messages[{index}] has {found}; known are {', '.join(ROLES)}")


def _text_or_none(entry: Entry, key: str, name: str) -> str | None:
    value = entry.get(key)
    if value is None or isinstance(value, str):
        return value
    raise ConfigError(f"{name}.{key} is of type {type(value).__name__}; it has to be text")


def _calls(entry: Entry, name: str) -> tuple[Call, ...]:
    if listed := entry.get("tool_calls"):
        if not isinstance(listed, Sequence) or not all(isinstance(item, Mapping) for item in listed):
            raise ConfigError(f"{name}.tool_calls has to be a list of dictionaries")
        return tuple([_call(item, f"{name}.{number}") for number, item in enumerate(listed)])
    if (old := entry.get("function_call")) is not None and isinstance(old, Mapping):
        return (_call(old, f"function_{old.get('name')}"),)
    return read_call_blocks(entry.get("content"))


def read_call_blocks(content: object) -> tuple[Call, ...]:
    """The calls that only the content has: those of Anthropic, OpenAI, Gemini, Bedrock, LangChain v1.

    For messages without a `tool_calls` of their own; where there is one, these blocks tell the same twice.
    """
    if isinstance(content, (str, bytes)) or not isinstance(content, Sequence):
        return ()
    blocks = (block for block in content if isinstance(block, Mapping))
    asked = (call for block in blocks if (call := _call_block(block)) is not None)
    return tuple(_call(block, f"call_{number}") for number, block in enumerate(asked))


def _call_block(block: Entry) -> Entry | None:
    """What says name and arguments in a block that is a call; None for others."""
    if block.get("type") in _CALL_TYPES or isinstance(block.get("custom"), Mapping):
        return block
    return next((block[key] for key in _CALL_KEYS if isinstance(block.get(key), Mapping)), None)


def _call(item: Entry, fallback_id: str) -> Call:
    """One call in any of the shapes; one that cannot be read stays as an invalid call, so that nothing is lost."""
    known = next((item[key] for key in ("function", "custom") if isinstance(item.get(key), Mapping)), item)
    name = known.get("name") or known.get("tool_name")
    call_id = next((value for key in _IDS if isinstance(value := item.get(key), str) and value), fallback_id)
    written: object = next((known[key] for key in _ARGUMENTS if known.get(key) is not None), {})
    if item.get("type") in _CUSTOM and isinstance(written, str):
        written = {"input": written}
    arguments, error = _arguments(written)
    if not isinstance(name, str) or not name:
        return InvalidToolCall(str(written), "missing_name", call_id, error="the call names no tool")
    if arguments is None:
        return InvalidToolCall(str(written), "malformed", call_id, name, error)
    return ToolCall(name, arguments, call_id)


def _arguments(written: object) -> tuple[dict[str, Any] | None, str]:
    """The arguments object and an empty text, or None and what is wrong; nothing written means no arguments."""
    try:
        value = json.loads(written) if isinstance(written, str) and written.strip() else written or {}
    except (ValueError, RecursionError) as error:
        return None, f"the arguments are not JSON: {error}"
    if isinstance(value, Mapping):
        return dict(value), ""
    return None, f"the arguments are of type {type(value).__name__}, not a JSON object"


def newest_results(contents: Iterable[object]) -> int:
    """The index of the last content that holds results of tools, else 0: what stands before it was sent earlier."""
    return max((index for index, content in enumerate(contents) if _holds_results(content)), default=0)


def _holds_results(content: object) -> bool:
    return isinstance(content, Sequence) and not isinstance(content, str) and any(map(_is_result, content))


def parts_and_results(content: Any, place: Place) -> tuple[tuple[Part, ...], tuple[Message, ...]]:
    """The parts of a content without the results of tools in it, and those as messages of role `tool`."""
    if not _holds_results(content):
        return read_parts(content, place), ()
    results = tuple(_result(block, place) for block in content if _is_result(block))
    return read_parts([block for block in content if not _is_result(block)], place), results


def _is_result(block: object) -> bool:
    return isinstance(block, Mapping) and result_block(block) is not None


def _result(block: Entry, place: Place) -> Message:
    known = result_block(block) or block
    call_id, name = known.get("tool_use_id"), known.get("name")
    return Message(
        "tool",
        read_parts([known], place),
        name=name if isinstance(name, str) else None,
        tool_call_id=call_id if isinstance(call_id, str) else None,
        status="error" if known.get("is_error") else "ok",
    )
