"""What the control tokens of other vendors' models are made of; `vendors` has a row for each kind."""

# ruff: noqa: RUF001 - DeepSeek's tokens are written with full-width bars

from dynaspark_core.reply.atoms import (
    END,
    NEVER,
    Atom,
    ahead,
    anycase,
    chars,
    either,
    group,
    maybe,
    plain,
    seq,
    word,
    words,
)  # fmt: skip
from dynaspark_core.reply.signs import TAG

BAR = chars("[|｜]", 1, 1)
_GAP = chars("[▁_]", 1, 1)
SPACE = chars(r"\s", 0, 4)
NAME = group("name", seq(chars("[A-Za-z_]", 1, 1), chars(r"[\w.\-/:]", 0, 127)))


def _between_bars(*names: Atom) -> Atom:
    """A token with one of these names."""
    return seq(word("<"), BAR, either(*names), BAR, word(">"))


def _name(text: str) -> Atom:
    """A name whose words are joined by `_` or DeepSeek's `▁`."""
    first, *others = text.split("_")
    return seq(word(first), *(seq(_GAP, word(other)) for other in others))


def tokens(*names: str) -> Atom:
    """A token between bars with one of these names."""
    return _between_bars(*map(_name, names))


_LETTERS = chars("[A-Za-z_▁]", 0, 24)
_PREFIX = maybe(seq(chars("[A-Za-z]", 1, 12), _GAP))
_SUBJECT = anycase(words("tool", "function", "action", "plugin", "call"))
_KIND = seq(words("TOOL", "FUNCTION", "ACTION", "PLUGIN"), word("_"), words("CALL", "REQUEST", "USE"), maybe(word("S")))
_OTHER = Atom(
    rf"(?!{plain(TAG.atom.whole)}"
    r"|.[|｜]?[\w▁]{0,40}?(?i:end|suffix|result|response|output|observation))",
    NEVER,
)
"""What begins here is neither a tag that `tags` knows nor a token that ends a call or begins its result."""
_WORDS = _between_bars(seq(_PREFIX, _SUBJECT, _LETTERS), word("message_sep"))
WORDY = seq(ahead(_WORDS), _OTHER, _WORDS)
"""A token whose words say that a call begins: `<|tool_call_start|>`, `<|FunctionCallBegin|>`."""
BRACKETED = seq(word("["), _KIND, maybe(words("_START", "_BEGIN")), word("]"))
_ENDS = (
    seq(_PREFIX, _SUBJECT, _LETTERS, anycase(words("end", "suffix"))),
    seq(anycase(word("end")), _LETTERS, _SUBJECT, _LETTERS),
)
WORDY_END = either(
    _between_bars(*_ENDS),
    seq(word("["), either(seq(words("/", "END_"), _KIND), seq(_KIND, word("_END"))), word("]")),
)
_PLAIN_NAME = seq(chars("[A-Za-z_]", 1, 1), chars(r"[\w.\-/]", 0, 127))
BODY = ahead(
    seq(
        SPACE,
        either(
            word("{"),
            seq(word("["), chars(r"\s", 0, 20), either(word("{"), seq(_PLAIN_NAME, either(word("("), END)), END)),
            seq(group("called", _PLAIN_NAME), either(word("("), seq(SPACE, word("{")))),
            END,
        ),
    )
)
"""An object, a list of them, a call in Python, an object behind a name, or nothing more."""
