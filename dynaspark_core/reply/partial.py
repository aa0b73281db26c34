"""An object of a schema while a stream brings it: what there is so far, where that can be shown."""

from collections.abc import Callable, Mapping
from typing import Any

from dynaspark_core.reply.presented import Presentation, Standing
from dynaspark_core.reply.wrapped import ENVELOPE_KEYS
from dynaspark_core.schema import known_names

MIN_GROWTH = 16
"""A text is read again when there is a sixteenth more of it, so that long objects stay linear."""


class PartialObject:
    """`read` the text so far after each piece of a stream. `parse` completes cut JSON, or raises `ValueError`."""

    def __init__(self, schema: Mapping[str, Any], parse: Callable[[str], Any]) -> None:
        self._known = known_names(schema).keys()
        self._parse = parse
        self._next_chars = 0
        self._shown: object = {}

    def read(self, text: str) -> dict[str, Any] | None:
        """What there is of the object; None if that is nothing new, or not to be shown.

        An object that is only mentioned is not, and neither is one that may still be a wrapper: it has none of the
        class's keys, or those alone that wrappers have as well.
        """
        start = text.find("{")
        if start < 0 or len(text) < self._next_chars:
            return None
        self._next_chars = len(text) + len(text) // MIN_GROWTH
        try:
            value = self._parse(text[start:])
        except (ValueError, RecursionError):
            return None
        if not isinstance(value, dict) or value in ({}, self._shown):
            return None
        if self._known and not (value.keys() & self._known) - ENVELOPE_KEYS:
            return None
        if Presentation(text).of(start, len(text), value) is Standing.MENTION:
            return None
        self._shown = value
        return value
