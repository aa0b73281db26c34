"""`python -m dynaspark_core serve`: the service in the foreground, until Ctrl-C or SIGTERM."""

import argparse
import asyncio
import logging
import math
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from dynaspark_core.errors import ConfigError
from dynaspark_core.server.engines import Engine
from dynaspark_core.server.loading import LoadingEngine
from dynaspark_core.server.local import hub
from dynaspark_core.server.local.engine import Local
from dynaspark_core.server.local.model import MAX_REPLY_TOKENS
from dynaspark_core.server.openai import KEY, MAX_ANSWER_TOKENS, TIMEOUT_SECONDS, OpenAI
from dynaspark_core.server.origins import is_loopback
from dynaspark_core.server.rules import Rules
from dynaspark_core.server.running import LOOPBACK, listening
from dynaspark_core.server.script import Script

LOG = logging.getLogger(__name__)
PORT = 8323
GRACE_SECONDS = 30.0
SERVICE_KEY = "DYNASPARK_SERVICE_KEY"
"""The environment variable of `--api-key`, which others on the machine could read in the list of processes."""
LEVELS = ("debug", "info", "warning", "error")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `run` to the parser."""
    add = parser.add_argument
    add("--engine", choices=tuple(_ENGINES), default="local", help="a small model, your endpoint, or a scripted answer")
    add("--model", metavar="FILE.gguf", help=f"engine local: another model, or {hub.FORM} from the Hugging Face hub")
    add("--threads", type=int, help="engine local: processor cores to compute on; default: 1")
    add("--upstream", metavar="URL", help=f"engine openai: an OpenAI-compatible endpoint (…/v1); its key: {KEY}")
    add("--upstream-model", metavar="NAME", help="engine openai: the model for all; default: the one that is asked for")
    add("--roles", action="store_true", default=None, help="engine openai: the prompt's turns become chat messages")
    add("--temperature", type=float, help="engine openai: default: the endpoint's own")
    add("--timeout", type=float, metavar="S", help=f"engine openai: seconds of silence; default: {TIMEOUT_SECONDS:g}")
    most = f"engine local: {MAX_REPLY_TOKENS}, engine openai: {MAX_ANSWER_TOKENS}"
    add("--max-tokens", type=int, metavar="N", help=f"an answer is cut after N tokens; default: {most}")
    add("--answer", metavar="TEXT", help="engine script: what every request gets; default: Hello.")
    add("--host", default=LOOPBACK, help="the address to listen on; default: this machine only")
    add("--port", type=int, default=PORT, help=f"default: {PORT}; 0: any free one")
    add("--allow-host", action="append", default=[], metavar="NAME", help="a name by which clients call the service")
    add("--allow-origin", action="append", default=[], metavar="ORIGIN", help="a web page that may ask it: https://…")
    add("--api-key", metavar="KEY", help=f"the key that every request must carry; default: {SERVICE_KEY}")
    many = Rules().requests_per_hour
    add("--requests-per-hour", type=int, default=many, metavar="N", help=f"then 429 is answered; default: {many}")
    add("--grace", type=float, default=GRACE_SECONDS, metavar="S",
        help=f"seconds that requests in progress have when it is stopped; default: {GRACE_SECONDS:g}")  # fmt: skip
    add("--log-level", choices=LEVELS, default="info", help="info (default) logs one line a request, to stderr")


def run(options: argparse.Namespace) -> int:
    """The exit code 0, after the service has run and was told to stop. Raises `ConfigError` when it cannot start."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("dynaspark_core").setLevel(options.log_level.upper())
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # its warnings are on how long a step took, in debug mode
    key = os.environ.get(SERVICE_KEY) or None if options.api_key is None else options.api_key
    rules = Rules(
        api_key=key,
        requests_per_hour=options.requests_per_hour,
        allow_hosts=tuple(options.allow_host),
        allow_origins=tuple(options.allow_origin),
    )
    for name, engines in _OPTIONS.items():
        if options.engine not in engines and getattr(options, name) is not None:
            raise ConfigError(f"--{name.replace('_', '-')} is for --engine {' or '.join(engines)}")
    if not 0 <= options.grace < math.inf:
        raise ConfigError(f"--grace is {options.grace:g}; it must be a number of seconds, 0 or more")
    if options.engine == "openai" and not options.upstream:
        raise ConfigError("--engine openai needs --upstream URL, e.g. http://localhost:11434/v1")
    if key is None and options.host and not is_loopback(options.host):
        LOG.warning("anybody who reaches %s can use this service: set %s", options.host, SERVICE_KEY)
    asyncio.run(_serve(lambda: _ENGINES[options.engine](options), rules, options))
    return 0


async def _serve(make: Callable[[], Engine], rules: Rules, options: argparse.Namespace) -> None:
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    numbers = [signal.SIGINT, signal.SIGTERM]
    if sys.platform == "win32":
        numbers.append(signal.SIGBREAK)

    def stop(*_: object) -> None:
        """Tell the service to stop; a second signal ends the process at once."""
        for number in numbers:
            signal.signal(number, signal.default_int_handler)
        loop.call_soon_threadsafe(told.set)

    engine = LoadingEngine(options.engine, make)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        async with listening(engine, rules, options.host, options.port, options.grace) as url:
            ended, loaded = asyncio.create_task(told.wait()), asyncio.create_task(engine.load())
            await asyncio.wait([ended, loaded], return_when=asyncio.FIRST_COMPLETED)
            if loaded.done():
                made = await loaded
                sys.stdout.write(f"Listening on {url} (DYNASPARK_BASE_URL; the form: {rules.path}; Ctrl-C stops)\n")
                if isinstance(made, Local):
                    window = made.context_window
                    sys.stdout.write(f"DYNASPARK_CONTEXT_WINDOW={window} (tokens; for RAG and agents)\n")
                sys.stdout.flush()
            await ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _local(options: argparse.Namespace) -> Engine:
    given = {name: getattr(options, name) for name in ("threads", "max_tokens") if getattr(options, name) is not None}
    name = options.model or ""
    return Local(hub.fetch(name) if name.startswith(hub.PREFIX) else Path(name) if name else None, **given)


def _script(options: argparse.Namespace) -> Engine:
    answer = "Hello." if options.answer is None else options.answer
    return Script(lambda _asked: str(answer))


def _openai(options: argparse.Namespace) -> Engine:
    names = ("temperature", "timeout", "max_tokens")
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    return OpenAI(options.upstream, model=options.upstream_model, has_roles=bool(options.roles), **given)


_ENGINES = {"local": _local, "openai": _openai, "script": _script}
_OPTIONS = {
    "model": ("local",),
    "threads": ("local",),
    "max_tokens": ("local", "openai"),
    "upstream": ("openai",),
    "upstream_model": ("openai",),
    "roles": ("openai",),
    "temperature": ("openai",),
    "timeout": ("openai",),
    "answer": ("script",),
}
"""The options that not every engine has, and which have them."""
