"""What tests share: a picture, and models of both frameworks with a service of their own."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from dynaspark_core.server import LocalService, Script
from langchain_dynaspark import ChatDynaspark
from llama_index_dynaspark import Dynaspark

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc000000301010018dd8db0"
    "0000000049454e44ae426082"
)
"""A picture of one white pixel."""
Serve = Callable[..., tuple[ChatDynaspark, Script]]
"""What the fixture `served` is: answers, and settings of the model → the model and its service's script."""


class Says(Script):
    """Gives the answers in `lines`, which a test may change."""

    def __init__(self) -> None:
        self.lines: deque[Any] = deque()
        super().__init__(lambda _: self.lines.popleft())


@contextmanager
def dynaspark(answer: Any) -> Iterator[tuple[Dynaspark, Script]]:
    """LlamaIndex's model, and the script of its service, for this answer."""
    script = Script(answer)
    with LocalService(script) as service:
        yield Dynaspark(base_url=service.url, max_retries=0), script
