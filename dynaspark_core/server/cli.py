"""`python -m dynaspark_core serve`: the service in the foreground, until Ctrl-C or SIGTERM."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from dynaspark_core.errors import ConfigError
from dynaspark_core.server.engines import Engine
from dynaspark_core.server.local.engine import Local
from dynaspark_core.server.openai import KEY, OpenAI
from dynaspark_core.server.origins import is_loopback
from dynaspark_core.server.rules import Rules
from dynaspark_core.server.running import LOOPBACK, listening
from dynaspark_core.server.script import Script

LOG = logging.getLogger(__name__)
PORT = 8323
SERVICE_KEY = "DYNASPARK_SERVICE_KEY"
"""The environment variable of `--api-key`, which others on the machine could read in the list of processes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `run` to the parser."""
    add = parser.add_argument
    add("--engine", choices=tuple(_ENGINES), default="local", help="a small model, your endpoint, or a scripted answer")
    add("--model", type=Path, metavar="FILE.gguf", help="engine local: another model; default: SmolLM2-135M-Instruct")
    add("--threads", type=int, help="engine local: processor cores to compute on; default: 1")
    add("--upstream", metavar="URL", help=f"engine openai: an OpenAI-compatible endpoint (…/v1); its key: {KEY}")
    add("--upstream-model", metavar="NAME", help="engine openai: the model for all; default: the one that is asked for")
    add("--answer", metavar="TEXT", help="engine script: what every request gets; default: Hello.")
    add("--host", default=LOOPBACK, help="the address to listen on; default: this machine only")
    add("--port", type=int, default=PORT, help=f"default: {PORT}; 0: any free one")
    add("--allow-host", action="append", default=[], metavar="NAME", help="a name by which clients call the service")
    add("--allow-origin", action="append", default=[], metavar="ORIGIN", help="a web page that may ask it: https://…")
    add("--api-key", metavar="KEY", help=f"the key that every request must carry; default: {SERVICE_KEY}")
    many = Rules().requests_per_hour
    add("--requests-per-hour", type=int, default=many, metavar="N", help=f"then 429 is answered; default: {many}")


def run(options: argparse.Namespace) -> int:
    """The exit code 0, after the service has run and was told to stop. Raises `ConfigError` when it cannot start."""
    key = os.environ.get(SERVICE_KEY) or None if options.api_key is None else options.api_key
    rules = Rules(
        api_key=key,
        requests_per_hour=options.requests_per_hour,
        allow_hosts=tuple(options.allow_host),
        allow_origins=tuple(options.allow_origin),
    )
    if key is None and not is_loopback(options.host):
        LOG.warning("anybody who reaches %s can use this service: set %s", options.host, SERVICE_KEY)
    for name, engine in _OPTIONS.items():
        if engine != options.engine and getattr(options, name) is not None:
            raise ConfigError(f"--{name.replace('_', '-')} is for --engine {engine}")
    asyncio.run(_serve(_ENGINES[options.engine](options), rules, options.host, options.port))
    return 0


async def _serve(engine: Engine, rules: Rules, host: str, port: int) -> None:
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    async with listening(engine, rules, host, port) as url:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(told.set))
        sys.stdout.write(f"Listening on {url} (DYNASPARK_BASE_URL; the form goes to {rules.path}; Ctrl-C stops)\n")
        if isinstance(engine, Local):
            sys.stdout.write(f"DYNASPARK_CONTEXT_WINDOW={engine.context_window} (tokens; for RAG and agents)\n")
        sys.stdout.flush()
        await told.wait()


def _local(options: argparse.Namespace) -> Engine:
    return Local(options.model, threads=1 if options.threads is None else options.threads)


def _script(options: argparse.Namespace) -> Engine:
    answer = "Hello." if options.answer is None else options.answer
    return Script(lambda _asked: str(answer))


def _openai(options: argparse.Namespace) -> Engine:
    if not options.upstream:
        raise ConfigError("--engine openai needs --upstream URL, e.g. http://localhost:11434/v1")
    return OpenAI(options.upstream, model=options.upstream_model)


_ENGINES = {"local": _local, "openai": _openai, "script": _script}
_OPTIONS = {"model": "local", "threads": "local", "upstream": "openai", "upstream_model": "openai", "answer": "script"}
"""The options that only one engine has."""
