"""What other providers write into an assistant's turn: records of the tools that they ran themselves, of compaction.

They are told as text where they hold any, and left out where they hold none: no call of ours is in them.
"""

from collections.abc import Iterator, Mapping

from dynaspark_core.content.image_refs import Block
from dynaspark_core.messages import TextFile

TEXT_KEYS = (
    *("text", "title", "url", "content", "code", "executable_code", "executableCode"),
    *("output", "outputs", "stdout", "stderr", "logs", "results", "code_execution_result", "codeExecutionResult"),
)
"""Keys under which records hold text, for example `{"type": "code_execution_result", "stdout": "4\\n"}`."""
MAX_LEVELS = 8


def record(block: Block) -> TextFile | None:
    """The texts in a record, under its type; None where it holds none."""
    texts = [text.strip("\n") for text in _texts(block, MAX_LEVELS) if text.strip()]
    kind = str(block.get("type") or next(iter(block), ""))
    return TextFile(kind, "\n".join(texts)) if texts else None


def _texts(value: object, levels: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping) and levels:
        for key in TEXT_KEYS:
            if key in value:
                yield from _texts(value[key], levels - 1)
    elif isinstance(value, list | tuple) and levels:
        for item in value:
            yield from _texts(item, levels - 1)
