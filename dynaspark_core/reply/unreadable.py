"""Why a text is no value: the one signal of all readers of values and calls."""


class Unreadable(Exception):  # noqa: N818 - a signal between readers, never an error of the caller
    """The text is no value: where, why, whether it was cut off, was so within a member's string, or is too much."""

    def __init__(
        self, position: int, why: str, *, is_cut: bool = False, in_string: bool = False, is_excessive: bool = False
    ) -> None:
        super().__init__(why)
        self.source: str | None = None
        self.position, self.why = position, why
        self.is_cut, self.in_string, self.is_excessive = is_cut, in_string, is_excessive

    def located(self, text: str, start: int = 0) -> str:
        """What is wrong and where, with line and column counted from `start`, or in the error's own `source`."""
        if self.source is not None:
            text, start = self.source, 0
        line = text.count("\n", start, self.position) + 1
        column = self.position - max(text.rfind("\n", start, self.position) + 1, start) + 1
        return f"{self.why} at line {line} column {column}"
