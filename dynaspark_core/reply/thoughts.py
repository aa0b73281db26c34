"""What may lead a reply and is no part of its text: reasoning, and a copy of our own opening line.

Each kind of reasoning is one row: its opener and its closer.
"""

from dynaspark_core.reply.atoms import Atom, Sign, anycase, chars, either, maybe, seq, word, words

_LEAD = chars(r"\s", 0, 24)
_THINK = anycase(words("thinking", "think", "scratchpad", "scratch_pad", "reasoning"))
_GAP = chars(r"\s", 0, 2)
_THINK_BEGIN = seq(word("<"), _GAP, _THINK, _GAP, word(">"))
_THINK_END = seq(word("<"), _GAP, maybe(word("\\")), word("/"), _GAP, _THINK, _GAP, word(">"))

THOUGHTS_BEGIN = Sign(_THINK_BEGIN, "<think>", "</think>", "<thin\u212a>")
THOUGHTS_END = Sign(_THINK_END, "</think>", "<think>", "</thin\u212a>")
"""A lone one says that what came before was reasoning: what was shown stays, calls do not run."""


class _Lead(Sign):
    """A sign that blanks may lead; `bare` is the atom without them."""

    def __init__(self, bare: Atom, example: str, *others: str) -> None:
        super().__init__(seq(_LEAD, bare), example, *others)
        self.bare = bare


THOUGHTS: tuple[tuple[_Lead, Sign], ...] = (
    (_Lead(_THINK_BEGIN, "\n<think>", "</think>", "<thin\u212a>"), THOUGHTS_END),
    (_Lead(word("[THINK]"), "[THINK]", "[think]"), Sign(word("[/THINK]"), "[/THINK]", "[THINK]")),
    (
        _Lead(word("<|START_THINKING|>"), "<|START_THINKING|>", "<|START_ACTION|>"),
        Sign(word("<|END_THINKING|>"), "<|END_THINKING|>", "<|END_ACTION|>"),
    ),
    (
        _Lead(
            seq(maybe(word("<|start|>assistant")), word("<|channel|>analysis<|message|>")),
            "<|channel|>analysis<|message|>", "<|channel|>final<|message|>",
        ),
        Sign(words("<|end|>", "<|return|>"), "<|end|>", "<|call|>"),
    ),
    (
        _Lead(word("<|channel>thought"), "<|channel>thought", "<|channel|>thought"),
        Sign(word("<channel|>"), "<channel|>", "<|channel>"),
    ),
)  # fmt: skip
OPENING = _Lead(
    seq(
        word("<"), chars(r"\s", 0, 4), anycase(word("turn")), chars(r"\s", 1, 4), anycase(word("role")),
        chars(r"\s", 0, 4), word("="), chars(r"\s", 0, 4), chars("[\"'“”]", 0, 1), anycase(word("assistant")),
        chars("[\"'“”]", 0, 1), chars(r"\s", 0, 4), word(">"),
    ),
    '<turn role="assistant">', '<turn role="user">', "<turn>", '<turn role="assistants">',
)  # fmt: skip
"""The line with which our own prompt ends: models repeat it."""
MESSAGE_HEAD = _Lead(
    either(
        seq(maybe(word("<|start|>assistant")), word("<|channel|>"), words("final", "commentary"),
            word("<|message|>")),
        words("<|START_RESPONSE|>", "<|START_TEXT|>", "<|open|>response<|sep|>"),
    ),
    "<|channel|>final<|message|>", "<|channel|>commentary to=functions.f<|message|>",
)  # fmt: skip
"""A vendor's line before the text of an answer."""
LONE_END = _Lead(_THINK_END, "\n</think>", "<think>", "a </think>")
"""The closer of a thought that the prompt's template has begun and the model left empty."""
HEADS = (OPENING, MESSAGE_HEAD, LONE_END)
LEADING = _Lead(
    either(*(opener.bare for opener, _ in THOUGHTS), *(head.bare for head in HEADS)), "<think>", "a <think>"
)
"""All that may lead a reply."""


class Reasoning:
    """The reasoning of a reply so far: thoughts are paragraphs, without the blanks at their ends."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._blanks: list[str] = []
        self._is_begun = False

    def add(self, piece: str) -> str:
        """What can be given of the thought, now that this piece of it has come."""
        piece = piece if self._is_begun else piece.lstrip()
        words = piece.rstrip()
        if not words:
            self._blanks.append(piece)
            return ""
        shown = "".join((*self._blanks, words))
        self._texts.append(shown)
        self._blanks, self._is_begun = [piece[len(words) :]], True
        return shown

    def end(self) -> None:
        """End the thought."""
        self._blanks, self._is_begun = ["\n\n"] if self._texts else [], False

    def __str__(self) -> str:
        return "".join(self._texts)
