"""A file of JSON lines with what came of a batch's inputs: written as it comes, read by the next run."""

import json
import os
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

from dynaspark_core.errors import ConfigError

_BEGIN = b'{"key": "'
"""What every line begins with, and hardly one of another file."""


def keys(inputs: Iterable[object]) -> list[str]:
    """A digest of each input, with a number for those that are the same. `ConfigError` for what JSON cannot hold."""
    seen: Counter[str] = Counter()
    found = []
    for each in inputs:
        digest = sha256(_json(each, "input", is_sorted=True).encode()).hexdigest()[:32]
        seen[digest] += 1
        found.append(f"{digest}-{seen[digest]}")
    return found


class Results:
    """The open file; `values` are those that it held, by their keys.

    Each line is a write of its own, so that a kill cuts at most the last one, which the next opening drops.
    Raises `ConfigError`, and changes nothing, where the file holds something else.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab+", buffering=0)
        try:
            self.values = self._read(path)
        except BaseException:
            self.close()
            raise

    def _read(self, path: Path) -> dict[str, Any]:
        self._file.seek(0)
        *lines, rest = self._file.read().split(b"\n")
        read = [_value(line, f"{path} line {number}") for number, line in enumerate(lines, 1)]
        if not _BEGIN.startswith(rest[: len(_BEGIN)]):
            raise _foreign(f"{path} line {len(lines) + 1}")
        self._file.truncate(sum(len(line) + 1 for line in lines))
        return {line["key"]: line["value"] for line in read if "value" in line}

    def write(self, key: str, given: object, value: object, error: Exception | None) -> Any:
        """Add a line for an input: its value, or the error that ended it. Returns the value as the next run reads it.

        Raises `OSError`, and leaves no part of the line, where the disk is full.
        """
        message = None if error is None else f"{type(error).__name__}: {error}"
        text = _json(value, "answer")
        ended = f'"value": {text}' if message is None else f'"error": {json.dumps(message)}'
        self._append(f'{{"key": "{key}", "input": {_json(given, "input")}, {ended}}}\n'.encode())
        return json.loads(text)

    def _append(self, line: bytes) -> None:
        end = self._file.seek(0, os.SEEK_END)
        try:
            while line:
                line = line[self._file.write(line) :]
        except OSError:
            self._file.truncate(end)
            raise

    def close(self) -> None:
        self._file.close()


def _value(line: bytes, place: str) -> dict[str, Any]:
    try:
        read = json.loads(line) if line.startswith(_BEGIN) else None
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise _foreign(place)
    return read


def _foreign(place: str) -> ConfigError:
    return ConfigError(f"{place} is no line of results; the file is left as it is")


def _json(value: object, name: str, *, is_sorted: bool = False) -> str:
    try:
        return json.dumps(value, sort_keys=is_sorted)
    except (TypeError, ValueError) as exc:
        raise ConfigError(f"an {name} of the type {type(value).__name__} cannot go into a file: {exc}") from exc
