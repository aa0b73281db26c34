"""Prints what each class of fault ends in, for each way to ask: `PYTHONPATH=tests python -m faults [part of a name]`.

A worker for each way runs in a process of its own, so that its peak of memory (read from Linux's /proc) is the caller's
and not the server's. Times mean little on another machine. Exits with 1 when an outcome is not the table's.
"""

import asyncio
import json
import logging
import ssl
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from time import perf_counter
from typing import Any

import trustme

from faults.rows import GOOD, ROWS, SAID, Fault
from faults.server import FaultServer, Listener, keeps
from faults.surfaces import BY_API, SURFACES, Result, expected, fits, found, meet, meet_sync, settings_for

Line = dict[str, Any]
WARM = Fault("", "warm", keeps(GOOD), SAID, 1)
"""What a worker does first, so that imports are not counted."""
WAYS_AT_A_TIME = 5


def report(part: str) -> int:
    """Asks every way for the rows whose name holds `part`; prints the table. The number of wrong outcomes."""
    rows = [fault for fault in ROWS if part in str(fault)]
    with ThreadPoolExecutor(WAYS_AT_A_TIME) as threads:
        lines = [line for of_way in threads.map(lambda name: list(_asked(name, rows)), SURFACES) for line in of_way]
    wrong = [line for line in lines if line["found"] != line["expected"]]
    told = (f"WRONG {line['fault']} · {line['way']}: {line['found']}, not {line['expected']}" for line in wrong)
    sys.stdout.writelines(f"{text}\n" for text in (*_by_class(lines), "", *_by_way(lines), *told))
    return len(wrong)


def _asked(way: str, rows: Iterable[Fault]) -> Iterator[Line]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    command = [sys.executable, "-m", "faults", "--worker", way]
    with FaultServer() as server, subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as worker:
        behind = server.open(keeps(GOOD))
        for fault in (WARM, *(fault for fault in rows if way not in BY_API or fits(fault))):
            listener = server.open(fault.talk, tls if fault.has_tls else None)
            if fault.is_closed:
                server.refuse(listener)
            line = _told(worker, fault, settings_for(fault, listener, behind))
            if fault is not WARM:
                yield _judged(way, fault, listener, line)
            server.close(listener)
        worker.communicate()


def _told(worker: subprocess.Popen[str], fault: Fault, settings: Mapping[str, Any]) -> Line:
    assert worker.stdin is not None
    assert worker.stdout is not None
    index = ROWS.index(fault) if fault in ROWS else -1
    worker.stdin.write(json.dumps([index, settings]) + "\n")
    worker.stdin.flush()
    line: Line = json.loads(worker.stdout.readline())
    return line


def _judged(way: str, fault: Fault, listener: Listener, line: Line) -> Line:
    line["found"]["requests"] = len(listener.requests)
    return line | {"way": way, "fault": str(fault), "kind": fault.kind, "expected": expected(way, fault)}


def _work(way: str) -> None:
    """The worker: a fault's number and settings on each line of stdin, its outcome on each of stdout."""
    logging.disable()
    with asyncio.Runner() as runner:
        for text in sys.stdin:
            index, settings = json.loads(text)
            fault = ROWS[index] if index >= 0 else WARM
            before, begin = _memory("VmRSS"), perf_counter()
            _forget_peak()
            is_async = SURFACES[way].aask is not None
            result = (
                runner.run(meet(SURFACES[way], settings, fault))
                if is_async
                else meet_sync(SURFACES[way], settings, fault)
            )
            line = {"seconds": perf_counter() - begin, "peak": _memory("VmHWM") - before, "end": _end(result)}
            sys.stdout.write(json.dumps(line | {"found": found(way, fault, result)}) + "\n")
            sys.stdout.flush()


def _end(result: Result) -> str:
    if result.error is None:
        return "a reply"
    return next(kind.__name__ for kind in type(result.error).__mro__ if kind.__module__ == "dynaspark_core.errors")


def _memory(name: str) -> float:
    """MB, as the kernel counts them."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(name))) / 1024


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def _by_class(lines: Iterable[Line]) -> Iterator[str]:
    yield "| class of fault | faults | as the table says | outcomes | requests | seconds, most | peak memory, MB |"
    yield "|---|---|---|---|---|---|---|"
    for kind, of_kind in _grouped(lines, "kind"):
        yield f"| {kind} | {_row(of_kind, {line['fault'] for line in of_kind})} |"


def _by_way(lines: Iterable[Line]) -> Iterator[str]:
    yield "| way to ask | faults | as the table says | outcomes | requests | seconds, most | peak memory, MB |"
    yield "|---|---|---|---|---|---|---|"
    for way, of_way in _grouped(lines, "way"):
        yield f"| `{way}` | {_row(of_way, {line['fault'] for line in of_way})} |"


def _row(lines: list[Line], faults: set[str]) -> str:
    right = sum(line["found"] == line["expected"] for line in lines)
    ends = ", ".join(f"{end} {len(of_end)}" for end, of_end in _grouped(lines, "end"))
    requests = sorted({line["found"]["requests"] for line in lines})
    seconds, peak = max(line["seconds"] for line in lines), max(line["peak"] for line in lines)
    asked = f"{requests[0]} to {requests[-1]}" if len(requests) > 1 else str(requests[0])
    return f"{len(faults)} | {right} of {len(lines)} | {ends} | {asked} | {seconds:.1f} | +{peak:.0f}"


def _grouped(lines: Iterable[Line], name: str) -> list[tuple[str, list[Line]]]:
    return [
        (key, list(group))
        for key, group in groupby(sorted(lines, key=lambda line: str(line[name])), key=lambda line: str(line[name]))
    ]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        _work(sys.argv[2])
    else:
        sys.exit(report(" ".join(sys.argv[1:])) > 0)
