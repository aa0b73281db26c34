"""What the two frameworks' models share: one client for the same values, another when a value changes."""

import copy
import pickle
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from pydantic import ValidationError

from dynaspark_core.client.of_model import ClientCache, HasClient
from dynaspark_core.errors import ConfigError
from langchain_dynaspark import ChatDynaspark
from llama_index_dynaspark import Dynaspark


@dataclass
class Holder(HasClient):
    """A model's fields, named as the settings."""

    model: str = ""
    base_url: str | None = "http://127.0.0.1:1"
    path: str | None = None
    proxy: str | None = None
    timeout: float | None = None
    max_retries: int | None = None
    max_repairs: int | None = None
    max_concurrency: int | None = None
    requests_per_hour: int | None = None
    limit_storage: str | None = None
    image_policy: str | None = None
    allow_image_urls: bool | None = None
    default_headers: dict[str, str] = field(default_factory=dict)
    model_aliases: dict[str, str] | None = None


def test_objects_with_the_same_values_have_the_same_client() -> None:
    cache, model = ClientCache(), Holder()
    client = cache.client_for(model)
    assert cache.client_for(model) is client
    assert ClientCache().client_for(Holder()) is client


def test_a_value_that_changes_brings_another_client_also_inside_a_mapping() -> None:
    model = Holder()
    first = model._client
    model.timeout = 5
    second = model._client
    model.default_headers["X-Own"] = "1"
    third = model._client
    assert [client.settings.timeout for client in (first, second, third)] == [120, 5, 5]
    assert (second.settings.headers, third.settings.headers) == ({}, {"X-Own": "1"})


@pytest.mark.parametrize("face", [ChatDynaspark, Dynaspark])
def test_every_way_to_change_a_model_brings_the_client_that_its_fields_mean(face: type[Any]) -> None:
    model = face(base_url="http://127.0.0.1:1", default_headers={"X-Own": "1"}, query={})
    assert model._client is model._client
    model.timeout = 5
    assert model._client.settings.timeout == 5
    setattr(model, "timeout", 6)  # noqa: B010  # as programs that configure others do
    assert model._client.settings.timeout == 6
    model.default_headers["X-Own"] = "2"
    assert model._client.settings.headers == {"X-Own": "2"}
    model.default_headers = {"X-Own": "3"}
    assert model._client.settings.headers == {"X-Own": "3"}
    del model.timeout
    assert model._client.settings.timeout == 120


@pytest.mark.parametrize("face", [ChatDynaspark, Dynaspark])
def test_a_copy_that_is_changed_leaves_the_other_alone(face: type[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    model = face(base_url="http://127.0.0.1:1")
    other = copy.copy(model)
    before = model._client, other._client
    monkeypatch.setenv("DYNASPARK_MAX_RETRIES", "7")
    other.timeout = 5
    assert model._client is before[0]
    assert (other._client.settings.timeout, other._client.settings.max_retries) == (5, 7)


def test_a_field_that_another_thread_sets_while_a_client_is_made_counts() -> None:
    class Slow(dict[str, str]):
        """A mapping during whose reading a field is set."""

        def items(self) -> Any:
            if model.timeout is None:
                model.timeout = 5
            return super().items()

    model = Holder(default_headers=Slow({"X-Own": "1"}))
    first, second = model._client, model._client
    assert (first.settings.timeout, second.settings.timeout) == (120, 5)


def _is_set_before(line: int) -> bool:
    """Sets a field of a model in another thread before this line of the cache, which makes the client of a copy.

    Where the cache is locked the thread goes on later. False where there are not so many lines.
    """
    model = Holder()
    other, lines = copy.copy(model), count()
    assert model._client.settings.timeout == 120
    setter = threading.Thread(target=setattr, args=(model, "timeout", 5))

    def trace(frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code is not ClientCache.client_for.__code__:
            return None
        if event == "line" and next(lines) == line:
            setter.start()
            if not model._clients._lock.locked():
                setter.join()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        assert other._client.settings.timeout == 120
    finally:
        sys.settrace(before)
    if setter.ident is None:
        return False
    setter.join()
    assert model._client.settings.timeout == 5
    assert other._client.settings.timeout == 120
    return True


def test_a_field_of_a_copy_that_another_thread_sets_at_any_moment_counts() -> None:
    assert next(line for line in count() if not _is_set_before(line)) > 7


def test_copies_that_are_gone_leave_nothing_in_the_cache_that_they_shared() -> None:
    model = Holder()
    for timeout in range(1, 50):
        other = copy.copy(model)
        other.timeout = timeout
        assert other._client.settings.timeout == timeout
    assert model._client.settings.timeout == 120
    assert len(model._clients._kept) <= 2


def test_the_environment_is_read_when_a_client_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    cache, model = ClientCache(), Holder()
    before = cache.client_for(model)
    monkeypatch.setenv("DYNASPARK_TIMEOUT", "7")
    assert cache.client_for(model) is before
    assert ClientCache().client_for(Holder()).settings.timeout == 7


@pytest.mark.parametrize("face", [ChatDynaspark, Dynaspark])
def test_a_shallow_copy_with_other_values_leaves_the_client_alone(
    face: type[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = face(base_url="http://127.0.0.1:1")
    before = model._client
    copies = [model.model_copy(update={"base_url": f"http://127.0.0.1:{port}"}) for port in (2, 3)]
    other = copies[0]._client
    monkeypatch.setenv("DYNASPARK_TIMEOUT", "7")
    assert copies[1]._client.settings.base_url == "http://127.0.0.1:3"
    assert model._client is before
    assert copies[0]._client is other
    assert copy.copy(model)._client.settings.timeout == 7


@pytest.mark.parametrize("wrong", [["sheet"], {"sheet": 1}])
def test_a_value_that_cannot_be_hashed_is_a_wrong_setting(wrong: Any) -> None:
    for make in (
        lambda: ChatDynaspark(image_policy=wrong),
        lambda: ClientCache().client_for(Holder(image_policy=wrong)),
    ):
        with pytest.raises(ValueError, match=r"image_policy is .* must be one of") as caught:
            make()
        assert type(caught.value) in {ConfigError, ValidationError}


def test_a_cache_does_not_count_for_equality_and_copies_begin_with_their_own() -> None:
    cache = ClientCache()
    client = cache.client_for(Holder(timeout=3))
    for other in (copy.copy(cache), copy.deepcopy(cache), pickle.loads(pickle.dumps(cache))):
        assert other is not cache
        assert other == cache
        assert hash(other) == hash(cache)
        assert other.client_for(Holder(timeout=4)) is not client
    assert cache != "cache"


def test_a_warning_names_the_line_of_a_script(tmp_path: Path) -> None:
    """Nothing has called the line, unlike that of a test."""
    script = tmp_path / "script.py"
    script.write_text(
        "from langchain_dynaspark import ChatDynaspark\nfrom llama_index_dynaspark import Dynaspark\n"
        "Dynaspark(temperature=0.5)\nChatDynaspark(max_tokens=5)\n"
        "Dynaspark('other', base_url='http://127.0.0.1:1')\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    warned = [line.split(": ")[0] for line in done.stderr.splitlines() if ": UserWarning: " in line]
    assert warned == [f"{script}:{number}" for number in (3, 4, 5)]
