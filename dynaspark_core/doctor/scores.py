"""The steps on the model: how many questions of each kind it answers in the format of calls and objects."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from dynaspark_core.doctor.counted import CountedClient
from dynaspark_core.doctor.definition import Loop, fits
from dynaspark_core.doctor.judge import Verdict, judge, judge_calls
from dynaspark_core.doctor.questions import CALLS, ERROR_LOUNGE, NO_CALLS, OBJECTS, ORDER_SOIL, ObjectQuestion
from dynaspark_core.doctor.report import NOT_ASKED, Row
from dynaspark_core.doctor.running import Run
from dynaspark_core.errors import ConfigError, DynasparkError, OutputError
from dynaspark_core.messages import Chat, Message

MAX_TURNS = 4
"""Replies that a loop may take; the right ones take three."""
Ask = Callable[[CountedClient], Awaitable[tuple[Verdict | None, int]]]
"""Asks a question: what was wrong with the answer, and how many replies it took without repairs."""


def _first_reply(loop: Loop) -> Ask:
    async def ask(client: CountedClient) -> tuple[Verdict | None, int]:
        run = Run(loop)
        text = await run.converse(client, 1)
        return (judge_calls if loop.calls else judge)(loop, run.made, text), run.turns

    return ask


def _whole_loop(loop: Loop) -> Ask:
    async def ask(client: CountedClient) -> tuple[Verdict | None, int]:
        run = Run(loop)
        text = await run.converse(client, MAX_TURNS)
        return judge(loop, run.made, text), run.turns

    return ask


def _object(question: ObjectQuestion) -> Ask:
    async def ask(client: CountedClient) -> tuple[Verdict | None, int]:
        found = await client.value(Chat((Message("user", (question.text,)),), response_schema=question.schema))
        return None if fits(found.value, question.wanted) else Verdict("wrong answer", str(found.value)), 1

    return ask


def _named(ask: Callable[..., Ask], questions: Sequence[Loop] | Sequence[ObjectQuestion]) -> dict[str, Ask]:
    return {question.name: ask(question) for question in questions}


STEPS: dict[str, dict[str, Ask]] = {
    "calls a tool": _named(_first_reply, CALLS),
    "two calls in order": _named(_whole_loop, (ORDER_SOIL,)),
    "corrects a wrong call": _named(_whole_loop, (ERROR_LOUNGE,)),
    "writes an object": _named(_object, OBJECTS),
    "calls no tool": _named(_first_reply, NO_CALLS),
}


async def score(step: str, questions: Mapping[str, Ask], client: CountedClient) -> Row:
    """How many of the questions were answered right, what was wrong with the others, and the repairs it took."""
    wrong, unasked, repairs = [], [], 0
    for name, ask in questions.items():
        before = client.tally.sent
        try:
            verdict, turns = await ask(client)
        except ConfigError as exc:
            unasked.append(str(exc))
            continue
        except DynasparkError as exc:
            verdict = Verdict("failed", f"{type(exc).__name__}: {exc}")
            turns = 1 if isinstance(exc, OutputError) else client.tally.sent - before  # the second knows no repairs
            client.tally.note(exc)
        repairs += client.tally.sent - before - turns
        wrong += [f"{name}: {verdict.fault}, {verdict.about[:100]}"] if verdict else []
    asked = len(questions) - len(unasked)
    details = [*wrong, *([f"{len(unasked)} {NOT_ASKED}: {unasked[0]}"] if unasked else [])]
    result = f"{asked - len(wrong)} of {asked}" if asked else NOT_ASKED
    return Row(step, result, details, asked - len(wrong), asked, repairs)
