"""Settings: arguments, then environment, then defaults; a wrong one is named before anything is sent."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from dynaspark_core import DynasparkClient, models
from dynaspark_core.client.of_model import FIELDS
from dynaspark_core.errors import ConfigError
from dynaspark_core.transport.settings import (
    OTHER_CONCURRENCY,
    PUBLIC_CONCURRENCY,
    PUBLIC_URL,
    ROWS,
    VARIABLES,
    settings_from,
)
from dynaspark_core.wire.query import SAMPLING
from langchain_dynaspark import ChatDynaspark
from langchain_dynaspark.fields import ConfiguredChatModel
from llama_index_dynaspark import Dynaspark

ROOT = Path(__file__).parent.parent
OF_LANGCHAIN = {"stop", "streaming", "max_tokens", "top_k", *SAMPLING}
OF_LLAMA_INDEX = {
    *("stop", "allow_image_paths", "num_output", "is_function_calling_model"),
    *SAMPLING,
    *("max_tokens", "callback_manager", "rate_limiter", "system_prompt", "messages_to_prompt"),
    *("completion_to_prompt", "pydantic_program_mode", "output_parser", "query_wrapper_prompt"),
}
"""Parameters of the models that are no settings of the client."""
IN_LLAMA_INDEX = set(FIELDS.values()) - {"allow_files"}
"""It has `allow_image_paths` in place of `allow_files`."""


def parameters(kind: type) -> set[str]:
    return set(inspect.signature(kind).parameters)


def test_the_client_and_both_models_take_exactly_the_settings_of_the_table() -> None:
    assert parameters(DynasparkClient) == ROWS.keys()
    assert vars(ConfiguredChatModel)["__annotations__"].keys() - OF_LANGCHAIN == set(FIELDS.values())
    assert parameters(Dynaspark) - OF_LLAMA_INDEX == IN_LLAMA_INDEX
    assert Dynaspark.model_fields.keys() >= IN_LLAMA_INDEX


@pytest.mark.parametrize(
    ("described", "names"),
    [(DynasparkClient, set(ROWS)), (ChatDynaspark, set(FIELDS.values())), (Dynaspark, IN_LLAMA_INDEX)],
)
def test_each_class_describes_every_setting(described: type, names: set[str]) -> None:
    assert names - set(re.findall(r"\w+", described.__doc__ or "")) == set()


def test_the_documented_table_has_exactly_the_settings() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8").split("| setting | default |")[1].split("\n\n")[0]
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`[^|]*) \|", readme + page, re.MULTILINE)
    assert {name for cell in cells for name in re.findall(r"`(\w+)`", cell)} == {*ROWS, "default_headers"}


def test_what_maps_names_is_an_argument_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ROWS.keys() - VARIABLES.keys() == {"headers", "model_aliases", "query"}
    monkeypatch.setenv("DYNASPARK_HEADERS", "no mapping")
    assert settings_from().headers == {}


@pytest.mark.parametrize("name", sorted(VARIABLES.keys() - {"model"}))
def test_a_wrong_value_of_the_environment_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLES[name], "no such\nvalue")
    with pytest.raises(ConfigError, match=rf"^{name} \(from {VARIABLES[name]}\)"):
        settings_from()


def test_a_name_that_is_no_setting_is_refused() -> None:
    with pytest.raises(TypeError, match="temperatur"):
        settings_from(temperatur=1)


def test_the_defaults_are_the_public_service() -> None:
    default = settings_from()
    assert (default.url, default.origin) == (f"{PUBLIC_URL}/generate_response", PUBLIC_URL)
    assert (default.api_key, default.proxy, default.headers) == (None, None, {})
    assert default.max_concurrency == PUBLIC_CONCURRENCY
    assert settings_from(base_url="http://localhost:1").max_concurrency == OTHER_CONCURRENCY


def test_an_argument_wins_over_the_environment_and_that_over_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DYNASPARK_BASE_URL", "http://env:1/")
    monkeypatch.setenv("DYNASPARK_TIMEOUT", "7.5")
    monkeypatch.setenv("DYNASPARK_MAX_RETRIES", "0")
    assert (settings_from().base_url, settings_from().timeout, settings_from().max_retries) == ("http://env:1", 7.5, 0)
    assert settings_from(base_url="http://arg:2", timeout=1, max_retries=4).max_retries == 4


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("base_url", "nope", "nope"),
        ("base_url", "ftp://host", "ftp://host"),
        ("base_url", "http://", "http:"),
        ("base_url", "http://host:99999", "99999"),
        ("base_url", "http://a b", "a b"),
        ("base_url", "http://host?x=1", "query"),
        ("base_url", 5, "int"),
        ("base_url", "http://user:\ud800@host", "host"),
        ("base_url", "http://host/\x00", "host"),
        ("path", "/a\x7f", "/a"),
        ("path", "/\udcff", "/"),
        ("proxy", "http://user:\udcff@host", "host"),
        ("path", "generate", "generate"),
        ("path", "/a?b", "/a"),
        ("proxy", "socks5://host:1", "socks5://host:1"),
        ("timeout", -1, "-1"),
        ("timeout", 0, "0"),
        ("timeout", float("inf"), "inf"),
        ("timeout", "soon", "soon"),
        ("timeout", True, "True"),
        ("max_retries", -1, "-1"),
        ("max_retries", 1.5, "1.5"),
        ("max_concurrency", 0, "0"),
        ("requests_per_hour", 0, "0"),
        ("requests_per_hour", 1.5, "1.5"),
        ("requests_per_hour", True, "True"),
        ("requests_per_hour", "many", "many"),
        ("limit_storage", "localhost:6379", "redis://host:6379"),
        ("limit_storage", "http://host:6379", "redis://host:6379"),
        ("limit_storage", "memory://", "redis://host:6379"),
        ("limit_storage", "redis://", "redis://host:6379"),
        ("limit_storage", "redis://host:99999", "redis://host:6379"),
        ("limit_storage", "redis://ho st", "redis://host:6379"),
        ("limit_storage", "unix:///run/redis", re.escape("redis+unix:///")),
        ("limit_storage", "redis+unix://", re.escape("redis+unix:///")),
        ("limit_storage", 6379, "int"),
        ("headers", {"A B": "x"}, "A B"),
        ("headers", {"A(B)": "x"}, re.escape("A(B)")),
        ("headers", {"": "x"}, "''"),
        ("headers", {"Ä": "x"}, "Ä"),
        ("headers", {"A": "x\r\nB: y"}, "A"),
        ("headers", {"A": 1}, "headers"),
        ("headers", {"A": "\x01"}, "A"),
        ("headers", {"Transfer-Encoding": "chunked"}, "Transfer-Encoding"),
        ("headers", [("A", "b")], "headers"),
        ("model_aliases", {"a": None}, "model_aliases"),
        ("query", {"temperature": "3.1"}, "'3.1'; the query API takes a number from 0 to 3"),
        ("query", {"temperature": "warm"}, "'warm'; the query API takes a number from 0 to 3"),
        ("query", {"top_p": "nan"}, "'nan'; the query API takes a number from 0 to 1"),
        ("query", {"presence_penalty": "-2.1"}, "'-2.1'; the query API takes a number from -2 to 2"),
        ("query", {"frequency_penalty": "inf"}, "'inf'; the query API takes a number from -2 to 2"),
        ("query", {"seed": "1.5"}, "'1.5'; the query API takes a whole number"),
        ("query", {"seed": ""}, "''; the query API takes a whole number"),
        ("query", {"user_input": "x"}, "it is the prompt"),
        ("query", {"model": "mistral"}, "set model"),
        ("query", {"system": "x"}, "send a system message first"),
        ("query", {"json": "true"}, "response_format"),
        ("query", {"stream": "true"}, "where a call streams"),
        ("query", {"api_key": "k"}, "set api_key"),
        ("model", 5, "int"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: Any, shown: str) -> None:
    with pytest.raises(ConfigError, match=shown) as caught:
        settings_from(**{name: value})
    assert name in str(caught.value)


def test_a_wrong_key_or_password_is_not_shown() -> None:
    with pytest.raises(ConfigError) as key:
        settings_from(api_key="se\ncret")
    with pytest.raises(ConfigError) as proxy:
        settings_from(proxy="socks5://user:secret@host:1")
    assert "cret" not in f"{key.value} {proxy.value}"
    for wrong in ("user:secret@host:8080", "http://user:secret", "http://user:secret#x@host", b"http://user:secret@h"):
        with pytest.raises(ConfigError) as caught:
            settings_from(proxy=wrong)
        assert "user:secret@" not in str(caught.value)
        assert caught.value.__cause__ is None
    for wrong in ("redis://:secret", "redis://u:secret@", "rdis://u:secret@h", "redis://u:sec ret@h", "secret"):
        with pytest.raises(ConfigError) as storage:
            settings_from(limit_storage=wrong)
        assert "ret" not in str(storage.value)
        assert storage.value.__cause__ is None
    client = DynasparkClient(api_key="secret", proxy="http://u:secret@host:1", headers={"A": "secret"})
    assert "secret" not in f"{client!r} {client.settings!r}"


def test_there_is_no_own_limit_unless_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (settings_from().requests_per_hour, settings_from().limit_storage) == (None, None)
    monkeypatch.setenv("DYNASPARK_REQUESTS_PER_HOUR", "100")
    monkeypatch.setenv("DYNASPARK_LIMIT_STORAGE", "rediss://u:p@host:6380/2")
    assert (settings_from().requests_per_hour, settings_from().limit_storage) == (100, "rediss://u:p@host:6380/2")
    assert settings_from(requests_per_hour=7, limit_storage="redis+unix:///s").requests_per_hour == 7


def test_an_unknown_keyword_is_refused() -> None:
    with pytest.raises(TypeError, match="temprature"):
        DynasparkClient(temprature=1)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("name", "aliases", "expected"),
    [
        ("", {}, "gemini-1.5-flash"),
        ("gemini-2.0-flash", models.ALIASES, "gemini-2.0-flash"),
        ("fast", {"fast": "gemini-2.0-flash-lite"}, "gemini-2.0-flash-lite"),
        ("gemini-9", {}, "gemini-9"),
    ],
)
def test_a_known_name_wins_over_an_alias(name: str, aliases: dict[str, str], expected: str) -> None:
    assert models.resolve_name(name, aliases) == expected
