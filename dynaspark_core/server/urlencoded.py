"""Reads a urlencoded form out of the blocks of its body: `a=1&b=%C3%A9`. Pure: bytes and values.

Each block is decoded when it comes, so a body of nothing but `%41` costs no more memory than what it says.
"""

from urllib.parse import unquote_to_bytes

MAX_FIELDS = 16
MAX_NAME_BYTES = 256
SLICE_BYTES = 1 << 14
"""Bytes that are decoded at a time: each `%41` takes some 50 bytes meanwhile."""


class TooLarge(ValueError):  # noqa: N818  # caught and told apart in `form`, never shown
    """A value has more bytes than are allowed."""


class UrlencodedReader:
    """Takes blocks by `feed`, however the body was cut; `close` returns the names and values, each at most `max_bytes`.

    Both raise `ValueError`: for more than `MAX_FIELDS` fields, long names, and text that is not UTF-8.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._fields: list[tuple[str, str]] = []
        self._begin()

    def feed(self, block: bytes) -> None:
        """Read the next block."""
        for start in range(0, len(block), SLICE_BYTES):
            first, *others = block[start : start + SLICE_BYTES].split(b"&", MAX_FIELDS)
            self._add(first)
            for part in others:
                self._end()
                self._add(part)

    def close(self) -> list[tuple[str, str]]:
        """The fields in order, after the last block."""
        self._end()
        return self._fields

    def _begin(self) -> None:
        self._name, self._value, self._held = bytearray(), bytearray(), b""
        self._has_value = False

    def _add(self, part: bytes) -> None:
        if not self._has_value:
            name, equals, part = part.partition(b"=")
            self._name += name
            if len(self._name) > MAX_NAME_BYTES:
                raise ValueError(f"a field's name has more than {MAX_NAME_BYTES} bytes")
            self._has_value = bool(equals)
        raw = self._held + part.replace(b"+", b" ")
        cut = raw.rfind(b"%", max(0, len(raw) - 2))  # an escape such as %C3 may go on in the next block
        whole, self._held = (raw, b"") if cut < 0 else (raw[:cut], raw[cut:])
        self._value += unquote_to_bytes(whole)
        if len(self._value) > self._max_bytes:
            raise TooLarge

    def _end(self) -> None:
        self._value += unquote_to_bytes(self._held)
        if len(self._value) > self._max_bytes:
            raise TooLarge
        if self._name or self._value:
            name = unquote_to_bytes(bytes(self._name).replace(b"+", b" ")).decode()
            self._fields.append((name, self._value.decode()))
        if len(self._fields) > MAX_FIELDS:
            raise ValueError(f"it has more than {MAX_FIELDS} fields")
        self._begin()
