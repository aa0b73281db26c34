"""How a reply presents a JSON value: on lines of its own, in a sentence that gives it, or only in passing.

Words decide what a sentence says: English ones here, those of other languages in `phrases`. A value that is in doubt
does not count, and is then asked for again.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from enum import IntEnum
from functools import cached_property
from typing import Any

from dynaspark_core.reply.phrases import EXAMPLE, EXAMPLE_LINE, LABEL, REFUSAL, REQUEST

_EMPTY: tuple[Any, ...] = ({}, [], "")
_QUOTES = " \t\"'`"
_CONTEXT_CHARS = 240
"""How much text around a value is looked at, on each side."""
_SHOWN_CHARS = 140
"""How much before a block, with its fence."""
_LINE_CHARS = 80
"""How much of the line above a block may say that it shows a form."""
_LEAD_CHARS = 48
"""How much of it may say that the value is given, or that it is none."""
_TAG = r"<(?!/?(?:code|kbd|q|samp|s|del|example)\b)[^<>\n]{1,60}>"
_DECOR_BEFORE = re.compile(rf"(?:[ \t*_]|{_TAG}|`{{3,}}\w{{0,12}})*+\Z")
"""What may stand before a value on its line: blanks, `**`, `<tool_call>`, ```` ```json ````."""
_DECOR_BEHIND = re.compile(rf"(?:[ \t*_,;.]|{_TAG}|`{{3,}})*+\Z")
_QUOTING = re.compile(r"(?:^|[\s(])[\"'“‘«„`]\Z|<(?:code|kbd|q|samp|s|del|example)>\Z")  # noqa: RUF001 - all quotes
"""An opening quote or backtick."""
_GIVING = re.compile(
    r"(?:[:=→]|(?:\b|['’])(?:is|are|be|was|s|json|answer|result|output|value|object|list|array))\W{0,4}\Z",  # noqa: RUF001 - quotes
    re.IGNORECASE,
)
"""What gives the value that follows: `The answer is `, `JSON: `, `x = `."""
_OR = re.compile(r"\s*(?:,\s*)?or\W{0,4}\Z", re.IGNORECASE)
"""What gives a second value as well as the first: ` or `."""
_CITING = re.compile(
    r"\b(?:see(?: also)?|cf\.?|sources?|ref(?:erence)?s?|footnotes?|citations?)\W{0,4}\Z", re.IGNORECASE
)
"""What gives numbers of sources: `Sources: [1, 2]`."""
_SHOWING = re.compile(
    r"\b(?:example|sample|e\.g\.|(?:would|could|might)(?! ?n[o'’]t)|hypothetical(?:ly)?"  # noqa: RUF001 - quotes
    r"|template|placeholder|illustration|looks? like|such as"
    r"|(?:format|schema|shape)(?: is| looks|[ \t]*:)"
    r"|(?<!\bwas )(?<!\bwere )(?:wrong|invalid|incorrect|not)(?:[ \t]\w+)?[ \t]*:"
    r"|(?:not|never|n['’]t)"  # noqa: RUF001 - quotes
    r"(?: (?:to|do|answer|write|return|reply|respond|use|output|send|this|that|it|like|so|one|with))*:)"
    r"[^\n]{0,60}\n\s*+(?:(?:`{3,}+|~{3,}+)[^\n`]*+\n\s*+)?\Z",
    re.IGNORECASE,
)
"""The line above a block that says it is shown for its form: `It would look like this:`, `Format:`, `Not:`."""
_UNREAL = re.compile(
    r"(?:\b(?:would|could|might|if|not|never|wrong|invalid|incorrect|unlike|like|such as|as in|e\.g"
    r"|for (?:example|instance)|previous(?:ly)?|placeholder|template|instead of|rather than|imagine)\b"
    r"|n['’]t\b)[^:]{0,24}\Z",  # noqa: RUF001 - quotes
    re.IGNORECASE,
)
"""What says that the value which follows is not the one: `it would be `, `for example `."""
_DENIED = re.compile(
    r"(?:^|[\s(*_])(?<!\bwas )(?<!\bwere )(?:wrong|invalid|incorrect|not)(?:[ \t]\w+)?[ \t*_]*:\W{0,4}\Z"
    r"|[❌✗✘]\W{0,3}\Z",
    re.IGNORECASE,
)
"""What names it so: `Invalid: `, `❌ `. What `was` wrong is the value before it."""
_NOT_MEANT = re.compile(
    r"\b(?:example|placeholder|template|invalid|wrong|incorrect|empty|previous one)\b", re.IGNORECASE
)
"""What says so of the value before it: ` is only an example`."""
_REFUSAL = re.compile(
    r"(?:\A|[.!?]\s+)can(?:not|['’]t)\b"  # noqa: RUF001 - quotes
    r"|\b(?:nor|nothing(?: was)? found|found nothing|nothing (?:can|could) be"
    r"|not (?:given|provided|enough)|insufficient"
    r"|(?:do|does|did)(?: no|n['’])t (?:mention|contain|say|include|provide|specify|state|give))\b"  # noqa: RUF001 - quotes
    r"|\b(?:I|we)(?:\s+(?:can ?not|ca?n['’]?t|could ?n[o'’]t|do ?n[o'’]t (?:know|have)|lack|am (?:unable|not able))"  # noqa: RUF001 - quotes
    r"|['’]m (?:unable|not able))\b|\bunable to\b|\bno (?:data|information|idea|answer|knowledge|access|records?)\b",  # noqa: RUF001 - quotes
    re.IGNORECASE,
)
"""`I cannot answer`, `I have no data`, `The text does not say`."""
_REQUEST = re.compile(
    r"\b(?:(?:please|(?:could|can|would|will) you(?: please)?) (?:provide|share|send|paste|upload|attach|supply)"
    r"|(?:send|provide|give) (?:me|us) (?:the|your|more)"
    r"|I(?:['’]ll| will| would|['’]d)? need (?:the|your|more)"  # noqa: RUF001 - quotes
    r"|no (?:text|input|document|image|file|data|details?)[^.!?\n]{0,20}\b(?:given|provided|attached|supplied))\b",
    re.IGNORECASE,
)
"""`Please provide the text`, `no text was given`: what is shown beside it is only the form of an answer."""
_JOINT = re.compile(r"\W{0,4}(?:[,;/]|\b(?:and|or|und|oder|et|ou|y|o|e)\b)\W{0,4}")
"""What joins a value to the one before it: ` or `."""
_CALLED = re.compile(
    r"[\s`~()*_]*+(?:this|that|it|the above)\b(?:[^.!?\n]{0,30}\b(?:example|sample|placeholder|template|illustration)\b"
    r"|(?! (?:would|could|might)\b)[^.!?\n]{0,30}\b(?:wrong|invalid|incorrect)\b)",
    re.IGNORECASE,
)
"""What says behind a block that it is no more, or wrong: `This is only a sample`."""
_ASKING = re.compile(r"[\"'`)*]{0,3}\?|(?!\W{0,4}\s[A-Z])[^.!?\n]{0,80}\?")
"""The rest of a question; a capital begins a sentence of its own."""
_CORRECTION = re.compile(
    r"\b(?:no(?=\s*[,.:;!—–-]|,? wait)|wait|better|correct(?:ed|ion|ly|ing)?|instead|actually|really"  # noqa: RUF001 - dashes
    r"|sorry(?=\s*[,.:;!—–-]|\s+for\b)|oops|rather|final(?=\s*:|\s+(?:answer|version|result|json|value|object|output)\b)"  # noqa: RUF001 - dashes
    r"|should (?:be|have|read)|second thoughts?|updated?|fixed|fix (?:it|that|this)|revised?|revision|mistake|improved"
    r"|replace[sd]?|ignore|scratch that|apolog(?:y|ies|i[sz]e)|(?:was|were) (?:wrong|invalid|incorrect))\b",
    re.IGNORECASE,
)
"""`No, better:`, `Correction:`, `it should be`."""
_ADDITION = re.compile(
    r"\b(?:also|additional(?:ly)?|alternatively|another(?! (?:try|attempt|go)\b)|second(?! thought)|third|or"
    r"|no (?:changes?|corrections?|mistakes?))\b",
    re.IGNORECASE,
)
"""What says that the later value comes on top of the earlier one, whatever the words of a correction."""
_SENTENCE_END = re.compile(r"[.!?](?:\s|\Z)")


class Standing(IntEnum):
    """What a value in a reply counts for; the lower, the more."""

    BLOCK = 0
    SENTENCE = 1
    EXAMPLE = 2
    MENTION = 3


class Presentation:
    """How a text presents the values in it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._last = 0, Standing.BLOCK

    def of(self, start: int, end: int, value: Any, after: int = 0) -> Standing:
        """What the value between `start` and `end` counts for, not more than one to which it is joined.

        `after` is where the value before it ended.
        """
        standing = self._of(start, end, value, after)
        last_end, last = self._last
        if last_end == after and last is not Standing.BLOCK and _JOINT.fullmatch(self._text, after, start):
            standing = max(standing, last)
        self._last = end, standing
        return standing

    def _of(self, start: int, end: int, value: Any, after: int) -> Standing:
        before, behind = self._around(start, end)
        head, tail = before.rpartition("\n")[2], behind.partition("\n")[0]
        if _DECOR_BEFORE.match(head) and _DECOR_BEHIND.match(tail):
            return self._of_block(start, end, value)
        lead = head[max(0, len(head) - (start - after)) :][-_LEAD_CHARS:]
        is_mention = (
            value in _EMPTY
            or head.lstrip().startswith(">")
            or not _is_given(lead, tail, value, is_alone=not (head.strip(_QUOTES) or tail.strip(_QUOTES)))
            or self._is_refused(start, end)
        )
        if is_mention:
            return Standing.MENTION
        return self._shown(start, end) if LABEL.search(lead) else Standing.SENTENCE

    def _shown(self, start: int, end: int) -> Standing:
        """What one counts for that is shown for its form: nothing where the reply asks for what it needs."""
        return Standing.MENTION if _is_near(self._requests, start, end) else Standing.EXAMPLE

    def of_block(self, start: int, end: int, value: Any) -> Standing:
        """What one on lines of its own, or in a fence, counts for: less if it shows a form or stands by a refusal."""
        standing = self._of_block(start, end, value)
        self._last = end, standing
        return standing

    def _of_block(self, start: int, end: int, value: Any) -> Standing:
        before, behind = self._around(start, end)
        before = before[max(0, len(before) - (start - self._last[0])) :]  # words before another value announce that one
        line = _line_above(before)
        is_named = any(map(str.isalpha, line)) and (
            _SHOWING.search(before[-_SHOWN_CHARS:]) or EXAMPLE_LINE.search(line)
        )
        is_shown = bool(is_named or _CALLED.match(behind))
        if (is_shown or value in _EMPTY) and self._is_refused(start, end):
            return Standing.MENTION
        return self._shown(start, end) if is_shown else Standing.BLOCK

    def _around(self, start: int, end: int) -> tuple[str, str]:
        return self._text[max(0, start - _CONTEXT_CHARS) : start], self._text[end : end + _CONTEXT_CHARS]

    @cached_property
    def _refusals(self) -> Sequence[tuple[int, int]]:
        """Where each refusal begins and ends; found once, as many values may be near one."""
        return self._found(_REFUSAL, REFUSAL)

    @cached_property
    def _requests(self) -> Sequence[tuple[int, int]]:
        """Where each request for what is missing begins and ends."""
        return self._found(_REQUEST, REQUEST)

    def _found(self, *patterns: re.Pattern[str]) -> Sequence[tuple[int, int]]:
        return sorted(found.span() for words in patterns for found in words.finditer(self._text))

    def _is_refused(self, start: int, end: int) -> bool:
        """Whether there is a refusal near."""
        return _is_near(self._refusals, start, end)


def _is_near(spans: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    """Whether one of these places is near the value, before or behind it."""
    before = bisect_left(spans, (start - _CONTEXT_CHARS, 0))
    behind = bisect_left(spans, (end, 0))
    is_before = before < len(spans) and spans[before][1] <= start
    return is_before or (behind < len(spans) and spans[behind][1] <= end + _CONTEXT_CHARS)


def _is_given(lead: str, tail: str, value: Any, *, is_alone: bool) -> bool:
    """Whether a sentence gives the value, by the words before and behind it."""
    is_list = not isinstance(value, dict)
    is_aside = not is_alone and (is_list or _QUOTING.search(lead) is not None)
    if is_aside and not (_GIVING.search(lead) or _OR.match(lead)):
        return False
    if any(words.search(lead) for words in (_UNREAL, EXAMPLE, _DENIED)) or (is_list and _CITING.search(lead)):
        return False
    if _ASKING.match(tail):
        return False
    return not _NOT_MEANT.search(_SENTENCE_END.split(tail, maxsplit=1)[0])


def _line_above(before: str) -> str:
    """The last line before a block and its fence, from its end on as much as may name the block."""
    above = before[: before.rfind("\n") + 1].rstrip()
    line = above.rpartition("\n")[2]
    if line.lstrip().startswith(("```", "~~~")):
        line = above[: -len(line)].rstrip().rpartition("\n")[2]
    return line[-_LINE_CHARS:]


def adds(text: str) -> bool:
    """Whether the text between two values says that the second one comes on top of the first."""
    return _ADDITION.search(f"{text[:_CONTEXT_CHARS]}\n{text[-_CONTEXT_CHARS:]}") is not None


def corrects(text: str) -> bool:
    """Whether the text between two values says that the second one replaces the first."""
    near = f"{text[:_CONTEXT_CHARS]}\n{text[-_CONTEXT_CHARS:]}"
    return _CORRECTION.search(near) is not None and _ADDITION.search(near) is None
