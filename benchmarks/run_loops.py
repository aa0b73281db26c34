"""How many tool loops a real model behind the text-only service brings to the right end.

    python benchmarks/run_loops.py FILE.gguf                                               # the local engine
    python benchmarks/run_loops.py --upstream http://localhost:11434 --upstream-model NAME # OpenAI-compatible

Every request goes over real HTTP through the local service, and the model gets the prompt as one user message, as the
public service passes it on. Prints a line for each loop, then tables by kind, each half and each face apart. Replies
are kept by prompt, so a second run is nearly free. See LOOPS.md.
"""

import argparse
import asyncio
import json
import sys
import warnings
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from loops.catalog import ALL, IN_FACES
from loops.faces import FACES
from loops.first_half import FIRST_HALF
from loops.kept import Kept
from loops.second_half import SECOND_HALF
from loops.session import Session
from loops.table import Outcome, line, table

from dynaspark_core.doctor.definition import Loop
from dynaspark_core.doctor.judge import Verdict, judge
from dynaspark_core.server import Engine, LocalService, OpenAI
from dynaspark_core.server.local.engine import Local

MAX_TOKENS = 300
"""Tokens of a reply of the local engine, after which it is cut: the longest right one has about 150."""


async def run(face: str, loop: Loop, engine: Kept, url: str) -> Outcome:
    """The loop through the face; a failure of any kind is its verdict."""
    session, text = engine.begin(loop), ""
    try:
        text = await FACES[face](session, url)
        verdict = judge(loop, session.made, text)
    except Exception as exc:  # noqa: BLE001  # a loop that fails is a wrong one, the others go on
        verdict = _failure(session, exc)
    repairs = len(session.steps) - session.turns if text else 0
    return Outcome(face, loop, verdict, text, session.made, session.steps, repairs)


def _failure(session: Session, exc: Exception) -> Verdict:
    if session.is_stuck:
        return Verdict("stuck", str(session.made[-1:]))
    return Verdict("failed", f"{type(exc).__name__}: {exc}")


def tables(outcomes: list[Outcome]) -> Iterator[str]:
    """The halves apart and together, through the client; then each framework's face."""
    for title, loops in (("First half", FIRST_HALF), ("Second half", SECOND_HALF), ("Both halves", ALL)):
        names = {loop.name for loop in loops}
        if chosen := [each for each in outcomes if each.face == "client" and each.loop.name in names]:
            yield table(title, chosen)
    for face in FACES:
        if chosen := [each for each in outcomes if each.face == face and each.loop in IN_FACES]:
            yield table(f"Ten loops through {face}", chosen)


def options(arguments: list[str]) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("file", type=Path, nargs="?", metavar="FILE.gguf", help="a model for the local engine")
    add("--upstream", metavar="URL", help="an OpenAI-compatible endpoint instead")
    add("--upstream-model", metavar="NAME", help="the endpoint's model")
    add("--roles", action="store_true", help="FILE.gguf: the prompt's turns become chat messages")
    add("--threads", type=int, default=1, help="FILE.gguf: processor cores to compute on; default: 1")
    add("--face", choices=[*FACES, "all"], default="all", help="through what; default: all")
    add("--only", default="", metavar="NAMES", help="only loops of these names and kinds, with commas between")
    add(
        "--replies",
        type=Path,
        default=Path("build/replies.sqlite"),
        help="where replies are kept; default: %(default)s",
    )
    add("--steps", type=Path, metavar="FILE.jsonl", help="write every prompt and reply here, one loop a line")
    parsed = parser.parse_args(arguments)
    if (parsed.file is None) == (parsed.upstream is None):
        parser.error("give either a GGUF file or --upstream")
    return parsed


def kept(chosen: argparse.Namespace) -> Kept:
    """The engine that the command line asks for, in front of it the replies that are kept."""

    def make() -> Engine:
        if chosen.upstream:
            return OpenAI(chosen.upstream, model=chosen.upstream_model)
        return Local(chosen.file, threads=chosen.threads, max_tokens=MAX_TOKENS, one_message=not chosen.roles)

    name = chosen.upstream_model or chosen.upstream or chosen.file.name
    return Kept(make, f"{name}{' roles' if chosen.roles else ''}", chosen.replies)


def planned(chosen: argparse.Namespace) -> list[tuple[str, Loop]]:
    """The loops to run and through what; neighbours have the same tools, so their prompts begin alike."""
    wanted = set(filter(None, chosen.only.split(",")))
    faces = list(FACES) if chosen.face == "all" else [chosen.face]
    loops = [loop for loop in ALL if not wanted or wanted & {loop.name, loop.kind}]
    loops.sort(key=lambda loop: [function.__name__ for function in loop.tools])
    return [(face, loop) for face in faces for loop in loops if face == "client" or loop in IN_FACES]


async def main(chosen: argparse.Namespace) -> None:
    engine, outcomes = kept(chosen), []
    with LocalService(engine) as service:
        for face, loop in planned(chosen):
            outcome = await run(face, loop, engine, service.url)
            if engine.error:
                sys.exit(str(engine.error))
            outcomes.append(outcome)
            print(line(outcome), flush=True)
    if chosen.steps:
        chosen.steps.write_text("".join(f"{_record(outcome)}\n" for outcome in outcomes), encoding="utf-8")
    print("", *tables(outcomes), sep="\n\n")


def _record(outcome: Outcome) -> str:
    """The outcome as one line of JSON."""
    about = {"face": outcome.face, "loop": outcome.loop.name, "text": outcome.text, "repairs": outcome.repairs}
    about["verdict"] = asdict(outcome.verdict) if outcome.verdict else None
    about["made"], about["steps"] = [asdict(call) for call in outcome.made], [asdict(step) for step in outcome.steps]
    return json.dumps(about, ensure_ascii=False)


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # LlamaIndex's own
    asyncio.run(main(options(sys.argv[1:])))
