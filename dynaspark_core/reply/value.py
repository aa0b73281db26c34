"""The one JSON value of a schema in a reply: found among the prose, checked, never completed.

A fence or a value on lines of its own counts more than one in a sentence, and one that is only mentioned does not
count. Of two different values that count the same, the later one is the answer only if the text says that it corrects.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from dynaspark_core.errors import OutputError
from dynaspark_core.reply.candidates import MAX_UNREADABLE, MAX_VALUES, Candidate, candidates
from dynaspark_core.reply.presented import Standing, adds, corrects
from dynaspark_core.reply.thoughts import THOUGHTS
from dynaspark_core.reply.wrapped import Unwrapping
from dynaspark_core.schema import Mismatch, equal_json

MAX_QUOTED_CHARS = 200
"""Most characters of an answer in prose that the error quotes."""


def read_object(text: str, schema: Mapping[str, Any]) -> Any:
    """The value of the schema in the text. Raises `OutputError`, which names what is wrong and carries the text."""
    answer = text[_end_of_thoughts(text) :]
    choice = _Choice(answer, schema)
    counts = Counter[bool]()
    for candidate in candidates(answer):
        counts[bool(candidate.error)] += 1
        if counts[False] > MAX_VALUES or counts[True] > MAX_UNREADABLE:
            raise OutputError("the reply holds too many JSON values, or text that looks like them", text=text)
        choice.take(candidate)
    if choice.wrong:
        raise OutputError(choice.wrong, text=text)
    return choice.value


def _end_of_thoughts(text: str) -> int:
    """Where leading reasoning ends; the end of the text if it never does."""
    position = 0
    while True:
        pairs = ((opener.whole.match(text, position), closer) for opener, closer in THOUGHTS)
        opened, closer = next(((found, closer) for found, closer in pairs if found is not None), (None, None))
        if opened is None or closer is None:
            return position
        closed = closer.whole.search(text, opened.end())
        position = closed.end() if closed is not None else len(text)


class _Choice:
    """The value that counts most, of those that were taken so far; `wrong` says why there is none."""

    def __init__(self, answer: str, schema: Mapping[str, Any]) -> None:
        self.value: Any = None
        self._answer = answer
        self._unwrapping = Unwrapping(schema)
        self._chosen: Candidate | None = None
        said = answer.strip()[:MAX_QUOTED_CHARS]
        self.wrong = (
            f"the reply holds no JSON; the model wrote: {said!r}" if said else "the reply holds no JSON; it is empty"
        )

    def take(self, candidate: Candidate) -> None:
        """Take the next candidate of the reply into account."""
        if candidate.error:
            self._refuse(candidate, f"the reply holds no JSON value that can be read: {candidate.error}")
        elif candidate.standing is not Standing.MENTION:
            self._take_value(candidate)
        elif self._chosen is None:
            self.wrong = self.wrong.replace("holds no JSON", "mentions JSON only in passing")
        elif self._is_corrected_by(candidate) and candidate.value not in ({}, []):
            self._take_value(candidate)

    def _take_value(self, candidate: Candidate) -> None:
        is_repeated = self._chosen is not None and equal_json(candidate.value, self._chosen.value)
        found = self.value if is_repeated else self._unwrapping.fit(candidate.value)
        if isinstance(found, Mismatch):
            self._refuse(candidate, f"the JSON value in the reply does not fit: {found}")
        elif self._chosen is None or (candidate.standing < self._chosen.standing and not self._is_added(candidate)):
            self._choose(candidate, found)
        elif equal_json(found, self.value):
            self._chosen = candidate if candidate.standing == self._chosen.standing else self._chosen
        elif self._is_corrected_by(candidate) and candidate.standing == self._chosen.standing:
            self._choose(candidate, found)
        elif self._is_corrected_by(candidate) or candidate.standing <= self._chosen.standing:
            self._choose(candidate, found, "the reply holds two different values, and no word which one counts")

    def _choose(self, candidate: Candidate, value: Any, wrong: str = "") -> None:
        self._chosen, self.value, self.wrong = candidate, value, wrong

    def _refuse(self, candidate: Candidate, reason: str) -> None:
        """Note why a candidate is none; what was chosen before stays so, unless this one was to replace it."""
        if candidate.error and not candidate.is_cut and self._answer[candidate.start] == "[":
            return  # prose has brackets of many kinds
        if candidate.is_cut:
            self.wrong = f"the reply ends within a JSON value: {candidate.error}"
        elif self._chosen is None or self._is_corrected_by(candidate) or self._is_meant_instead(candidate):
            self.wrong = reason

    def _is_meant_instead(self, candidate: Candidate) -> bool:
        """Whether one that does not fit was to be the value: it follows an example, or has keys of what was chosen."""
        chosen = self._chosen
        if chosen is None or candidate.standing > chosen.standing:
            return False
        if chosen.standing is Standing.EXAMPLE and candidate.standing < chosen.standing:
            return not self._is_added(candidate)
        earlier, later = chosen.value, candidate.value
        return isinstance(earlier, dict) and isinstance(later, dict) and not earlier.keys().isdisjoint(later)

    def _is_added(self, candidate: Candidate) -> bool:
        """Whether it comes on top of an example."""
        is_example = self._chosen is not None and self._chosen.standing is Standing.EXAMPLE
        return is_example and adds(self._between(candidate))

    def _is_corrected_by(self, candidate: Candidate) -> bool:
        return self._chosen is not None and corrects(self._between(candidate))

    def _between(self, candidate: Candidate) -> str:
        return self._answer[self._chosen.end if self._chosen is not None else 0 : candidate.start]
