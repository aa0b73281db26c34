"""A file of JSON lines with what came of a batch's inputs: written as it comes, read by the next run."""

import json
import os
import re
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynaspark_core.errors import ConfigError

if TYPE_CHECKING:
    from filelock import FileLock

_BEGIN = re.compile(rb'\{"key": "[0-9a-f]{32}-\d+", "input": ')
"""What every line begins with, and none of another file."""


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

    Each line is a write of its own, so that a kill cuts at most the last one, which the next opening drops. The first
    line tells whether the file is one of these. Raises `ConfigError`, and changes nothing, where it holds something
    else, cannot be opened, or where another run has it open: a lock beside it, `….lock`, ends with the process. Behind
    a link it is beside what the link names, so that all paths of a file have one.
    """

    def __init__(self, path: Path) -> None:
        with ExitStack() as stack:
            try:
                if path.exists() and not path.is_file():
                    raise OSError("it is a folder, a pipe or a device; name a file")  # noqa: TRY301  # told as all others
                stack.callback(_lock(path).release)
                self._file = stack.enter_context(path.open("ab+", buffering=0))
            except (OSError, ValueError) as exc:
                raise ConfigError(f"path is {str(path)!r}, which cannot be written: {exc}") from exc
            self.values = self._read(path)
            self._open = stack.pop_all()

    def _read(self, path: Path) -> dict[str, Any]:
        self._file.seek(0)
        *lines, rest = self._file.read().split(b"\n")
        read = [_value(line, f"{path} line {number}") for number, line in enumerate(lines, 1)]
        if rest and not lines and not _BEGIN.match(rest):  # a cut line behind whole ones is ours in any case
            raise _foreign(f"{path} line 1")
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
        self._open.close()


def _lock(path: Path) -> "FileLock":
    """The lock of the file. Raises `ConfigError` where another run holds it."""
    if find_spec("filelock") is None:
        raise ConfigError('filelock must be installed for path: pip install "dynaspark-llm[batch]"')
    from filelock import FileLock, Timeout  # noqa: PLC0415  # of the extra `batch`

    beside = f"{os.path.realpath(path)}.lock"
    lock = FileLock(beside, timeout=0, thread_local=False)  # one thread opens the file, another closes it
    try:
        lock.acquire()
    except Timeout as exc:
        raise ConfigError(f"another batch has {path} open: wait until it has ended, or give another path") from exc
    return lock


def _value(line: bytes, place: str) -> dict[str, Any]:
    try:
        read = json.loads(line) if _BEGIN.match(line) else None
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise _foreign(place)
    return read


def _foreign(place: str) -> ConfigError:
    return ConfigError(f"{place} is not a line of results; the file was not changed")


def _json(value: object, name: str, *, is_sorted: bool = False) -> str:
    try:
        return json.dumps(value, sort_keys=is_sorted)
    except (TypeError, ValueError) as exc:
        raise ConfigError(f"an {name} of the type {type(value).__name__} cannot go into a file: {exc}") from exc
