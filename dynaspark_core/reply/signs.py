"""The outer signs of calls in a reply: tags, fences, markers of other turns — and where they are only quoted.

Patterns and the state of a line; `tags`, `blocks` and `reader` decide what to do when one matches.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

MAX_HELD_CHARACTERS = 24
"""Most characters of plain prose that are held back."""
MAX_INDENT_CHARACTERS = 12
"""Most blanks before a block at the beginning of a line."""


def prefix_pattern(word: str) -> str:
    """A pattern of the word, or of any beginning of it at the end of the text."""
    pattern = ""
    for char in reversed(word):
        pattern = rf"{re.escape(char)}(?:\Z|{pattern})" if pattern else re.escape(char)
    return pattern


def beginning(*atoms: str) -> str:
    """A pattern of any beginning of the sequence of atoms at the end of the text, also of an empty one."""
    pattern = ""
    for atom in reversed(atoms):
        pattern = f"(?:{atom}{pattern})?"
    return rf"{pattern}\Z"


def _any(words: Iterable[str]) -> str:
    return "|".join(map(prefix_pattern, words))


_WORDS = _any(("tool", "turn", "function", "invoke", "think", "scratch", "reasoning", "im_"))
_TAG = rf"<(?=[\s|\\/]{{0,6}}+(?:\Z|(?i:{_WORDS})))"
_SIGNS = rf"\Z|[{{\[]|{prefix_pattern('```')}|{prefix_pattern('~~~')}|\*{{0,2}}+(?:\Z|{prefix_pattern('Action')})"
_BLOCK = rf"\n(?=[ \t]{{0,{MAX_INDENT_CHARACTERS}}}+(?:{_SIGNS}))"
TRIGGER = re.compile(rf"{_TAG}|{_BLOCK}")
"""What may begin a call in text: found in one search."""
TRIGGER_AFTER = re.compile(rf"{_TAG}|\n")
"""What may begin a call after a call, where each line may also begin another's turn."""

_NAMES = (
    r"tool[_\- ]?(?:calls?|uses?|requests?|codes?|invocations?|results?|responses?|outputs?)|function[_\- ]?calls?"
    r"|toolcalls?|tools?|turn|functions?|invoke|think(?:ing)?|scratch[_\-]?pad|reasoning|im_(?:start|end|sep)"
)
_VALUE = r"""(?:"[^"<>]{0,200}"|'[^'<>]{0,200}'|[^\s"'<>{|/]{1,200})"""
TAG = re.compile(
    rf"<[\s|]{{0,4}}(?P<slash>\\?/\s{{0,2}})?(?P<name>(?i:{_NAMES}))(?![A-Za-z0-9_])"
    rf"(?P<rest>(?:[:=]{_VALUE}|\s+[\w:.-]{{1,40}}\s*=\s*{_VALUE})*\s*)(?P<end>[|\s]{{0,3}}/?[|\s]{{0,3}}>|(?=\{{))"
)
"""A whole tag of the families that are known here."""
_BEGUN_REST = r"(?:[:=|/][^<>{]{0,200}|\s{1,4}(?:[\w:.-]{0,40}\s?(?:=[^<>{]{0,240})?))?"
UNDECIDED = re.compile(rf"<[\s|]{{0,4}}\\?/?\s{{0,2}}(?:[A-Za-z_\- ]{{0,18}}|(?i:{_NAMES}){_BEGUN_REST})\Z")
"""The beginning of a tag at the end of the text."""
NAME_ATTRIBUTE = re.compile(r"""(?:\bname\s*=|^[:=])\s*["']?([^"'\s|/]+(?:[^"'\n]*(?=["']))?)""")

_CLOSING = r"(?i:tool[_\- ]?(?:calls?|uses?|requests?|codes?|invocations?)|toolcalls?|function[_\- ]?calls?|tools?)"
CLOSER = re.compile(rf"<[\s|]{{0,4}}\\?/[\s|]{{0,4}}{_CLOSING}\s{{0,4}}\|?\s{{0,4}}>|<{_CLOSING}\|>")
"""The end of an envelope."""
FUNCTION_CLOSER = re.compile(r"<\s{0,4}\\?/\s{0,4}(?i:functions?|invoke)\s{0,4}>")
STOP = re.compile(
    r"<[\s|]{0,4}(?i:tool[_\- ]?calls?)(?:[\s:][^<>{}]{0,32})?>(?=\s{0,8}[{\[<`])"
    r"|<\s{0,4}/?\s{0,4}(?:turn|tool_result|tool_response)(?![\w])"
)
"""What no broken envelope reaches over: the next one, or a marker of another turn."""

EXPLICIT = frozenset({"toolcall", "toolcalls"})
OWN_MARKERS = frozenset({"turn", "toolresult", "toolresults"})
OTHER_MARKERS = frozenset({"toolresponse", "toolresponses", "tooloutput", "tooloutputs", "imstart", "imend", "imsep"})
REASONING = frozenset({"think", "thinking", "scratchpad", "reasoning"})
THOUGHTS = re.compile(
    rf"\s{{0,{MAX_HELD_CHARACTERS}}}+<\s{{0,2}}(think|thinking|scratch_?pad|reasoning)\s{{0,2}}>", re.IGNORECASE
)
_THOUGHTS_NAME = _any(("thinking", "scratchpad", "scratch_pad", "reasoning"))
THOUGHTS_UNDECIDED = re.compile(
    rf"\s{{0,{MAX_HELD_CHARACTERS}}}+(?:\Z|<\s{{0,2}}(?:(?i:{_THOUGHTS_NAME})\s{{0,2}})?\Z)"
)
THOUGHTS_END = re.compile(r"<\s{0,2}\\?/\s{0,2}(think|thinking|scratch_?pad|reasoning)\s{0,2}>", re.IGNORECASE)

_RESULT = r"(?:tool|function)[ _-](?:results?|responses?|outputs?)"
OTHER_TURN = re.compile(
    rf"[ \t]*+[*_#>\s]{{0,6}}(?:(?i:observations?|{_RESULT}|user|human)[*_ ]{{0,3}}:|\#{{2,4}} (?i:user|human)\b"
    rf"|(?:`{{3,}}|~~~)(?i:tool_(?:outputs?|results?|responses?))|\{{\s{{0,2}}\"role\"\s{{0,2}}:)"
)
"""A line with which models begin somebody else's turn."""
OTHER_TURN_UNDECIDED = re.compile(r"[ \t]*+[*_#>\s]{0,6}(?:[OoTtFfUuHh#`~{][^\n]{0,40})?\Z")
"""A line that may still become one."""


def family(tag: re.Match[str]) -> str:
    """The tag's name without case, blanks, dashes and underscores."""
    return _letters(tag["name"])


@lru_cache(maxsize=128)
def _letters(name: str) -> str:
    return "".join(char for char in name.lower() if char.isalpha())


class Line:
    """What stands before a place on its line, as far as it says whether the place is only quoted."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._first = ""
        self._open = 0
        self._end = ""

    def add(self, text: str) -> None:
        """Add text before the place."""
        border = text.rfind("\n")
        if border >= 0:
            self.begin()
            text = text[border + 1 :]
        if text:
            self._pieces.append(text)

    def begin(self, first: str = "") -> None:
        """Begin a new line; also after an envelope, from whose end quotes are counted (then `first` is something)."""
        self._pieces.clear()
        self._first, self._open, self._end = first, 0, ""

    def is_quoted(self) -> bool:
        """Whether what comes next is a quotation: in a quoted or added line, after a quote or an open backtick."""
        self._fold()
        if self._first in {">", "+"} or self._open:
            return True
        is_opening = len(self._end) < 2 or self._end[-2].isspace() or self._end[-2] in "([{=:,>"
        return self._end[-1:] in _QUOTES and is_opening

    def is_begun(self) -> bool:
        """Whether anything but blanks stands before the place."""
        self._fold()
        return bool(self._first)

    def _fold(self) -> None:
        text = "".join(self._pieces)
        self._pieces.clear()
        self._first = self._first or text.lstrip()[:1]
        for run in _BACKTICKS.findall(text):
            self._open = len(run) if not self._open else 0 if len(run) == self._open else self._open
        self._end = (self._end + text)[-2:]


_BACKTICKS = re.compile("`+")
_QUOTES = frozenset("\"'“‘«")  # noqa: RUF001 - opening quotes
