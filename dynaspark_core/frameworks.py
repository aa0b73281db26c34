"""What the two faces share: what the keywords of a call mean, and what is said of a model."""

import json
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from types import FrameType
from typing import Any
from urllib.parse import urlsplit
from warnings import warn

from pydantic import BaseModel

from dynaspark_core import models
from dynaspark_core.client import DynasparkClient
from dynaspark_core.errors import ConfigError
from dynaspark_core.messages import Chat, Reply
from dynaspark_core.messages.making import QuicklyMade
from dynaspark_core.transport.settings import PUBLIC_URL, Settings
from dynaspark_core.wire.query import SAMPLING, sampling

OF_GENERATION = (*SAMPLING, "max_tokens", "top_k")
"""Fields of the frameworks' models that ask for another way to generate: `route="api"` sends those of `SAMPLING`."""
OF_GENERATION_IN_A_CALL = (*OF_GENERATION, "logit_bias", "reasoning_effort")
"""Keywords of one call that do; what is not sent is accepted with a warning."""
WITHOUT_EFFECT = ("n", "user", "stream")
"""Keywords of one call that change nothing. `n` counts answers, and the service gives one."""
SECOND_NAMES = {"model_name": "model", "stop_sequences": "stop"}
"""Keywords of one call that mean the same as another."""
NAMES_OF_PEERS = {
    "api_base": "base_url",
    "base_uri": "base_url",
    "default_query": "base_url",
    "headers": "extra_headers",
    "max_completion_tokens": "max_tokens",
    "max_new_tokens": "max_tokens",
    "max_output_tokens": "max_tokens",
    "num_predict": "max_tokens",
    "openai_api_key": "api_key",
    "openai_api_base": "base_url",
    "format": "response_format",
    "functions": "tools",
    "function_call": "tool_choice",
    "request_timeout": "timeout",
}
"""What other integrations call it. These names only help: none of them is taken for ours."""
MAX_LEVEL_OF_CALLER = 100
FRAMEWORKS = frozenset(
    (
        *("dynaspark_core", "langchain_dynaspark", "llama_index_dynaspark"),
        *("asyncio", "concurrent", "contextlib", "functools", "threading", "pydantic", "wrapt"),
        *("langchain", "langchain_core", "langgraph", "llama_index", "llama_index_instrumentation"),
    )
)
"""Packages that are not the caller whom a warning is for."""
_OF_A_CALL = frozenset(("model", "stop", "timeout", "extra_headers"))
_OTHERS_OF_A_CALL = frozenset((*OF_GENERATION_IN_A_CALL, *WITHOUT_EFFECT, *SECOND_NAMES))


def without_user(url: str) -> str:
    """The URL without user and password, for what is shown or stored of a model."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def about_model(settings: Settings) -> models.Model:
    """What the frameworks plan by: what is published of the settings' model, or what a `context_window` says.

    Where the window is set, the longest answer is at most a quarter of it. Warns once of a window that nobody knows.
    """
    known = models.describe_model(settings.resolved())
    if (window := settings.context_window) is not None:
        return replace(known, context_window=window, max_output=min(known.max_output, max(1, window // 4)))
    if known.name not in models.MODELS and settings.origin != PUBLIC_URL:
        _warn_of_unknown_window(known)
    return known


@lru_cache(maxsize=64)
def _warn_of_unknown_window(model: models.Model) -> None:
    message = f"the context window of {model.name!r} is not known: {model.context_window:,} tokens are assumed"
    warn(f"{message}; set context_window or DYNASPARK_CONTEXT_WINDOW", UserWarning, _level_of_caller())


@dataclass(frozen=True, slots=True)
class CallOptions(QuicklyMade):
    """What the keywords of one call mean: the client for this call, and in `own` those that the face itself reads."""

    client: DynasparkClient
    model: str
    stop: object
    own: Mapping[str, Any]


def call_options(
    given: Mapping[str, Any], own: Collection[str], client: DynasparkClient, warned: set[str]
) -> CallOptions:
    """What the keywords of one call mean; the one table of them. `own` are those that the face reads itself.

    Warns of those that are not sent, each once for what is in `warned`. Raises `ConfigError` for any other keyword.
    """
    if not given:
        return CallOptions(client, "", None, {})
    if asked := {name: given[name] for name in OF_GENERATION_IN_A_CALL if name in given}:
        warn_of_unsent(asked, client.settings.route, warned)
    if (count := given.get("n")) not in (None, 1):  # what cannot be hashed is no count either
        raise ConfigError(f"n is {count!r}: the service gives one answer to a question; ask {count!r} times")
    for second, name in SECOND_NAMES.items():
        if given.get(second) is not None and given.get(name):
            raise ConfigError(f"{name} and {second} mean the same; give one of them")
    known = {SECOND_NAMES.get(name, name): value for name, value in given.items() if value is not None}
    if unknown := given.keys() - own - _OF_A_CALL - _OTHERS_OF_A_CALL:
        raise ConfigError(f"unknown parameters for one call: {', '.join(_with_advice(unknown, {*_OF_A_CALL, *own}))}")
    sent = sampling(asked, client.settings.route) if asked else None
    return CallOptions(
        client.with_options(timeout=known.get("timeout"), extra_headers=known.get("extra_headers"), query=sent),
        model=known.get("model", ""),
        stop=known.get("stop"),
        own={name: value for name, value in given.items() if name in own},
    )


def _with_advice(unknown: Collection[str], known: Collection[str]) -> Iterator[str]:
    for name in sorted(unknown):
        meant = NAMES_OF_PEERS.get(name) or (get_close_matches(name, [*known, *OF_GENERATION_IN_A_CALL], 1) or [""])[0]
        is_setting = meant and meant not in {*known, *OF_GENERATION_IN_A_CALL}
        yield f"{name} (did you mean {meant}{', a setting of the model' if is_setting else ''}?)" if meant else name


def listed(tools: Any) -> Iterable[Any]:
    """The tools, if there may be several. Raises `ConfigError` for a single one, which is easily given."""
    if isinstance(tools, str | Mapping | BaseModel) or not isinstance(tools, Iterable):
        raise ConfigError(f"tools is of type {type(tools).__name__}; give a list of tools")
    return tools


def choice_in(choice: Mapping[str, Any]) -> object:
    """The tool's name or the word that OpenAI's, Anthropic's or Bedrock's dictionary says; of an empty one `auto`.

    Raises `ConfigError` for any other.
    """
    inner = next((choice[key] for key in ("function", "custom", "tool") if key in choice), choice)
    named = inner.get("name") if isinstance(inner, Mapping) else inner
    said = named or choice.get("type")
    if said is None and len(choice) < 2:  # Bedrock's word is the only key
        said = next(iter(choice), "auto")
    if said is None:
        raise ConfigError(f"tool_choice is {dict(choice)!r}; give a tool's name, 'auto', 'any' or OpenAI's dictionary")
    return said


def response_schema(value: Any, of_class: Callable[[Any], Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The schema of the JSON value that a `response_format` asks for; None when any text will do.

    It may be OpenAI's dictionary (`text`, `json_object`, `json_schema`); `of_class` reads anything else.
    """
    kind = value.get("type") if value is not None and isinstance(value, Mapping) else None
    if value is None or kind == "text":
        return None
    if kind == "json_object":
        return {"type": "object"}
    if kind != "json_schema":
        return of_class(value)
    inner = value.get("json_schema", value)
    schema = inner.get("schema") if isinstance(inner, Mapping) else None
    if not isinstance(schema, Mapping):
        raise ConfigError("response_format is of type 'json_schema' and holds no schema")
    return schema


async def json_reply(client: DynasparkClient, chat: Chat) -> Reply:
    """The reply, its text the value of the chat's schema as JSON. Raises `OutputError` where it holds none."""
    found = await client.value(chat)
    has_calls = bool(found.reply.tool_calls or found.reply.invalid_tool_calls)
    return found.reply if has_calls else replace(found.reply, text=json.dumps(found.value, ensure_ascii=False))


def warn_of_unsent(values: Mapping[str, object], route: str, warned: set[str]) -> None:
    """Warn the caller, once for `warned`, of parameters that are not None and that the route does not send."""
    unsent = values.keys() - sampling(values, route).keys() - warned
    if given := [name for name in values if name in unsent and values[name] is not None]:
        warned.update(given)
        elsewhere = ", ".join(name for name in given if name in SAMPLING)
        message = f"Dynaspark has no field for {', '.join(given)}: accepted, not sent"
        warn(message + (f"; route='api' sends {elsewhere}" if elsewhere else ""), UserWarning, _level_of_caller())


def _level_of_caller() -> int:
    """The `stacklevel` of the first frame above `warn_of_unsent` that is no framework's; 1 where there is none."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001  # `warn(skip_file_prefixes=…)` comes with Python 3.12
    level = 2
    while frame is not None and level < MAX_LEVEL_OF_CALLER:
        if str(frame.f_globals.get("__name__", "")).partition(".")[0] not in FRAMEWORKS:
            return level
        frame, level = frame.f_back, level + 1
    return 1
