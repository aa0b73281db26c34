"""A client's settings in one table: arguments, then `DYNASPARK_*` environment variables, then defaults; all checked.

Constructors of the client and of the two models name each setting in their signatures, for editors and type checkers;
everything else reads the table. A test compares them, and the documentation, with it.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, get_args
from urllib.parse import urlsplit

from dynaspark_core.errors import ConfigError
from dynaspark_core.messages import Policy
from dynaspark_core.models import ALIASES, DEFAULT_MODEL, resolve_name
from dynaspark_core.transport.counters import redis_url
from dynaspark_core.transport.setting_checks import (
    Check,
    base_url,
    environment_proxy,
    existing_file,
    flag,
    headers,
    http_url,
    one_of,
    passwords,
    query,
    seconds,
    secret,
    text,
    texts,
    url_path,
    whole_number,
)

PATHS = {"form": "/generate_response", "api": "/api/generate_response"}
"""Route → its default path."""
API_MODEL = "openai"
"""The default model of the query API, as its documentation says; its names are not those of the form."""
PUBLIC_URL = "https://dynaspark.onrender.com"
CONNECT_TIMEOUT_SECONDS = 15.0
PUBLIC_CONCURRENCY = 10
"""Requests at a time that the public service allows."""
OTHER_CONCURRENCY = 100
"""Requests at a time to any other host: as many as aiohttp keeps connections by default."""


_SECRET_HEADER = re.compile("auth|cookie|key|secret|token|password", re.IGNORECASE)
"""Names of headers whose values are not shown."""
_SECRET_PARAMETER = re.compile("(auth|key|secret|token|password|signature)$", re.IGNORECASE)
"""Names of the query's parameters whose values are not shown; `max_tokens` is none."""


def _row(default: Any, check: Check, *, is_in_environment: bool = True, is_shown: bool = True) -> Any:
    """A setting: None as the default is not checked; `is_shown` is False for what may hold a secret."""
    metadata = {"default": default, "check": check, "is_in_environment": is_in_environment}
    return field(repr=is_shown, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Settings:
    """The table: each field is a setting with its default and its check. Plain values, so that it pickles and copies.

    `timeout` are the seconds that one attempt is waited for; `max_retries` counts the requests after the first,
    `max_repairs` those that ask for a broken answer once more.
    """

    model: str = _row("", text)
    base_url: str = _row(PUBLIC_URL, base_url, is_shown=False)
    route: str = _row("form", one_of(*PATHS))
    path: str = _row(None, url_path)  # see `settings_from`
    query: Mapping[str, str] = _row({}, query, is_in_environment=False, is_shown=False)
    api_key: str | None = _row(None, secret, is_shown=False)
    headers: Mapping[str, str] = _row({}, headers, is_in_environment=False, is_shown=False)
    proxy: str | None = _row(None, http_url, is_shown=False)
    ca_file: str | None = _row(None, existing_file)
    client_cert: str | None = _row(None, existing_file)
    trust_env: bool = _row(default=False, check=flag)
    timeout: float = _row(120.0, seconds)
    max_retries: int = _row(2, whole_number(0))
    max_repairs: int = _row(1, whole_number(0))
    max_concurrency: int = _row(None, whole_number(1))  # see `settings_from`
    requests_per_hour: int | None = _row(None, whole_number(1))
    limit_storage: str | None = _row(None, redis_url, is_shown=False)
    model_aliases: Mapping[str, str] = _row(ALIASES, texts, is_in_environment=False)
    image_policy: Policy = _row("sheet", one_of(*get_args(Policy)))  # noqa: RUF009  # it is a field
    context_window: int | None = _row(None, whole_number(1))
    allow_image_urls: bool = _row(default=True, check=flag)
    allow_files: bool = _row(default=False, check=flag)

    @property
    def origin(self) -> str:
        """Scheme and host of the service."""
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    @property
    def url(self) -> str:
        """Where the form is posted."""
        return self.base_url + self.path

    @property
    def secrets(self) -> list[str]:
        """What no message and no log may show: the key, and what headers, query and the URLs of services hold."""
        headers = [line for name, line in self.headers.items() if _SECRET_HEADER.search(name)]
        tokens = [line.rpartition(" ")[2] for line in headers]
        query = [line for name, line in self.query.items() if _SECRET_PARAMETER.search(name)]
        urls = [self.base_url, self.proxy or "", self.limit_storage or ""]
        return [self.api_key or "", *headers, *tokens, *query, *(word for url in urls for word in passwords(url))]

    @property
    def shown_query(self) -> dict[str, str]:
        """The query's parameters that may be shown."""
        return {name: line for name, line in self.query.items() if not _SECRET_PARAMETER.search(name)}

    @property
    def default_model(self) -> str:
        """The model of a caller who names none."""
        return API_MODEL if self.route == "api" else DEFAULT_MODEL

    def resolved(self, model: str = "") -> str:
        """The name that goes out for this one, or for the settings' own when it is empty."""
        if self.route == "api":
            return model or self.model or self.default_model
        return resolve_name(model or self.model, self.model_aliases)


ROWS = {row.name: row for row in fields(Settings)}
VARIABLES = {name: f"DYNASPARK_{name.upper()}" for name, row in ROWS.items() if row.metadata["is_in_environment"]}
"""Setting → the environment variable that is read for it."""


def settings_from(**given: Any) -> Settings:
    """The settings for these arguments; None means "not given". Raises `ConfigError` that names the wrong value."""
    if unknown := given.keys() - ROWS.keys():
        raise TypeError(f"unknown settings: {', '.join(sorted(unknown))}")
    values = {name: _value(name, given.get(name)) for name in ROWS}
    values["path"] = values["path"] or PATHS[values["route"]]
    check_query(values["query"], values["route"])
    if values["max_concurrency"] is None:
        is_public = urlsplit(values["base_url"]).hostname == urlsplit(PUBLIC_URL).hostname
        values["max_concurrency"] = PUBLIC_CONCURRENCY if is_public else OTHER_CONCURRENCY
    if values["trust_env"] and not values["proxy"]:
        values["proxy"] = environment_proxy(values["base_url"])
    return Settings(**values)


def check_query(query: Mapping[str, str], route: str) -> None:
    """Raise `ConfigError` for parameters on a route that does not send them."""
    if query and route != "api":
        raise ConfigError("query is given, but the form has no such fields; set route='api' to send it")


def _value(name: str, given: object) -> Any:
    row = ROWS[name].metadata
    if given is None and name in VARIABLES and (read := os.environ.get(VARIABLES[name])):
        return row["check"](f"{name} (from {VARIABLES[name]})", read)
    value = row["default"] if given is None else given
    return None if value is None else row["check"](name, value)
