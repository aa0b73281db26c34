"""The outer signs of calls in a reply: tags, reasoning, the markers and lines of other turns.

Patterns only, each with an example of what it matches and of what it must not; `tags`, `blocks` and `reader` decide
what to do when one matches.
"""

# ruff: noqa: RUF001 - other vendors' tokens are written with full-width bars

import re
from functools import lru_cache

from dynaspark_core.reply.atoms import (
    MAX_INDENT_CHARACTERS,
    Atom,
    Sign,
    ahead,
    anycase,
    chars,
    either,
    group,
    many,
    maybe,
    run,
    seq,
    unless,
    word,
    words,
)  # fmt: skip

BARS = r"[\s|｜]"
SPACE = chars(r"\s", 0, 4)
NAMESPACE = either(
    seq(word("DSML"), chars("[|｜]", 1, 1), chars(r"\s", 0, 1)),
    seq(chars("[A-Za-z]", 1, 1), chars(r"[\w.\-]", 0, 23), word(":")),
    word("longcat_"),
)
"""A vendor's prefix of a tag: `<ns:invoke>`, `<｜DSML｜invoke>`, `<longcat_tool_call>`."""
_LINK = chars(r"[_\- ]", 0, 1)
_RESULT = seq(words("result", "response", "output"), maybe(word("s")))
_NAMES = anycase(
    either(
        seq(
            word("tool"), _LINK,
            either(seq(words("call", "use", "request", "code", "invocation"), maybe(word("s"))), _RESULT),
        ),
        seq(word("function"), _LINK, either(seq(word("call"), maybe(word("s"))), _RESULT)),
        seq(word("invoke"), _LINK, _RESULT),
        seq(words("tool", "function"), maybe(word("s"))),
        words("turn", "invoke", "calls", "thinking", "think", "scratchpad", "scratch_pad", "scratch-pad", "reasoning"),
        words("observations", "observation"),
        _RESULT,
    )
)  # fmt: skip
_VALUE = either(
    seq(word('"'), chars('[^"<>]', 0, 200), word('"')),
    seq(word("'"), chars("[^'<>]", 0, 200), word("'")),
    seq(word("“"), chars("[^”<>]", 0, 200), word("”")),
    run(r"""(?:[^\s"'“<>{|/:=]|[:=](?!["'“]))""", 1, 200),
)
_ATTRIBUTE = either(
    seq(chars("[:=]", 1, 1), _VALUE),
    seq(chars(r"\s", 1, 4), chars(r"[\w:.\-]", 1, 40), SPACE, word("="), SPACE, _VALUE),
)
_BAR = chars(rf"{BARS}", 0, 3)
TAG = Sign(
    seq(
        word("<"),
        chars(BARS, 0, 4),
        group("slash", maybe(seq(maybe(word("\\")), word("/"), chars(BARS, 0, 2)))),
        maybe(NAMESPACE),
        group("name", _NAMES),
        unless("[A-Za-z0-9_]"),
        group("rest", seq(many(_ATTRIBUTE), SPACE)),
        group("end", either(seq(_BAR, maybe(word("/")), _BAR, word(">")), ahead(word("{")))),
    ),
    '<tool_call id="c1">', "<tool_callſ>", "<table>", "<turnstile>", "<thinker>",
)  # fmt: skip
"""A whole tag of the families that are known here."""
NAME_ATTRIBUTE = re.compile(r"""(?:\bname\s*=|^[:=])\s*["'“]?([^"'”\s|/]+(?:[^"'”\n]*(?=["'”]))?)""")
ATTRIBUTES = re.compile(r"""\s([\w.:\-]{1,40})\s{0,4}=\s{0,4}(?:"[^"]*"|'[^']*'|[^\s"'>]+)""")
"""Each attribute of a tag, in what `TAG` calls its rest."""
IDENTITY = frozenset(("name", "id", "type", "index", "call_id", "tool_call_id"))
"""Attributes that say which call it is, and no argument of it."""

_WORDS = anycase(
    words("tool", "turn", "function", "invoke", "calls", "think", "scratch", "reasoning", "observ", "result", "respon",
          "output")
)  # fmt: skip
_TAG_BEGINS = seq(chars(r"[\s|｜\\/]", 0, 10), maybe(NAMESPACE), _WORDS)
_CLOSING = anycase(
    either(
        seq(word("tool"), _LINK, words("call", "use", "request", "code", "invocation"), maybe(word("s"))),
        seq(word("function"), _LINK, word("call"), maybe(word("s"))),
        seq(word("tool"), maybe(word("s"))),
        word("calls"),
    )
)
CLOSER = Sign(
    either(
        seq(word("<"), chars(BARS, 0, 4), maybe(word("\\")), word("/"), chars(BARS, 0, 4), maybe(NAMESPACE), _CLOSING,
            chars(BARS, 0, 4), word(">")),
        seq(word("<"), _CLOSING, word("|>")),
    ),
    "</tool_call>", "<tool_call>", "</tool_result>", "</turn>",
)  # fmt: skip
"""The end of an envelope."""
FUNCTION_CLOSER = Sign(
    seq(word("<"), chars(BARS, 0, 4), maybe(word("\\")), word("/"), chars(BARS, 0, 4), maybe(NAMESPACE),
        anycase(either(seq(word("function"), maybe(word("s"))), word("invoke"))), SPACE, word(">")),
    "</function>", "</tool_call>", "<function=f>",
)  # fmt: skip
MARKER = Sign(
    seq(word("<"), SPACE, maybe(word("/")), SPACE, anycase(words("turn", "tool_results", "tool_result",
        "tool_responses", "tool_response")), unless(r"[\w\-]")),
    "</turn", "<turnstile>", "<tool_call>",
)  # fmt: skip
"""A marker of another turn."""
NEXT_CALL = Sign(
    seq(word("<"), chars(BARS, 0, 4), maybe(NAMESPACE),
        anycase(seq(word("tool"), _LINK, word("call"), maybe(word("s")))),
        maybe(seq(chars(r"[\s:]", 1, 1), chars("[^<>{}]", 0, 32))), word(">"),
        ahead(seq(chars(r"\s", 0, 8), chars(r"[{\[<`]", 1, 1)))),
    "<tool_call>\n{", "<tool_call> is a tag", "</tool_call>",
)  # fmt: skip
STOP = Sign(either(MARKER.atom, NEXT_CALL.atom), "<turn ", "<turnstile>", "<tool_call> hm")
"""What no broken envelope reaches over: the next one, or a marker of another turn."""

EXPLICIT = frozenset({"toolcall", "toolcalls"})
OWN_MARKERS = frozenset({"turn", "toolresult", "toolresults"})
RESULTS = frozenset(
    f"{kind}{word}{plural}"
    for kind in ("", "tool", "function", "invoke") for word in ("result", "response", "output") for plural in ("", "s")
) | {"observation", "observations"}  # fmt: skip
"""Tags with which models begin a result that they made up; after a call, what follows is not theirs to write."""
REASONING = frozenset({"think", "thinking", "scratchpad", "reasoning"})
FUNCTIONS = frozenset({"function", "functions", "invoke"})

_LABEL = anycase(
    either(
        seq(words("tool", "function"), chars("[ _-]", 1, 1), words("result", "response", "output"), maybe(word("s"))),
        seq(words("observation", "output", "response", "result"), maybe(word("s"))),
        words("user", "human", "assistant", "system"),
    )
)
OTHER_TURN = Sign(
    seq(
        run(r"[ \t]", 0, 40),
        chars(r"[*_#>\s]", 0, 6),
        either(
            seq(_LABEL, chars("[*_ ]", 0, 3), word(":")),
            seq(word("#"), chars("#", 1, 3), word(" "), anycase(words("user", "human")), unless(r"\w")),
            seq(words("```", "~~~"), chars("`", 0, 9), anycase(seq(words("tool_output", "tool_result", "tool_response"),
                maybe(word("s"))))),
            seq(word("{"), chars(r"\s", 0, 2), word('"role"'), chars(r"\s", 0, 2), word(":"), chars(r"\s", 0, 2),
                word('"'), words("tool", "user", "function", "system")),
        ),
    ),
    "**Observation:**", "Outputs are shown.", "The user: x", "Users:",
)  # fmt: skip
"""A line with which models begin somebody else's turn."""

_BLOCKS = either(
    chars(r"[{\[]", 1, 1), word("```"), word("~~~"), seq(chars(r"\*", 0, 2), word("Action")),
    seq(anycase(word("json")), chars("[ \t]", 0, 9), chars(r"[\r\n]", 1, 1)),
)  # fmt: skip
_BLOCK = seq(chars("[ \t]", 0, MAX_INDENT_CHARACTERS), _BLOCKS)


def _follows(atom: Atom) -> str:
    return f"(?={atom.whole}|{atom.begun})"


def trigger(vendors: str, line: str) -> re.Pattern[str]:
    """What may begin a call, as one search: a tag, a vendor's token, or a line that begins with a sign."""
    return re.compile(rf"<{_follows(_TAG_BEGINS)}|{vendors}|\n{line}")


LINE_BEGINS = _follows(_BLOCK)


def family(tag: re.Match[str]) -> str:
    """The tag's name without case, blanks, dashes and underscores."""
    return _letters(tag["name"])


@lru_cache(maxsize=128)
def _letters(name: str) -> str:
    return "".join(char for char in name.lower() if char.isalpha())
