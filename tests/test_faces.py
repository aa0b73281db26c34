"""What the two frameworks' models share: one client for the same values, another when a value changes."""

import copy
import pickle
from dataclasses import dataclass, field

import pytest

from dynaspark_core.faces import Keeper


@dataclass
class Holder:
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
    keeper, holder = Keeper(), Holder()
    client = keeper.client(holder)
    assert keeper.client(holder) is client
    assert Keeper().client(Holder()) is client


def test_a_value_that_changes_brings_another_client_also_inside_a_mapping() -> None:
    keeper, holder = Keeper(), Holder()
    first = keeper.client(holder)
    holder.timeout = 5
    second = keeper.client(holder)
    holder.default_headers["X-Own"] = "1"
    third = keeper.client(holder)
    assert [client.settings.timeout for client in (first, second, third)] == [120, 5, 5]
    assert (second.settings.headers, third.settings.headers) == ({}, {"X-Own": "1"})


def test_the_environment_is_read_when_a_client_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = Keeper()
    before = keeper.client(Holder())
    monkeypatch.setenv("DYNASPARK_TIMEOUT", "7")
    assert keeper.client(Holder()) is before
    assert Keeper().client(Holder()).settings.timeout == 7


def test_a_keeper_says_nothing_of_equality_and_copies_begin_with_their_own() -> None:
    keeper = Keeper()
    client = keeper.client(Holder(timeout=3))
    for other in (copy.copy(keeper), copy.deepcopy(keeper), pickle.loads(pickle.dumps(keeper))):
        assert other is not keeper
        assert other == keeper
        assert hash(other) == hash(keeper)
        assert other.client(Holder(timeout=4)) is not client
    assert keeper != "keeper"
