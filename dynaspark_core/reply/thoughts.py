"""What may lead a reply and is no part of its text: reasoning, and a copy of our own opening line.

Each kind of reasoning is one row: its opener and its closer.
"""

from dynaspark_core.reply.atoms import Sign, anycase, chars, either, maybe, seq, word, words

_LEAD = chars(r"\s", 0, 24)
_THINK = anycase(words("thinking", "think", "scratchpad", "scratch_pad", "reasoning"))
_GAP = chars(r"\s", 0, 2)
_THINK_END = seq(word("<"), _GAP, maybe(word("\\")), word("/"), _GAP, _THINK, _GAP, word(">"))

THOUGHTS_END = Sign(_THINK_END, "</think>", "<think>", "</thin\u212a>")
"""A lone one, too, says that what came before was reasoning."""
THOUGHTS: tuple[tuple[Sign, Sign], ...] = (
    (Sign(seq(_LEAD, word("<"), _GAP, _THINK, _GAP, word(">")), "\n<think>", "</think>", "<thin\u212a>"), THOUGHTS_END),
    (Sign(seq(_LEAD, word("[THINK]")), "[THINK]", "[think]"), Sign(word("[/THINK]"), "[/THINK]", "[THINK]")),
    (
        Sign(seq(_LEAD, word("<|START_THINKING|>")), "<|START_THINKING|>", "<|START_ACTION|>"),
        Sign(word("<|END_THINKING|>"), "<|END_THINKING|>", "<|END_ACTION|>"),
    ),
    (
        Sign(
            seq(_LEAD, maybe(word("<|start|>assistant")), word("<|channel|>analysis<|message|>")),
            "<|channel|>analysis<|message|>", "<|channel|>final<|message|>",
        ),
        Sign(words("<|end|>", "<|return|>"), "<|end|>", "<|call|>"),
    ),
    (
        Sign(seq(_LEAD, word("<|channel>thought")), "<|channel>thought", "<|channel|>thought"),
        Sign(word("<channel|>"), "<channel|>", "<|channel>"),
    ),
)  # fmt: skip
OPENING = Sign(
    seq(
        _LEAD, word("<"), chars(r"\s", 0, 4), anycase(word("turn")), chars(r"\s", 1, 4), anycase(word("role")),
        chars(r"\s", 0, 4), word("="), chars(r"\s", 0, 4), chars("[\"'“”]", 0, 1), anycase(word("assistant")),
        chars("[\"'“”]", 0, 1), chars(r"\s", 0, 4), word(">"),
    ),
    '<turn role="assistant">', '<turn role="user">', "<turn>", '<turn role="assistants">',
)  # fmt: skip
"""The line with which our own prompt ends: models repeat it."""
MESSAGE_HEAD = Sign(
    seq(
        _LEAD,
        either(
            seq(maybe(word("<|start|>assistant")), word("<|channel|>"), words("final", "commentary"),
                word("<|message|>")),
            word("<|START_RESPONSE|>"), word("<|START_TEXT|>"),
        ),
    ),
    "<|channel|>final<|message|>", "<|channel|>commentary to=functions.f<|message|>",
)  # fmt: skip
"""A vendor's line before the text of an answer."""
HEADS = (OPENING, MESSAGE_HEAD)
LEADING = Sign(either(*(opener.atom for opener, _ in THOUGHTS), *(head.atom for head in HEADS)), "<think>", "a <think>")
"""All that may lead a reply."""
