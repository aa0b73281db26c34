"""Tools over a text-only channel: how they are asked for in a prompt, and how calls are read back from a reply.

    prompt   section (what is said of tools) · compact (schemas) · history (past calls) · markers (escaping) · repair
    reading  reader → tagged · blocks · react → values · heads → reading · watch · envelopes
    calls    calls (what may run) · objects, pythonic, xml (shapes) → json_values → lenient → strings
    answers  one JSON value of a schema

No I/O, and nothing is raised for what a model wrote, but for `OutputError` from `read_object`.
"""

from dynaspark_core.tools.answers import read_object
from dynaspark_core.tools.compact import compact
from dynaspark_core.tools.reader import ReplyReader, read_reply
from dynaspark_core.tools.repair import repair_chat, untrusted_texts
from dynaspark_core.tools.section import offered, tool_section, value_section

__all__ = [
    "ReplyReader",
    "compact",
    "offered",
    "read_object",
    "read_reply",
    "repair_chat",
    "tool_section",
    "untrusted_texts",
    "value_section",
]
