"""pytest fixtures for your own tests: a Dynaspark on this machine that gives your answers and records what was asked.

    pytest_plugins = ["dynaspark_core.testing"]  # in conftest.py

    def test_it_greets(dynaspark_server, dynaspark_script):
        dynaspark_script.answers = ["Hello."]
        assert ChatDynaspark().invoke("Hi").text == "Hello."
        assert dynaspark_script.asked[0].prompt == "Hi"

It is the real protocol over real HTTP: the model class is not replaced. `dynaspark_core.server.Script` tells what an
answer may be. This module alone needs pytest, and no plugin of it.
"""

from collections.abc import Iterator

import pytest

from dynaspark_core.server import LocalService, Script

_ELSEWHERE = ("API_KEY", "LIMIT_STORAGE", "PATH", "PROXY", "REQUESTS_PER_HOUR", "TRUST_ENV")
"""The other settings that say where a request goes, with whose key, and out of which quota."""


@pytest.fixture
def dynaspark_script() -> Script:
    """The script of `dynaspark_server`: set or append to its `answers`, look at what was `asked`."""
    return Script()


@pytest.fixture
def dynaspark_server(dynaspark_script: Script, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalService]:
    """A running service that answers with `dynaspark_script`; its address is `url`.

    For this test `DYNASPARK_BASE_URL` is that address, and the variables for path, proxy, key and shared limits are
    not set: a model without arguments asks this service. Afterwards all is as it was.
    """
    with LocalService(dynaspark_script) as service:
        monkeypatch.setenv("DYNASPARK_BASE_URL", service.url)
        for name in _ELSEWHERE:
            monkeypatch.delenv(f"DYNASPARK_{name}", raising=False)
        yield service
