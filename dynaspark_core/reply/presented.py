"""How a reply presents a JSON value: on lines of its own, in a sentence that gives it, or only in passing.

English words decide what a sentence says. A value that is in doubt does not count, and is then asked for again.
"""

import re
from enum import IntEnum
from typing import Any

_CONTEXT_CHARS = 240
"""How much text around a value is looked at, on each side."""
_LEAD_CHARS = 48
"""How much of it may say that the value is given, or that it is none."""
_TAG = r"<(?!/?(?:code|kbd|q|samp|s|del)\b)[^<>\n]{1,60}>"
_DECOR_BEFORE = re.compile(rf"(?:[ \t*_]|{_TAG}|`{{3,}}\w{{0,12}})*+\Z")
"""What may stand before a value on its line: blanks, `**`, `<tool_call>`, ```` ```json ````."""
_DECOR_BEHIND = re.compile(rf"(?:[ \t*_,;.]|{_TAG}|`{{3,}})*+\Z")
_QUOTING = re.compile(r"(?:^|[\s(])[\"'“‘«„`]\Z|<(?:code|kbd|q|samp|s|del)>\Z")  # noqa: RUF001 - all quotes
"""An opening quote or backtick."""
_GIVING = re.compile(
    r"(?:[:=→]|(?:\b|['’])(?:is|are|be|was|s|json|answer|result|output|value|object|list|array))\W{0,4}\Z",  # noqa: RUF001 - quotes
    re.IGNORECASE,
)
"""What gives the value that follows: `The answer is `, `JSON: `, `x = `."""
_UNREAL = re.compile(
    r"(?:\b(?:would|could|might|if|not|never|wrong|invalid|unlike|like|such as|as in|e\.g\.|for (?:example|instance)"
    r"|previous(?:ly)?|placeholder|template|instead of|rather than)\b|n['’]t\b)[^:]{0,24}\Z",  # noqa: RUF001 - quotes
    re.IGNORECASE,
)
"""What says that the value which follows is not the one: `it would be `, `for example `."""
_NOT_MEANT = re.compile(r"\b(?:example|placeholder|template|invalid|wrong|empty)\b", re.IGNORECASE)
"""What says so of the value before it: ` is only an example`."""
_REFUSAL = re.compile(
    r"\b(?:I|we)(?:\s+(?:can ?not|ca?n['’]?t|could ?n[o'’]t|do ?n[o'’]t (?:know|have)|lack|am (?:unable|not able))"  # noqa: RUF001 - quotes
    r"|['’]m (?:unable|not able))\b|\bunable to\b|\bno (?:data|information|idea|answer|knowledge|access|records?)\b",  # noqa: RUF001 - quotes
    re.IGNORECASE,
)
"""`I cannot answer`, `I have no data`."""
_CORRECTION = re.compile(
    r"\b(?:no|wait|better|correct(?:ed|ion|ly|ing)?|instead|actually|really|sorry|oops|rather|final(?:ly)?|should|updated?"
    r"|fixed|revised?|revision|mistake|improved|replace[sd]?|ignore|scratch that|apolog(?:y|ies|i[sz]e))\b",
    re.IGNORECASE,
)
"""`No, better:`, `Correction:`, `it should be`."""
_SENTENCE_END = re.compile(r"[.!?](?:\s|\Z)")


class Standing(IntEnum):
    """What a value in a reply counts for; the lower, the more."""

    BLOCK = 0
    SENTENCE = 1
    MENTION = 2


def standing_of(text: str, start: int, end: int, value: Any, after: int = 0) -> Standing:
    """How the text presents the value between `start` and `end`. `after` is where the value before it ended."""
    before = text[max(0, start - _CONTEXT_CHARS) : start]
    behind = text[end : end + _CONTEXT_CHARS]
    head, tail = before.rpartition("\n")[2], behind.partition("\n")[0]
    if _DECOR_BEFORE.match(head) and _DECOR_BEHIND.match(tail):
        return Standing.BLOCK
    lead = head[max(0, len(head) - (start - after)) :]
    is_mention = (
        value in ({}, [], "")
        or head.lstrip().startswith(">")
        or not _is_given(lead[-_LEAD_CHARS:], tail, value)
        or any(map(_REFUSAL.search, (before, behind)))
    )
    return Standing.MENTION if is_mention else Standing.SENTENCE


def _is_given(lead: str, tail: str, value: Any) -> bool:
    """Whether a sentence gives the value, by the words before and behind it."""
    is_aside = not isinstance(value, dict) or _QUOTING.search(lead) is not None
    if (is_aside and not _GIVING.search(lead)) or _UNREAL.search(lead):
        return False
    return not _NOT_MEANT.search(_SENTENCE_END.split(tail, maxsplit=1)[0])


def corrects(text: str) -> bool:
    """Whether the text between two values says that the second one replaces the first."""
    return (
        _CORRECTION.search(text[:_CONTEXT_CHARS]) is not None or _CORRECTION.search(text[-_CONTEXT_CHARS:]) is not None
    )
