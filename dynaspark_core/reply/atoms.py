"""Patterns that also know their own beginnings, so that a stream can tell "not yet" from "no".

A `Sign` is put together from atoms. From the same atoms come the pattern and its twin: what a text that ends too early
may still become. Letters of any case are ASCII letters only: a long s is not an s.
"""

import re
from dataclasses import dataclass
from functools import cached_property, reduce

MAX_SIGN_CHARACTERS = 4_096
"""Longer than any sign: where so much text follows a place, what begins there is decided."""
MAX_INDENT_CHARACTERS = 12
"""Most blanks before a block at the beginning of a line."""


@dataclass(frozen=True, slots=True)
class Atom:
    """`whole` matches it; `cut` matches what a text that ends too early has of it, where that is not empty."""

    whole: str
    cut: str

    @property
    def begun(self) -> str:
        """Matches what a text that ends too early has of it, also nothing."""
        return r"\Z" if self.cut == NEVER else rf"(?:{self.cut}|\Z)"


NEVER = "(?!)"
END = Atom(r"\Z", NEVER)
"""The end of the text, decided only when nothing more comes."""


def word(text: str) -> Atom:
    """Exactly this text."""
    return seq(*(Atom(re.escape(char), NEVER) for char in text))


def anycase(atom: Atom) -> Atom:
    """The atom in ASCII letters of any case."""
    return Atom(f"(?ai:{atom.whole})", f"(?ai:{atom.cut})")


def chars(of: str, least: int, most: int) -> Atom:
    """From `least` to `most` characters of a class."""
    return Atom(rf"{of}{{{least},{most}}}", rf"{of}{{1,{most - 1}}}\Z" if most > 1 else NEVER)


def run(of: str, least: int, most: int) -> Atom:
    """As many characters of a class as there are, none of them given back: where repeated runs follow each other, a
    text could otherwise be divided among them in any number of ways.
    """
    return Atom(f"{chars(of, least, most).whole}+", chars(of, least, most).cut)


def once(atom: Atom) -> Atom:
    """The atom in the first way in which it matches; no other is tried where what follows does not match."""
    return Atom(f"(?>{atom.whole})", atom.cut)


def seq(*atoms: Atom) -> Atom:
    """One after the other."""
    return reduce(_before, atoms[-2::-1], atoms[-1])


def _before(later: Atom, atom: Atom) -> Atom:
    return Atom(atom.whole + later.whole, _either(atom.cut, f"{atom.whole}{later.begun}"))


def _either(*patterns: str) -> str:
    return "|".join(pattern for pattern in patterns if pattern != NEVER) or NEVER


def either(*atoms: Atom) -> Atom:
    """The first that matches."""
    return Atom(f"(?:{_either(*(atom.whole for atom in atoms))})", f"(?:{_either(*(atom.cut for atom in atoms))})")


def words(*texts: str) -> Atom:
    """One of these texts."""
    return either(*map(word, texts))


def maybe(atom: Atom) -> Atom:
    """The atom, or nothing."""
    return Atom(f"(?:{atom.whole})?", atom.cut)


def many(atom: Atom) -> Atom:
    """The atom up to eight times: every sign is shorter than `MAX_SIGN_CHARACTERS`."""
    return Atom(f"(?:{atom.whole}){{0,8}}", rf"(?:{atom.whole}){{0,8}}{atom.begun}")


def group(name: str, atom: Atom) -> Atom:
    """The atom as a named group."""
    return Atom(f"(?P<{name}>{atom.whole})", atom.cut)


def ahead(atom: Atom) -> Atom:
    """The atom must follow; it is not taken."""
    return Atom(f"(?={atom.whole})", atom.cut)


def unless(of: str) -> Atom:
    """No character of this class may follow; the end of a text that goes on decides nothing."""
    return Atom(f"(?!{of})", NEVER)


_GROUP = re.compile(r"\(\?P<\w+>")


def plain(pattern: str) -> str:
    """The pattern without names of groups."""
    return _GROUP.sub("(?:", pattern)


class Sign:
    """A pattern with its twin, an `example` of what it matches whole, and texts that it must not match.

    Each is compiled when it is first used: the twins are needed only where a text ends too early.
    """

    def __init__(self, atom: Atom, example: str, *others: str) -> None:
        self.atom, self.example, self.others = atom, example, others

    @cached_property
    def whole(self) -> re.Pattern[str]:
        return re.compile(self.atom.whole)

    @cached_property
    def begun(self) -> re.Pattern[str]:
        return re.compile(plain(self.atom.begun))
