"""A model's control tokens, and how text is kept from producing them. Pure text.

A vocabulary may hold `<|im_end|>` or `<tool_call>` as one token, and the tokenizer finds it anywhere in a text. So a
user could end a turn of the template; and a model that never learned its token for one of our markers cannot read the
marker. A text that is cut inside each of them, and encoded piece by piece, holds ordinary tokens only.
"""

import re
from collections.abc import Iterable

_SHAPE = re.compile(r"([<\[]\W*)(\w\S*[>\]])")
"""`<|im_start|>`, `</s>`, `<tool_call>`, `[INST]`, `[|user|]`: what stands before the first letter, and the rest."""
_MARK = "\ufdd0"
"""Unicode reserves this character for such marks; it is no character of any text."""


class ControlTokens:
    """The entries of a vocabulary (UTF-8) that look like markup; ordinary ones among them do no harm."""

    def __init__(self, vocabulary: Iterable[bytes]) -> None:
        parts = (_SHAPE.fullmatch(entry.decode(errors="ignore")) for entry in vocabulary if entry[:1] in {b"<", b"["})
        tokens = sorted(found.groups() for found in parts if found)
        any_of = "|".join(f"{re.escape(head)}(?={re.escape(rest)})" for head, rest in tokens)
        self._heads = re.compile(any_of or r"(?!)")

    def mark(self, texts: Iterable[str]) -> str:
        """A mark that none of the texts holds."""
        mark = _MARK
        while any(mark in text for text in texts):
            mark += _MARK
        return mark

    def marked(self, text: str, mark: str) -> str:
        """The text with the mark inside each control token, before its first letter."""
        return self._heads.sub(lambda found: found[0] + mark, text)
