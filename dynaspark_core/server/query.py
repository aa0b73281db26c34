"""The query API's question: the parameters of a GET's address → `Asked`. The second of the documented routes.

Images and speech, which the public service makes too, are 501 here.
"""

import math
from collections.abc import Mapping

from aiohttp import web

from dynaspark_core.server.engines import Asked, RefusedError
from dynaspark_core.server.rules import Rules

DEFAULT_MODEL = "openai"
"""The model that answers when the address names none, as the API's documentation says."""
SPEECH_MODEL = "openai-audio"
_RANGES = {
    "temperature": (0.0, 3.0),
    "top_p": (0.0, 1.0),
    "presence_penalty": (-2.0, 2.0),
    "frequency_penalty": (-2.0, 2.0),
}
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False, "": False}
"""In any case: the public client writes Python's `True`."""
_OTHERS = ("user_input", "model", "system", "seed", "json", "stream", "private", "referrer", "api_key")
KNOWN = (*_OTHERS, *_RANGES, "voice")


def read_query(request: web.Request, rules: Rules) -> Asked:
    """What the address asks. Raises `RefusedError`: 400 for what the API does not know, 501 for speech."""
    query = dict(request.query)
    if len(query) != len(request.query):
        raise RefusedError(400, "a parameter was sent twice")
    if unknown := sorted(query.keys() - set(KNOWN)):
        raise RefusedError(400, f"there is no parameter {unknown[0]!r}: {', '.join(KNOWN)}")
    if "voice" in query or query.get("model") == SPEECH_MODEL:
        raise RefusedError(501, "this service makes no speech; leave out 'voice' and the model openai-audio")
    if not query.get("user_input"):
        raise RefusedError(400, "the parameter 'user_input' is missing or empty")
    if max(len(value.encode(errors="replace")) for value in query.values()) > rules.max_text_bytes:
        raise RefusedError(413, f"a parameter is larger than {rules.max_text_bytes} bytes")
    for name in ("stream", "private"):
        truth(name, query.get(name, ""))
    return Asked(
        prompt=query["user_input"],
        model=query.get("model") or DEFAULT_MODEL,
        headers={name.lower(): value for name, value in request.headers.items()},
        query=query,
        system=query.get("system", ""),
        sampling=_sampling(query),
        wants_json=truth("json", query.get("json", "")),
    )


def truth(name: str, value: str) -> bool:
    """The boolean, written in any case. Raises `RefusedError`."""
    if value.lower() not in _BOOLEANS:
        raise RefusedError(400, f"the parameter {name!r} is true or false, not {value!r}")
    return _BOOLEANS[value.lower()]


def _sampling(query: Mapping[str, str]) -> dict[str, float | int]:
    sampling: dict[str, float | int] = {}
    for name, (least, most) in _RANGES.items():
        if name in query:
            sampling[name] = _number(name, query[name], least, most)
    if "seed" in query:
        if not query["seed"].removeprefix("-").isdecimal() or len(query["seed"]) > 20:
            raise RefusedError(400, f"the parameter 'seed' is an integer, not {query['seed']!r}")
        sampling["seed"] = int(query["seed"])
    return sampling


def _number(name: str, value: str, least: float, most: float) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not least <= number <= most:
        raise RefusedError(400, f"the parameter {name!r} is a number from {least:g} to {most:g}, not {value!r}")
    return number
