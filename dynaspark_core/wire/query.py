"""The query API's parameters: their names and ranges, those of one question, and the longest request line. No I/O.

Source of the names and ranges: the service's published page.
"""

import math
from collections.abc import Mapping

from dynaspark_core.errors import ConfigError
from dynaspark_core.wire.http import encoded

RANGES = {
    "temperature": (0, 3),
    "top_p": (0, 1),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
}
"""Sampling parameter → the least and the greatest number that the API takes."""
SAMPLING = (*RANGES, "seed")
MAX_REQUEST_LINE_BYTES = 4000
"""Servers commonly refuse request lines over 4 to 8 kB."""
_SET_ELSEWHERE = {
    "user_input": "it is the prompt",
    "model": "set model",
    "system": "send a system message first",
    "json": "it is sent where a call asks for JSON, as with response_format",
    "stream": "it is sent where a call streams",
    "api_key": "set api_key, which no message shows",
}


def query(prompt: str, model: str, system: str, own: Mapping[str, str], *, wants_json: bool) -> dict[str, str]:
    """The parameters of a question; `own` are those of the caller. Raises `ConfigError` for text UTF-8 cannot hold."""
    given = {"user_input": prompt, "model": model, "system": system, "json": "true" if wants_json else ""}
    asked = dict(own) | {name: value for name, value in given.items() if value}
    for name, value in asked.items():
        encoded(name, value)
    return asked


def sampling(given: Mapping[str, object], route: str) -> dict[str, object]:
    """Those of the parameters that are not None and that the route sends: the form has no such fields."""
    return {name: value for name, value in given.items() if value is not None and route == "api" and name in SAMPLING}


def parameters(given: Mapping[str, object]) -> dict[str, str]:
    """The caller's parameters as they are sent. Raises `ConfigError` for what maps no names, and as `parameter`."""
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise ConfigError(f"query is of type {type(given).__name__}; it must map names, as text, to values")
    return {name: parameter(name, value) for name, value in given.items()}


def parameter(name: str, value: object, shown: str = "") -> str:
    """A parameter of the caller's as it is sent; a number for what is in `SAMPLING`, as text also, otherwise text.

    Raises `ConfigError`, which calls it `shown`, for a number out of its range, and for what is set in another way.
    """
    shown = shown or name
    if name in _SET_ELSEWHERE:
        raise ConfigError(f"{shown} is not for query: {_SET_ELSEWHERE[name]}")
    if name in RANGES:
        return _number(shown, value, *RANGES[name])
    return _whole_number(shown, value) if name == "seed" else str(value)


def _number(shown: str, value: object, least: int, greatest: int) -> str:
    try:
        number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]  # what is none raises
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not least <= number <= greatest:
        raise ConfigError(f"{shown} is {value!r}; the query API takes a number from {least} to {greatest}")
    return f"{number:g}" if float(f"{number:g}") == number else repr(number)


def _whole_number(shown: str, value: object) -> str:
    try:
        number = int(value)  # type: ignore[call-overload]  # what is none raises
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None or isinstance(value, bool) or (isinstance(value, float) and number != value):
        raise ConfigError(f"{shown} is {value!r}; the query API takes a whole number")
    return str(number)


def check_request_line(target: str) -> None:
    """Check the length of a request's target. Raises `ConfigError` for one that servers refuse."""
    size = len(f"GET {target} HTTP/1.1".encode())
    if size > MAX_REQUEST_LINE_BYTES:
        raise ConfigError(
            f"the prompt makes a request line of {size:,} bytes, and servers take {MAX_REQUEST_LINE_BYTES:,}: "
            "use route='form', or ask for less"
        )
