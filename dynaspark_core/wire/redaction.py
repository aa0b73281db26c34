"""Secrets out of texts and errors, in every spelling in which a service, a proxy or a library may repeat them. No I/O.

`Redactor.clean` is the one way in which this package keeps keys and passwords out of what it raises.
"""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cached_property
from html.entities import codepoint2name
from typing import Any

from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from dynaspark_core.errors import DynasparkError

HIDDEN = "…"
MIN_SECRET_CHARACTERS = 4
"""Characters: a shorter beginning of a secret at the end of a text tells nothing."""
MAX_FOREIGN_CHARACTERS = 4096
"""Characters that are kept of a text in a library's error: it may quote the whole answer."""
_MAX_SPELLING = 24
"""Characters of the longest spelling of one character, about: two JSON escapes, escaped once more."""

_NATIVE = ("strerror", "filename", "filename2", "object", "reason", "msg", "text", "value")
"""Attributes of Python's own errors that hold text and are not in `vars`, such as those of OSError and UnicodeError."""
_USER = re.compile(r"//[^/\s?#]*@")
"""As in `http://user:password@host`."""
_QUERY = re.compile(r"(/[^\s'\"<>?]*)\?[^\s'\"<>]*")
"""As in `GET /generate_response?api_key=… HTTP/1.1` and `https://host/?user_input=…`."""


class Redactor:
    """Hides these secrets, and in errors of libraries the user and query of every URL."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted(filter(None, set(secrets)), key=len, reverse=True)

    def text(self, text: str) -> str:
        """The text without the secrets, nor a beginning of one where the text was cut."""
        for secret in self._patterns:
            text = secret.replaced(text)
        return text

    def clean(self, error: BaseException) -> None:
        """Remove the secrets from all texts that can be reached from the error, its causes and contexts.

        A long text of an error that is not ours is cut to `MAX_FOREIGN_CHARACTERS`.
        """
        todo: list[BaseException] = [error]
        seen: list[BaseException] = []
        while todo:
            one = todo.pop()
            if any(one is other for other in seen):
                continue
            seen.append(one)
            _Values(self.text if isinstance(one, DynasparkError) else self._foreign, todo).replace_in(one)
            todo += [other for other in (one.__cause__, one.__context__) if other is not None]
            todo += getattr(one, "exceptions", ())

    def _foreign(self, text: str) -> str:
        return self.text(_QUERY.sub(r"\1", _USER.sub("//", text[:MAX_FOREIGN_CHARACTERS])))

    @cached_property
    def _patterns(self) -> list["_Secret"]:
        return [_Secret(secret) for secret in self._secrets]


class _Values:
    """Cleans what an error holds; errors among it go to `errors`."""

    def __init__(self, text: Callable[[str], str], errors: list[BaseException]) -> None:
        self._text = text
        self._errors = errors

    def replace_in(self, error: BaseException) -> None:
        """Clean the error's arguments and attributes."""
        for name, value in list(vars(error).items()):
            vars(error)[name] = self.cleaned(value)
        error.args = tuple(map(self.cleaned, error.args))
        for name in _NATIVE:
            value = None if name in vars(error) else getattr(error, name, None)
            if isinstance(value, str | bytes):
                with suppress(AttributeError, TypeError):  # a property is made of what is clean by now
                    setattr(error, name, self.cleaned(value))

    def cleaned(self, value: Any) -> Any:
        """The value without secrets; its text in its place where it is of another kind and shows one."""
        return next((clean(self, value) for kind, clean in self._KINDS if isinstance(value, kind)), value)

    def _error(self, value: BaseException) -> BaseException:
        self._errors.append(value)
        return value

    def _tuple(self, value: tuple[Any, ...]) -> tuple[Any, ...]:
        parts = map(self.cleaned, value)
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)

    def _object(self, value: object) -> object:
        shown = repr(value)
        cleaned = self._text(shown)
        return value if cleaned == shown[:MAX_FOREIGN_CHARACTERS] else cleaned

    _KINDS: tuple[tuple[Any, Callable[["_Values", Any], Any]], ...] = (
        ((int, float, complex, type(None)), lambda _, value: value),
        (str, lambda self, text: self._text(text)),
        (bytes, lambda self, data: self._text(data.decode("latin-1")).encode("latin-1", "replace")),
        (URL, lambda _, url: url.with_user(None).with_query(None).with_fragment(None) if url.absolute else URL("/")),
        (BaseException, _error),
        (tuple, _tuple),
        (list, lambda self, values: list(map(self.cleaned, values))),
        (
            (CIMultiDict, CIMultiDictProxy),
            lambda self, lines: CIMultiDictProxy(CIMultiDict((name, self._text(line)) for name, line in lines.items())),
        ),
        (dict, lambda self, values: {self.cleaned(name): self.cleaned(value) for name, value in values.items()}),
        (object, _object),
    )


class _Secret:
    """One secret, as patterns: one for each of its characters, and one for the whole."""

    def __init__(self, secret: str) -> None:
        spellings = [_spellings(char) for char in secret]
        self._chars = [re.compile(spelling) for spelling in spellings]
        self._whole = re.compile("".join(spellings))
        self._anchor = max(re.findall(r"[0-9A-Za-z]+", secret), key=len, default="")

    def replaced(self, text: str) -> str:
        if self._anchor in text:  # spares a long text the slow search
            text = self._whole.sub(HIDDEN, text)
        cut = self._beginning(text)
        return text if cut is None else text[:cut] + HIDDEN

    def _beginning(self, text: str) -> int | None:
        """Where the text's last characters begin the secret; None where they do not."""
        end = len(text.rstrip(HIDDEN))
        for start in range(max(0, end - _MAX_SPELLING * len(self._chars)), end - MIN_SECRET_CHARACTERS + 1):
            count, position = self._matched(text, start, end)
            if count >= MIN_SECRET_CHARACTERS and _HALF_ESCAPE.fullmatch(text, position, end):
                return start
        return None

    def _matched(self, text: str, start: int, end: int) -> tuple[int, int]:
        """How many of the secret's characters the text has from `start` on, and where the last of them ends."""
        position = start
        for count, char in enumerate(self._chars):
            found = char.match(text, position, end)
            if found is None:
                return count, position
            position = found.end()
        return len(self._chars), position


_HALF_ESCAPE = re.compile(r"(?:[%&\\][#\w%\\]{0,16})?")
"""What may be left of a spelling that was cut."""


def _spellings(char: str) -> str:
    """The pattern of a character as it is, in an address, JSON, Python or HTML, and where UTF-8 is read as Latin-1."""
    if char.isascii() and char.isalnum():
        return char
    utf8, utf16 = char.encode(errors="surrogatepass"), char.encode("utf-16-be", "surrogatepass")
    code = ord(char)
    escapes = [
        "".join(f"%(?:25){{0,2}}{byte:02x}" for byte in utf8),
        "".join(rf"\\{{1,4}}u{utf16[at : at + 2].hex()}" for at in range(0, len(utf16), 2)),
        rf"\\{{1,4}}u0*{code:x}",
        rf"\\{{1,4}}x{code:02x}",
        "".join(rf"\\{{1,4}}x{byte:02x}" for byte in utf8),
        f"&(?:amp;)?#0*{code};",
        f"&(?:amp;)?#x0*{code:x};",
        f"&(?:amp;)?{codepoint2name.get(code, '#0')};",
    ]
    literal = [rf"\\{{0,3}}{re.escape(char)}", re.escape(utf8.decode("latin-1")), _BLANKS.get(char, re.escape(char))]
    return f"(?:(?i:{'|'.join(escapes)})|{'|'.join(literal)})"


_BLANKS = {" ": r"\+", "+": " "}
"""In a query each may be taken for the other."""
