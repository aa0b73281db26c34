"""Ray Data on this machine: models go to two workers pickled, which keep to one limit in one Redis together.

In a process of its own, as a reader would run it: Ray starts servers, and warns of much that is not ours.
"""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from test_limits import Redis, needs_redis, running

from dynaspark_core.server import Asked, LocalService, Script

EXAMPLE = Path(__file__).parent.parent / "examples" / "ray_batch.py"
LIMIT, QUESTIONS, OF_ONE_BATCH = 10, 30, 5


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Redis]:
    with running(tmp_path) as redis:
        yield redis


class BothAtOnce:
    """Answers nobody before more is asked than one worker asks at a time."""

    def __init__(self) -> None:
        self.count, self.are_here = 0, asyncio.Event()

    async def answer(self, _: Asked) -> str:
        self.count += 1
        if self.count > OF_ONE_BATCH:
            self.are_here.set()
        await self.are_here.wait()
        return "I do not know."


@needs_redis
@pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed (it has no wheel for this Python)")
def test_workers_of_ray_share_one_limit(server: Redis) -> None:
    """Of 30 questions exactly 10 are posted, by two workers; the other rows say how long to wait."""
    with (
        LocalService(script := Script(BothAtOnce().answer)) as service,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,  # Ray's servers may still write into it
    ):
        environment = os.environ | {
            "DYNASPARK_BASE_URL": service.url,
            "DYNASPARK_LIMIT_STORAGE": server.url,
            "DYNASPARK_REQUESTS_PER_HOUR": str(LIMIT),
            "RAY_TMPDIR": folder,  # its sockets want a short path
            "RAY_USAGE_STATS_ENABLED": "0",
        }
        done = subprocess.run(
            [sys.executable, str(EXAMPLE)], env=environment, capture_output=True, text=True, timeout=300, check=False
        )
    assert done.returncode == 0, done.stderr
    assert len(script.asked) == LIMIT
    assert len(re.findall(r"^What is 7 times \d+\? I do not know\.$", done.stdout, re.MULTILINE)) == LIMIT
    waits = re.findall(
        r"error: requests_per_hour=10 is used up; the next request is allowed in ([\d,]+) s", done.stdout
    )
    assert len(waits) == QUESTIONS - LIMIT, done.stdout
    assert all(3_000 < int(wait.replace(",", "")) <= 3_600 for wait in waits)
    assert f"{QUESTIONS} rows by 2 workers" in done.stdout
