"""Models of both frameworks with a service of their own, for the tests of the faces."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from dynaspark_core.server import LocalService, Script
from langchain_dynaspark import ChatDynaspark
from llama_index_dynaspark import Dynaspark

Serve = Callable[..., tuple[ChatDynaspark, Script]]
"""What the fixture `served` is: answers, and settings of the model → the model and its service's script."""


class Says(Script):
    """Gives what stands in `lines`, which a test may change."""

    def __init__(self) -> None:
        self.lines: deque[Any] = deque()
        super().__init__(lambda _: self.lines.popleft())


@contextmanager
def dynaspark(answer: Any) -> Iterator[tuple[Dynaspark, Script]]:
    """LlamaIndex's model, and the script of its service, for this answer."""
    script = Script(answer)
    with LocalService(script) as service:
        yield Dynaspark(base_url=service.url, max_retries=0), script
