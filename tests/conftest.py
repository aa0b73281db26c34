"""Fixtures of more than one file."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serving import Serve


@pytest.fixture
def served() -> Iterator[Serve]:
    """Makes a LangChain model and the script of its service, for these answers."""
    from dynaspark_core.server import LocalService, Script  # noqa: PLC0415  # most tests need neither
    from langchain_dynaspark import ChatDynaspark  # noqa: PLC0415

    with ExitStack() as services:

        def serve(*answers: Any, **settings: Any) -> tuple[ChatDynaspark, Script]:
            script = Script(*answers)
            service = services.enter_context(LocalService(script))
            return ChatDynaspark(base_url=service.url, max_retries=0, **settings), script

        yield serve
