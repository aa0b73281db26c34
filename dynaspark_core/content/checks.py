"""A chat before it is rendered: what has the wrong type, or asks for what is not there, is named. No I/O.

It also says which messages the user sends now: what cannot be sent is an error only there.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from dynaspark_core.errors import ConfigError
from dynaspark_core.messages import Chat, Image, ImageRef, Message, Role, TextFile, Tool

Kinds = frozenset[type]
_MESSAGES: Kinds = frozenset({Message})
_PARTS: Kinds = frozenset({str, Image, ImageRef, TextFile})
_TOOLS: Kinds = frozenset({Tool})
_TEXTS: Kinds = frozenset({str})
_TUPLES: Kinds = frozenset({tuple})
_SEQUENCES: Kinds = frozenset({tuple, list})


def check_chat(chat: Chat) -> Chat:
    """The chat; one text as `stop` is one stop sequence. Raises `ConfigError` that names what cannot be used."""
    if not isinstance(chat, Chat):
        raise ConfigError(f"expected a Chat, got {type(chat).__name__}")
    if type(chat.messages) is not tuple or not _MESSAGES.issuperset(map(type, chat.messages)):
        _each("messages", chat.messages, _MESSAGES)
    contents = [message.content for message in chat.messages]
    if not (_TUPLES.issuperset(map(type, contents)) and _PARTS.issuperset(map(type, chain.from_iterable(contents)))):
        for number, content in enumerate(contents):  # one of them is of another type
            _each(f"messages[{number}].content", content, _PARTS)
    if type(chat.model) is not str:
        _text("model", chat.model)
    if chat.tools != ():
        _each("tools", chat.tools, _TOOLS)
    for tool in chat.tools:
        if not (isinstance(tool.name, str) and isinstance(tool.description, str)):
            _text("a tool's name", tool.name)
            _text(f"the description of tool {tool.name!r}", tool.description)
        if not (tool.name.strip() and (type(tool.parameters) is dict or isinstance(tool.parameters, Mapping))):
            raise ConfigError(f"tool {tool.name!r} needs a name, and a JSON Schema object as parameters")
    if len(chat.tools) > 1:
        _check_names(chat.tools)
    if chat.tool_choice != "auto":
        _choice(chat)
    if chat.response_schema is not None and not isinstance(chat.response_schema, Mapping):
        raise ConfigError(
            f"response_schema is of type {type(chat.response_schema).__name__}; it must be a JSON Schema object"
        )
    return replace(chat, stop=stops(chat.stop)) if chat.stop else chat


def stops(stop: object) -> tuple[str, ...]:
    """The stop sequences: of None none, of a text this one. Raises `ConfigError` for anything but texts."""
    if stop is None:
        return ()
    if isinstance(stop, str):
        return (stop,)
    _each("stop", stop, _TEXTS)
    return tuple(stop)  # type: ignore[arg-type]  # `_each` has looked


def _choice(chat: Chat) -> None:
    _text("tool_choice", chat.tool_choice)
    if chat.tool_choice == "none":
        return
    names = {tool.name for tool in chat.tools}
    if chat.tool_choice in names:
        return
    if chat.tool_choice != "required" or not names:
        known = ", ".join(("auto", "none", "required", *sorted(names)))
        raise ConfigError(f"tool_choice is {chat.tool_choice!r}, and {len(names)} tools are given; it may be {known}")


def _check_names(tools: Sequence[Tool]) -> None:
    """Raise `ConfigError` for different tools of one name: a call of it could mean either."""
    known: dict[str, Tool] = {}
    for tool in tools:
        first = known.setdefault(tool.name, tool)
        if first is not tool and first != tool:
            raise ConfigError(f"two different tools are called {tool.name!r}: give each a name of its own")


def _text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise ConfigError(f"{name} is of the type {type(value).__name__}; it must be text")


def _each(name: str, values: object, kinds: Kinds) -> None:
    if type(values) in _SEQUENCES and kinds.issuperset(map(type, values)):  # type: ignore[call-overload]  # it is one
        return
    if not isinstance(values, Iterable) or isinstance(values, (str, bytes, Mapping, Iterator)):  # it can be read once
        raise ConfigError(f"{name} is of type {type(values).__name__}; it must be a sequence")
    for index, value in enumerate(values):  # an instance of a subclass, or something else
        if not isinstance(value, tuple(kinds)):
            raise ConfigError(f"{name}[{index}] is of type {type(value).__name__}, which cannot be sent")


def is_sent_now(roles: Sequence[Role]) -> list[bool]:
    """Whether each message is one that the user sends now: those of the user after the last assistant or tool message.

    What cannot be sent of them is an error. Elsewhere it becomes a mark: the message is stored, and would fail forever.
    """
    first = len(roles)
    while first and roles[first - 1] not in {"assistant", "tool"}:
        first -= 1
    return [False] * first + [role == "user" for role in roles[first:]]


def images_sent_now(chat: Chat) -> int:
    """How many of the last of `chat.images()` the user sends now; those of system messages in between count, too."""
    flags = is_sent_now([message.role for message in chat.messages])
    first = flags.index(True) if True in flags else len(flags)
    return sum(map(_images, chat.messages[first:]))


def images_of_last_turn(chat: Chat) -> int:
    """How many of the last of `chat.images()` are of the last turn that has any: what came since an assistant spoke."""
    count = 0
    for message in reversed(chat.messages):
        if count and message.role == "assistant":
            break
        count += _images(message)
    return count


def _images(message: Message) -> int:
    return sum(isinstance(part, Image | ImageRef) for part in message.content)
