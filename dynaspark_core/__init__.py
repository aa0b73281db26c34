"""What the LangChain and the LlamaIndex model share, and a client that needs neither.

       langchain_dynaspark           llama_index_dynaspark      never know each other
               └──────────────┬──────────────┘
     batch     faces → client    server · testing · __main__    edge: I/O, clocks, threads
                   calling                     blocking
     posting   retrying   fetch   sessions
     failures  download  settings   quotas
                         storages   results
  ────────────────────────────────────────────────────────────────────────────────────────
               exchange   repairs                               pure: bytes and values
     prompt   decoding · stops   wire    dictionaries · checks
     tools    jsontext           pacing  content   gate
     schema   answers            models  sources   images
               messages → errors

A conversation with tools, images and schemas becomes one text and one file; one text becomes messages, calls and
objects again. Above the line is all that touches the world; below it everything is values.
"""

from dynaspark_core import errors
from dynaspark_core._version import __version__
from dynaspark_core.client import DynasparkClient
from dynaspark_core.errors import DynasparkError
from dynaspark_core.messages import (
    Chat,
    Done,
    Event,
    Image,
    ImageRef,
    InvalidToolCall,
    Message,
    Reply,
    TextDelta,
    Tool,
    ToolCall,
    Usage,
    Value,
)
from dynaspark_core.prompt import render
from dynaspark_core.tools import ReplyReader, read_object, read_reply

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
