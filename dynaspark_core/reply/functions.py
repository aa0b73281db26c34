"""Whether the tag of a function is meant as a call: what follows it, where prose does not."""

from dynaspark_core.reply.atoms import END, Sign, anycase, chars, either, group, maybe, seq, word, words
from dynaspark_core.reply.buffer import ReplyBuffer
from dynaspark_core.reply.held import Waiting
from dynaspark_core.reply.signs import BARS, NAMESPACE

FUNCTION_BODY = Sign(
    seq(chars(r"\s", 0, 24), either(word("{"), seq(word("<"), chars(BARS, 0, 3), maybe(word("/")), chars(BARS, 0, 3),
        maybe(NAMESPACE), anycase(words("param", "arg", "function", "invoke"))), END)),
    "\n<parameter", " to call it",
)  # fmt: skip
"""What follows the tag of a function that is called, not spoken of."""
ELEMENT = Sign(
    seq(
        chars(r"\s", 0, 24), word("<"), group("key", seq(chars("[A-Za-z_]", 1, 1), chars(r"[\w\-]", 0, 127))), word(">")
    ),
    "\n<city>",
    "</city>",
)
TOOL_NAME = Sign(
    seq(chars(r"\s", 0, 24), word("<tool_name>"), chars(r"\s", 0, 9), group("name", chars(r"[\w.\-/:]", 1, 128)),
        chars(r"\s", 0, 9), word("</tool_name>")),
    "\n<tool_name>f</tool_name>", "<tool_name>",
)  # fmt: skip


def is_meant_as_call(buffer: ReplyBuffer, name: str, begin: int) -> Waiting:
    """Whether a tag is that of a known tool whose arguments follow."""
    if buffer.judge.names.find(name) is None:
        return False
    for sign in (FUNCTION_BODY, TOOL_NAME):
        if (yield from buffer.match(sign, begin)) is not None:
            return True
    element = yield from buffer.match(ELEMENT, begin)
    return element is not None and buffer.judge.takes(name, element["key"])
