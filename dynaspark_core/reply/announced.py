"""What the line above a call says where the call is only shown: an example, a form, one that is wrong or refused.

Patterns only. A line ends with a colon, and the patterns are held against what stands before it. `context` asks.
"""

# ruff: noqa: RUF001 - letters and quotes of other languages

import re

_EXAMPLE = (
    r"(?i:\b(?:examples?|e\.\s?g\.|for instance|beispiel\w*|z\.\s?b\.|exemples?|ejemplos?|exemplos?|esempi\w*"
    r"|voorbeeld\w*|przykład\w*|пример\w*|например)|例(?:えば|如|子)?|たとえば|比如|예(?:를 들어|를 들면|시)?)"
)
_LIKE = r"\b(?:aussehen|sähe|wäre|ressemblerai\w*|serait|sería|seria|sarebbe|uitzien|выгляд\w*)\b"
"""What says how a call or a value would look."""
_WOULD_BE = r"\bwould be(?!(?: (?!the\b|this\b)[\w'-]+){0,4} to\b| (?!(?:some|no|any)thing\b)\w+ing\b)(?=[^.!?。,]*\Z)"
"""`This would be the call`; not `The next step would be to look`."""
_LOOKS = (
    r"\b(?:looks? like (?:this|so)|(?:sieht|sehen) (?:so|wie folgt|folgendermaßen) aus|ressemble(?:nt)? à (?:ceci|cela)"
    r"|se ven? así|si presenta così|fica assim)\W*+\Z|格式如下"
)
_WORDS_FOR_IT = (
    r"(?: (?:this|that|it|the|these|such|an?|my|any|following|like|as|so|follows|something|json|calls?|blocks?|tools?"
    r"|functions?|commands?|instructions?)\b)*+\W*+\Z"
)
_WRITTEN = (
    r"\bexactly like this\b[^.!?。]*+\Z"
    rf"|(?:\b(?:would|could|might)|['’]d) (?:write|send|emit|issue|output){_WORDS_FOR_IT}"
)
"""`exactly like this, and stop`, as our own prompt says, which models quote; `In that case I would write`."""
_DENIED = (
    r"\A\W*+(?:wrong|incorrect|invalid|bad|falsch|faux|incorrecto)\W*+\Z"
    r"|\b(?:(?:must|should|will|shall|would|do|may)(?: not|n['’]t)|won['’]t|never(?: to)?|not to|to not|refuse to)"
    rf" (?:do|send|write|run|call|make|execute|issue|repeat|follow|use){_WORDS_FOR_IT}"
)
"""`Wrong`, `which I will not run`, `Never send this`."""
EXAMPLE_ALONE = re.compile(rf"\A(?!\s*</)\W*+{_EXAMPLE}\W*+\Z|(?i:\be\.\s?g\.)\W*+\Z")
"""A line that is no more than the word for an example; it needs no colon."""
ANNOUNCED = re.compile(
    rf"{_EXAMPLE}|(?i:looks? like|{_WOULD_BE}|{_WRITTEN}|{_DENIED}|{_LOOKS}|{_LIKE}"
    r"|(?:syntax|format|sample|template|(?<!was )(?<!were )(?:wrong|incorrect))[^.!?。]*+\Z)"
)
"""What announces an example."""
ANNOUNCED_CLOSELY = re.compile(
    rf"{_EXAMPLE}\W*+\Z|(?i:\bwould look like\b[^.!?。]*+\Z|{_WOULD_BE}|{_LOOKS}|{_WRITTEN}|{_DENIED})"
)
"""What does so closely: nothing but an example can follow."""
