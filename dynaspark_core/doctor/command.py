"""`python -m dynaspark_core doctor`: the steps in order, a line for each, and what they add up to."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from dynaspark_core.doctor import scores, service
from dynaspark_core.doctor.counted import CountedClient, Tally
from dynaspark_core.doctor.report import Report, Row, asked_with, lines
from dynaspark_core.errors import DynasparkError
from dynaspark_core.transport.settings import PATHS, settings_from

MAX_REQUESTS = 30
MAX_QUICK_REQUESTS = 10
"""With `--quick`: the service alone. Awake, it takes 6."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `run` to the parser."""
    add = parser.add_argument
    add("--base-url", help="default: DYNASPARK_BASE_URL, or the public service")
    add("--model", help="default: DYNASPARK_MODEL, or what each route documents")
    add("--quick", action="store_true", help=f"ask of the service only: {MAX_QUICK_REQUESTS} requests at most")
    add("--json", action="store_true", help="print one JSON document instead of the table")


def run(options: argparse.Namespace, wait: service.Wait = asyncio.sleep) -> int:
    """The exit code: 1 if no route answered, otherwise 0. `wait` is called with seconds while the host wakes up."""
    out = sys.stderr if options.json else sys.stdout

    def tell(text: str) -> None:
        out.write(f"{text}\n")
        out.flush()

    report = asyncio.run(examine(options, wait, tell))
    if options.json:
        sys.stdout.write(f"{report.as_json()}\n")
    return 0 if report.route else 1


async def examine(options: argparse.Namespace, wait: service.Wait, tell: Callable[[str], None]) -> Report:
    """What the steps found; each is told when it has ended."""
    tally = Tally(MAX_QUICK_REQUESTS if options.quick else MAX_REQUESTS)
    clients = {route: _client(tally, options, route) for route in _routes(options)}
    client, *_ = clients.values()
    tell(f"{asked_with()}\n{client.settings.origin}: this sends at most {tally.most} requests, repairs included.\n")
    rows, route = [], ""
    async for row, answered in _rows(clients, wait, is_quick=options.quick):
        rows.append(row)
        route = answered
        tell(lines(row))
    model = clients[route or next(iter(clients))].settings.resolved()
    tell(f"\n{tally.sent} of {tally.most} requests; route {route or 'none'}, model {model}")
    return Report(client.settings.origin, model, route, tally.sent, tally.most, rows)


def _routes(options: argparse.Namespace) -> list[str]:
    """Both, the one that is set first."""
    first = settings_from(base_url=options.base_url).route
    return sorted(PATHS, key=lambda route: route != first)


def _client(tally: Tally, options: argparse.Namespace, route: str) -> CountedClient:
    """A client of the route; for the one that is not set, the environment's path and model are not meant."""
    is_set = route == settings_from(base_url=options.base_url).route
    given: dict[str, Any] = {"route": route, "base_url": options.base_url, "model": options.model}
    if not is_set:
        given["path"] = PATHS[route]
        given["model"] = options.model or settings_from(route=route, model="").default_model
    return CountedClient(tally, **given, max_retries=0, max_repairs=1)


async def _rows(
    clients: dict[str, CountedClient], wait: service.Wait, *, is_quick: bool
) -> AsyncIterator[tuple[Row, str]]:
    """The rows, each with the route that is asked: the first that answers, none if there is none."""
    rows: list[Row] = []
    errors: list[DynasparkError] = []
    chosen = ""
    headers: Mapping[str, str] = {}
    for route, client in clients.items():
        words = await service.ask_route(client, wait, () if rows else service.WAITS)
        if isinstance(words, DynasparkError):
            errors.append(words)
            words = service.failed(words)
        elif not chosen:
            chosen, headers = route, client.tally.headers
        rows.append(_row(f"route {route}", words))
    for row in (_row("reachable", service.reachable(client, errors)), *rows):
        yield row, chosen
    if not chosen:
        return
    client = clients[chosen]
    yield _row("quota", service.quota(headers)), chosen
    for step, ask in service.STEPS.items():
        yield _row(step, await _asked(ask, client)), chosen
    for step, questions in ({} if is_quick else scores.STEPS).items():
        yield await scores.score(step, questions, client), chosen


def _row(step: str, words: service.Words) -> Row:
    result, detail = words
    return Row(step, result, [detail] if detail else [])


async def _asked(ask: service.Ask, client: CountedClient) -> service.Words:
    try:
        return await ask(client)
    except DynasparkError as exc:
        client.tally.note(exc)
        return service.failed(exc)
