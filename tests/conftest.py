"""Fixtures of more than one file."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serving import Serve

    from dynaspark_core.server import Script
    from langchain_dynaspark import ChatDynaspark
    from llama_index_dynaspark import Dynaspark

os.environ.pop("PYTHONDEVMODE", None)  # the tests run in this mode, the programs that they start as users start them


@pytest.fixture
def served() -> Iterator[Serve]:
    """Makes a LangChain model and the script of its service, for these answers."""
    from dynaspark_core.server import LocalService, Script  # noqa: PLC0415  # most tests need neither
    from langchain_dynaspark import ChatDynaspark  # noqa: PLC0415  # only the tests of this face need it

    with ExitStack() as services:

        def serve(*answers: Any, **settings: Any) -> tuple[ChatDynaspark, Script]:
            script = Script(*answers)
            service = services.enter_context(LocalService(script))
            return ChatDynaspark(base_url=service.url, max_retries=0, **settings), script

        yield serve


@pytest.fixture
def model(script: Script) -> Iterator[ChatDynaspark]:
    """A LangChain model whose service answers with the file's own fixture `script`."""
    from dynaspark_core.server import LocalService  # noqa: PLC0415  # most tests need no service
    from langchain_dynaspark import ChatDynaspark  # noqa: PLC0415  # only the tests of this face need it

    with LocalService(script) as service:
        yield ChatDynaspark(base_url=service.url, max_retries=0)


@pytest.fixture
def llm(script: Script) -> Iterator[Dynaspark]:
    """A LlamaIndex model whose service answers with the file's own fixture `script`."""
    from dynaspark_core.server import LocalService  # noqa: PLC0415  # most tests need no service
    from llama_index_dynaspark import Dynaspark  # noqa: PLC0415  # only the tests of this face need it

    with LocalService(script) as service:
        yield Dynaspark(base_url=service.url, max_retries=0)
