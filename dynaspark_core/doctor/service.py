"""The steps on the service: which route answers and how, and what a question may hold. Each gives words for a row."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from dynaspark_core.doctor import picture
from dynaspark_core.doctor.counted import CountedClient
from dynaspark_core.doctor.report import NOT_ASKED
from dynaspark_core.errors import (
    ConfigError,
    ConnectError,
    DynasparkError,
    RequestTimeoutError,
    ServerError,
    StatusError,
    WakingUpError,
)
from dynaspark_core.transport.settings import PATHS
from dynaspark_core.wire.pacing import requested_wait

WAITS = (5.0, 15.0, 30.0)
"""Seconds between two requests while the host wakes up, which takes it up to a minute."""
Wait = Callable[[float], Awaitable[None]]
Words = tuple[str, str]
"""What was found, and details."""
Ask = Callable[[CountedClient], Awaitable[Words]]
LONG_CHARACTERS = 16_000
_LINE = "This line tells of the weather and of the sea, and nothing in it matters.\n"
_GREETING = "Answer with the one word: ready"
_KINDS = {"json": "JSON", "event-stream": "events", "html": "an HTML page", "plain": "text"}
"""The last part of a content type → how the answer comes."""


async def ask_route(client: CountedClient, wait: Wait, waits: Sequence[float]) -> Words | DynasparkError:
    """What the route answers, asked again after each of the `waits` while the host seems to wake up; or its error."""
    started, left = time.monotonic(), list(waits)
    while True:
        try:
            reply = await client.complete(_GREETING)
        except DynasparkError as exc:
            if not left or not isinstance(exc, WakingUpError | ServerError):
                return exc
            await wait(left.pop(0))
            continue
        tally, seconds = client.tally, time.monotonic() - started
        facts = [f"status {tally.status}", _kind(tally.headers), f"{seconds:.1f} s"]
        facts += ["its host had to wake up"] if len(left) < len(waits) else []
        facts += [f"it calls its model {reply.model}"] if reply.model else []
        return "answers", ", ".join(facts)


def _kind(headers: Mapping[str, str]) -> str:
    kind = headers.get("Content-Type", "").partition(";")[0].strip()
    return _KINDS.get(kind.rpartition("/")[2], kind or "no content type")


def failed(error: DynasparkError) -> Words:
    """The words for a question that was not answered."""
    if isinstance(error, ConfigError):
        return NOT_ASKED, str(error)
    if isinstance(error, StatusError):
        return f"status {error.status}" if error.status else NOT_ASKED, str(error)
    kinds = {ConnectError: "no connection", RequestTimeoutError: "no answer in time", WakingUpError: "a page"}
    return kinds.get(type(error), "no answer that can be read"), str(error)


def reachable(client: CountedClient, errors: list[DynasparkError]) -> Words:
    """Whether the host can be reached: by name, TLS and proxy. `errors` are those of the routes that did not answer."""
    settings = client.settings
    way = [settings.origin, "with TLS" if settings.origin.startswith("https") else "without TLS"]
    way += ["through a proxy"] if settings.proxy else []
    unreached = [error for error in errors if isinstance(error, ConnectError)]
    if len(unreached) == len(PATHS):
        return "no", f"{', '.join(way)}: {unreached[0]}"
    return "yes", ", ".join(way)


def quota(headers: Mapping[str, str]) -> Words:
    """What the last answer's headers say of the service's quota."""
    limit, left = (headers.get(f"X-RateLimit-{name}", "?") for name in ("Limit", "Remaining"))
    if limit == left == "?":
        return "says nothing", "no X-RateLimit headers"
    seconds = requested_wait(headers, None, time.time(), is_spent=True)
    return f"{left} of {limit} left", "" if seconds is None else f"new in {seconds:,.0f} s"


async def streams(client: CountedClient) -> Words:
    """In how many pieces a text arrives."""
    pieces = [piece async for piece in client.stream("Count from 1 to 20, with one number on each line.")]
    kind, length = _kind(client.tally.headers), len("".join(pieces))
    return "in one piece" if len(pieces) < 2 else f"in {len(pieces)} pieces", f"{kind}, {length} characters"


async def sees(client: CountedClient) -> Words:
    """What the model tells of a picture: its word needs a reader of letters, its colour an eye."""
    reply = await client.complete(picture.QUESTION, images=[("picture.png", picture.png())])
    said = reply.text.casefold()
    seen = [name for name, wanted in (("word", picture.WORD), ("colour", picture.COLOUR)) if wanted.casefold() in said]
    return f"its {' and '.join(seen)}" if seen else "nothing right", _said(reply.text)


async def follows(client: CountedClient) -> Words:
    """Whether the model does what a system text says."""
    system = {"role": "system", "content": "Begin every answer with the word AHOY."}
    reply = await client.complete([system, {"role": "user", "content": "What is the capital of France?"}])
    return "yes" if reply.text.strip(" *\"'").casefold().startswith("ahoy") else "no", _said(reply.text)


async def remembers(client: CountedClient) -> Words:
    """Whether the model finds what is at the start of a long prompt."""
    filling = _LINE * (LONG_CHARACTERS // len(_LINE))
    reply = await client.complete(f"The code word is HERON.\n\n{filling}\nWhat is the code word?")
    return "yes" if "heron" in reply.text.casefold() else "no", _said(reply.text)


def _said(text: str) -> str:
    words = " ".join(text.split())
    return f"it wrote: {words[:80]}{'…' if len(words) > 80 else ''}"


STEPS: dict[str, Ask] = {
    "streams": streams,
    "sees a picture": sees,
    "follows a system text": follows,
    f"finds a word in {LONG_CHARACTERS:,}": remembers,
}
"""What is asked once, after the routes."""
