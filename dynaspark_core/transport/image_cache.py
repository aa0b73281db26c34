"""What was downloaded or decoded of a history's images, kept for its next turns: bounded, in memory, never pickled."""

import os
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from dynaspark_core.images import Packed

MAX_BYTES = 64_000_000
MAX_SECONDS = 600.0


class ImageCache:
    """Values by key: at most `max_bytes` of them, the least used go first, none older than `max_seconds`."""

    def __init__(
        self, max_bytes: int = MAX_BYTES, max_seconds: float = MAX_SECONDS, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_bytes, self._max_seconds, self._now = max_bytes, max_seconds, now
        self.begin()

    def begin(self) -> None:
        """Begin empty, whatever threads are at work: in the child of a fork, those of the parent are not there."""
        self._kept: OrderedDict[object, tuple[float, int, Any]] = OrderedDict()
        self._lock = threading.Lock()
        self.size = 0
        """Bytes of what is kept."""

    def get(self, key: object) -> Any:
        """The value under the key; None when it is not kept, or no longer."""
        with self._lock:
            if key not in self._kept:
                return None
            since, _, value = self._kept[key]
            if self._now() - since > self._max_seconds:
                self._drop(key)
                return None
            self._kept.move_to_end(key)
            return value

    def put(self, key: object, value: Any) -> None:
        """Keep a picture, a whole file of pictures, or bytes with their name."""
        size = _size(value)
        with self._lock:
            if key in self._kept:
                self._drop(key)
            if size > self._max_bytes:
                return
            while self.size + size > self._max_bytes:
                self._drop(next(iter(self._kept)))
            self._kept[key] = self._now(), size, value
            self.size += size

    def _drop(self, key: object) -> None:
        self.size -= self._kept.pop(key)[1]


def _size(value: Any) -> int:
    if isinstance(value, Packed):
        return len(value.file.data) if value.file is not None else 0
    if isinstance(value, tuple):
        return sum(map(len, value))
    if not hasattr(value, "getbands"):
        return sys.getsizeof(value)
    pixels: int = value.width * value.height
    return pixels if len(value.getbands()) == 1 else pixels * 4  # so Pillow keeps those of two bands and more


CACHE = ImageCache()
"""Of this process."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=CACHE.begin)
