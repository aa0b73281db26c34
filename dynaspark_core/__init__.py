"""What the LangChain and the LlamaIndex model share, and a client that needs neither.

       langchain_dynaspark           llama_index_dynaspark      never know each other
               └──────────────┬──────────────┘
     __main__ → doctor     testing                              what people start
     frameworks → client       batch       server               edge: I/O, clocks, threads
                  transport
  ────────────────────────────────────────────────────────────────────────────────────────
     exchange     repair                                        pure: bytes and values
     prompt       reply        wire        content
                  schema       images
     errors       models       messages

A conversation with tools, images and schemas becomes one text and one file; one text becomes messages, calls and
objects again. Above the line is all that touches the world; below it everything is values.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dynaspark_core import errors
from dynaspark_core._version import __version__
from dynaspark_core.client import DynasparkClient
from dynaspark_core.errors import DynasparkError
from dynaspark_core.exchange import Preview
from dynaspark_core.messages import (
    Chat,
    Done,
    Event,
    Image,
    ImageRef,
    InvalidToolCall,
    Message,
    ReasoningDelta,
    Reply,
    TextDelta,
    Tool,
    ToolCall,
    Usage,
    Value,
)
from dynaspark_core.prompt.render import render

if TYPE_CHECKING:
    from dynaspark_core.reply.reader import ReplyReader, read_reply
    from dynaspark_core.reply.value import read_object

__all__ = [
    "Chat",
    "Done",
    "DynasparkClient",
    "DynasparkError",
    "Event",
    "Image",
    "ImageRef",
    "InvalidToolCall",
    "Message",
    "Preview",
    "ReasoningDelta",
    "Reply",
    "ReplyReader",
    "TextDelta",
    "Tool",
    "ToolCall",
    "Usage",
    "Value",
    "__version__",
    "errors",
    "read_object",
    "read_reply",
    "render",
]

_LATE = {"ReplyReader": "reader", "read_object": "value", "read_reply": "reader"}
"""What is imported when it is asked for, as it costs more than all else; and the module of `reply` that has it."""


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"dynaspark_core.reply.{_LATE[name]}"), name)
