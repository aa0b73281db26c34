"""Stop sequences, which the service does not know: the text is cut where the first of them begins. No I/O."""

import re
from collections.abc import Sequence


class Stops:
    """`feed(text)` gives what can be shown already, `close()` the rest; nothing of a stop sequence is ever shown."""

    def __init__(self, stop: Sequence[str]) -> None:
        self._stop = sorted(filter(None, stop), key=len, reverse=True)
        self._found = re.compile("|".join(map(re.escape, self._stop))).search if self._stop else None
        self._held = ""
        self.is_over = False
        """A stop sequence came: nothing more is shown."""

    def feed(self, text: str) -> str:
        if self._found is None or self.is_over:
            return "" if self.is_over else text
        text = self._held + text
        sure = len(text) - self._beginning(text)
        if (match := self._found(text)) and match.start() <= sure:
            self.is_over, self._held = True, ""
            return text[: match.start()]
        self._held = text[sure:]
        return text[:sure]

    def close(self) -> str:
        """What was held; text that comes later starts anew."""
        held, self._held = self._held, ""
        match = self._found(held) if held and self._found else None
        self.is_over = self.is_over or match is not None
        return held[: match.start()] if match else held

    def _beginning(self, text: str) -> int:
        """How many characters at the end could be the beginning of a stop sequence."""
        sizes = range(min(len(self._stop[0]) - 1, len(text)), 0, -1)
        return next((size for size in sizes if any(stop.startswith(text[-size:]) for stop in self._stop)), 0)
