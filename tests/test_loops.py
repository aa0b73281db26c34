"""The loops of the benchmark can be won, the judge is right, and the runner runs them. The model is a script."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import run_loops
from loops.catalog import ALL, IN_FACES
from loops.faces import FACES
from loops.first_half import FIRST_HALF
from loops.kept import Kept
from loops.second_half import SECOND_HALF
from loops.session import MAX_REPEATS, MAX_REQUESTS, Session
from loops.table import Outcome, line

from dynaspark_core.doctor.definition import Function, Loop, ToolFailure, fits, holds, one_of
from dynaspark_core.doctor.judge import Fault, Made, judge
from dynaspark_core.doctor.running import arguments_of
from dynaspark_core.server import Asked, LocalService, RefusedError, Script

pytestmark = pytest.mark.filterwarnings(
    # LlamaIndex's agents are looked through by `inspect.getmembers`, which touches names that pydantic deprecates.
    "ignore:.*(__fields__|__fields_set__|model_fields|model_computed_fields|model_extra).* attribute",
)
BY_NAME = {loop.name: loop for loop in ALL}

# The loops


def test_there_are_two_halves_of_about_the_same_mix() -> None:
    assert (len(FIRST_HALF), len(SECOND_HALF), len(BY_NAME)) == (30, 30, 60)
    assert len(IN_FACES) == 10
    assert [loop in FIRST_HALF for loop in IN_FACES].count(True) == 5
    assert not any(loop.history for loop in IN_FACES)
    halves = [[function for loop in half for function in loop.tools] for half in (FIRST_HALF, SECOND_HALF)]
    assert not {*halves[0]} & {*halves[1]}


CHOSEN: dict[str, dict[str, object]] = {
    "train": {"destination": "Zurich"},
    "train-late": {"train_number": "EC 51"},
    "miles": {"start": "Lyon", "end": "Geneva", "unit": "km", "target_unit": "miles"},
    "pancakes": {"dish": "pancakes"},
    "fee": {"query": "membership fee for students"},
    "order-soil": {"words": "potting soil"},
    "eyes-friday": {"time": "09:10"},
    "error-date": {"room": "Aspen"},
    "meeting": {"place": {"building": "North", "floor": 2}},
    "dog": {"query": "dog"},
    "birth": {"query": "birth of a child"},
    "laptop": {"query": "lost laptop"},
    "receipt": {"shop": "MARKET HALL"},
    "lamp": {"room": "kitchen"},
    "eighteen-one": {"room": "hall"},
    "eco": {"room": "bedroom"},
    "error-lounge": {"room": "living room"},
}
"""Arguments where a loop takes several."""


def played(loop: Loop) -> tuple[Session, list[str]]:
    """A session in which all expected calls were made, and what the tools said."""
    session, said, functions = Session(loop), [], {function.__name__: function for function in loop.tools}
    for expected in loop.calls:
        function, wanted = functions[expected.name], expected.arguments
        named = {name: value for name, value in wanted.items() if not callable(value)}
        chosen = {name: value for name, value in CHOSEN.get(loop.name, {}).items() if name in parameters(function)}
        try:
            said.append(session.run(function, named | chosen))
        except ToolFailure as exc:
            said.append(str(exc))
    return session, said


def parameters(function: Function) -> set[str]:
    return set(arguments_of(function).model_fields)


@pytest.mark.parametrize("loop", [loop for loop in ALL if loop.calls and not loop.system], ids=lambda loop: loop.name)
def test_the_tools_say_all_that_the_answer_must_hold(loop: Loop) -> None:
    session, said = played(loop)
    assert judge(loop, session.made, " ".join(said)) is None


@pytest.mark.parametrize("loop", ALL, ids=lambda loop: loop.name)
def test_each_loop_can_be_won(loop: Loop) -> None:
    words = [wanted if isinstance(wanted, str) else wanted[0] for wanted in loop.answer]
    assert judge(loop, played(loop)[0].made, f"Well: {', '.join(words)}.") is None


@pytest.mark.parametrize("loop", [loop for loop in ALL if loop.calls], ids=lambda loop: loop.name)
def test_no_loop_is_won_without_its_calls(loop: Loop) -> None:
    session, said = played(loop)
    missing = judge(loop, session.made[:-1], " ".join(said))
    assert missing is not None
    assert missing.fault == "missing call"


@pytest.mark.parametrize("loop", [loop for loop in ALL if loop.kind == "sequential"], ids=lambda loop: loop.name)
def test_a_sequence_must_be_in_order(loop: Loop) -> None:
    session, said = played(loop)
    assert fault(loop, session.made[::-1], " ".join(said)) == "missing call"


# The judge


def fault(loop: Loop, made: list[Made], text: str) -> Fault | None:
    verdict = judge(loop, made, text)
    return verdict.fault if verdict else None


def made(name: str, **arguments: object) -> Made:
    return Made(name, arguments)


BERN = made("next_train", origin="Bern", destination="Milan")
LATE = made("train_delay", train_number="EC 51")
KITCHEN, BEDROOM = made("room_temperature", room="Kitchen"), made("room_temperature", room="bedroom")
LAMP = made("switch_lamp", room="kitchen", on=True)
BUSY = made("track_parcel", parcel_number=8080)
PIECE = made("find_book", title="War and Piece")
PEACE = made("find_book", title="war and peace.")


@pytest.mark.parametrize(
    ("name", "calls", "text", "expected"),
    [
        ("train-late", [BERN, LATE], "It is 25 minutes late.", None),
        ("train-late", [LATE, BERN], "It is 25 minutes late.", "missing call"),
        ("train-late", [BERN], "It is 25 minutes late.", "missing call"),
        ("train-late", [BERN, made("train_delay", train_number="EC 15")], "25 minutes", "missing call"),
        ("train-late", [BERN, made("train_delay", train_number="EC 15"), LATE], "25 minutes", "needless call"),
        ("train-late", [BERN, LATE, made("road_distance", start="Bern", end="Milan")], "25", "needless call"),
        ("train-late", [BERN, LATE, LATE], "25 minutes", None),
        ("train-late", [BERN, LATE, LATE, LATE], "25 minutes", "needless call"),
        ("train-late", [BERN, LATE], "It is late.", "wrong answer"),
        ("train-late", [BERN, LATE], "It leaves at 10:25.", "wrong answer"),
        ("train-late", [BERN, LATE], "It is 250 minutes late.", "wrong answer"),
        ("train-late", [BERN, LATE], " ", "wrong answer"),
        ("train-late", [BERN, LATE], "<tool_call>25", "wrong answer"),
        ("two-rooms", [BEDROOM, KITCHEN], "19 degrees and 17.5 degrees", None),
        ("two-rooms", [BEDROOM, KITCHEN], "19.0 and\u202f17.5.", None),
        ("two-rooms", [BEDROOM], "19 degrees and 17.5 degrees", "missing call"),
        ("lamp", [LAMP], "Done.", None),
        ("lamp", [LAMP, LAMP], "Done.", "needless call"),
        ("lamp", [made("switch_lamp", room="kitchen", on=1)], "Done.", "missing call"),
        ("error-busy", [BUSY, BUSY], "At the customs.", None),
        ("error-busy", [BUSY], "At the customs.", "missing call"),
        ("error-busy", [BUSY, BUSY, BUSY], "At the customs.", "needless call"),
        ("error-title", [PIECE, PEACE], "Three.", None),
        ("error-title", [PEACE], "3 copies.", None),
        ("error-title", [PIECE], "3 copies.", "missing call"),
        ("poem", [], "The leaves fall.", None),
        ("poem", [], "The sea roars.", "wrong answer"),
        ("poem", [made("search_products", words="leaves")], "The leaves fall.", "needless call"),
        ("thanks", [], "You are welcome!", None),
        ("dear-gardener", [made("stock_level", product_id="p-12")], "Dear gardener, 48.", None),
        ("dear-gardener", [made("stock_level", product_id="p-12")], "48 are left.", "wrong answer"),
    ],
)
def test_the_judge_is_strict_and_fair(name: str, calls: list[Made], text: str, expected: Fault | None) -> None:
    assert fault(BY_NAME[name], calls, text) == expected


@pytest.mark.parametrize(
    ("found", "wanted", "is_right"),
    [
        ("Oslo.", "oslo", True),
        (3, "3", False),
        (3.0, 3, True),
        (True, 1, False),
        (None, 0, False),
        ("lake town", holds("town", "city"), True),
        ("lake", one_of("sea", "lake"), True),
        ("pond", one_of("sea", "lake"), False),
        ([1, 2], [1, 2], True),
        ([2, 1], [1, 2], False),
        ([1, 2, 3], [1, 2], False),
        ({"a": "X", "b": 1}, {"a": "x"}, True),
        ({"b": 1}, {"a": "x"}, False),
    ],
)
def test_an_argument_fits_or_not(found: object, wanted: object, is_right: bool) -> None:
    assert fits(found, wanted) is is_right


# The runner


def wrote(name: str, arguments: Mapping[str, object]) -> str:
    return f"<tool_call>\n{json.dumps({'name': name, 'arguments': arguments})}\n</tool_call>"


def turn_by_turn(*replies: str) -> Callable[[Asked], str]:
    """A model that gives the first reply before any result, the second after one turn of results, and so on."""
    return lambda asked: replies[asked.prompt.count('<turn role="tool">')]


EYES = turn_by_turn(
    wrote("find_doctor", {"field": "eyes"}),
    wrote("free_times", {"doctor_id": "D-44", "day": "friday"}),
    wrote("book_appointment", {"doctor_id": "D-44", "day": "friday", "time": "09:10"}),
    "You are expected on Friday at 9:10.",
)
CUSTOMS = turn_by_turn(*(wrote("track_parcel", {"parcel_number": 8080}),) * 2, "It is at the customs office.")
RECEIPT = turn_by_turn(
    wrote("log_expense", {"shop": "Market Hall", "total": 11.6, "category": "food"}), "11.60 euros are noted."
)


async def outcome(face: str, name: str, script: Script, file: Path) -> Outcome:
    engine = Kept(lambda: script, "a script", file)
    with LocalService(engine) as service:
        return await run_loops.run(face, BY_NAME[name], engine, service.url)


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize(
    ("name", "model", "requests"), [("eyes-friday", EYES, 4), ("error-busy", CUSTOMS, 3), ("receipt", RECEIPT, 2)]
)
async def test_a_loop_runs_through_each_face(
    face: str, name: str, model: Callable[[Asked], str], requests: int, tmp_path: Path
) -> None:
    script = Script(model)
    ended = await outcome(face, name, script, tmp_path / "replies")
    assert (ended.verdict, ended.repairs, len(ended.steps)) == (None, 0, requests)
    assert [bool(asked.file) for asked in script.asked] == [name == "receipt"] * requests
    assert ("Tracking is overloaded" in script.asked[1].prompt) == (name == "error-busy")
    silent = Script()
    assert (await outcome(face, name, silent, tmp_path / "replies")).text == ended.text
    assert silent.asked == []


async def test_the_faces_write_the_same_prompts(tmp_path: Path) -> None:
    """So what is kept of the client's loops serves the frameworks' agents, too."""
    await outcome("client", "eyes-friday", Script(EYES), tmp_path / "replies")
    for face in FACES:
        assert (await outcome(face, "eyes-friday", Script(), tmp_path / "replies")).verdict is None


@pytest.mark.parametrize("face", FACES)
async def test_a_loop_that_makes_one_call_again_and_again_is_stuck(face: str, tmp_path: Path) -> None:
    script = Script(lambda _: wrote("free_times", {"doctor_id": "D-44", "day": "friday"}))
    ended = await outcome(face, "eyes-friday", script, tmp_path / "replies")
    assert ended.verdict is not None
    assert (ended.verdict.fault, len(script.asked)) == ("stuck", MAX_REPEATS)


async def test_a_loop_without_end_is_stuck(tmp_path: Path) -> None:
    script = Script(lambda asked: wrote("get_recipe", {"dish": f"soup {asked.prompt.count('<turn')}"}))
    ended = await outcome("client", "pancakes", script, tmp_path / "replies")
    assert ended.verdict is not None
    assert (ended.verdict.fault, len(script.asked)) == ("stuck", MAX_REQUESTS)


async def test_a_model_that_cannot_be_loaded_ends_the_run(tmp_path: Path) -> None:
    file = str(tmp_path / "none.gguf")
    with pytest.raises(SystemExit, match=r"none\.gguf"):
        await run_loops.main(run_loops.options([file, "--replies", str(tmp_path / "replies")]))


def broken(_: Asked) -> str:
    raise RefusedError(503, "no model is here")


async def test_a_failure_is_a_verdict_and_is_not_kept(tmp_path: Path) -> None:
    failing, right = Script(broken), Script("Hello!")
    ended = await outcome("client", "greeting", failing, tmp_path / "replies")
    assert ended.verdict is not None
    assert (ended.verdict.fault, ended.steps) == ("failed", [])
    assert (await outcome("client", "greeting", right, tmp_path / "replies")).verdict is None
    assert len(right.asked) == 1


async def test_a_repair_is_counted_and_arguments_are_checked(tmp_path: Path) -> None:
    script = Script(
        '<tool_call>\n{"name": "start_timer", "arguments": {"minutes": \n</tool_call>',
        wrote("start_timer", {"minutes": "soon"}),
        wrote("start_timer", {"minutes": 12}),
        "The timer runs for 12 minutes.",
    )
    ended = await outcome("client", "timer", script, tmp_path / "replies")
    assert (ended.verdict, ended.repairs, len(ended.steps)) == (None, 1, 4)
    assert "The arguments are not valid: minutes: Input should be a valid integer" in script.asked[2].prompt


# The report


def test_the_tables_count_by_kind_and_half() -> None:
    found = [Outcome("client", loop, judge(loop, [], "Hello."), "Hello.", [], [], 0) for loop in ALL]
    first, second, both, faces = run_loops.tables(found)
    assert "### First half\n\n| kind | right | stuck | needless call |" in first
    assert [re.search(r"\| none \| (\d of \d) ", part)[1] for part in (first, second, both)] == [  # type: ignore[index]
        "2 of 5",
        "2 of 4",
        "4 of 9",
    ]
    assert "| **all** | " in faces
    assert len(faces.splitlines()) < len(second.splitlines())
    assert "missing call: next_train" in line(found[0])


def test_what_is_run_is_chosen_by_name_kind_and_face() -> None:
    options = run_loops.options(["model.gguf", "--only", "rag,train", "--face", "all"])
    planned = {(face, loop.name) for face, loop in run_loops.planned(options)}
    assert {name for face, name in planned if face == "client"} == {"fee", "dog", "birth", "laptop", "train"}
    assert {name for face, name in planned if face == "langchain"} == {"dog", "train"}


@pytest.mark.parametrize("words", [[], ["a.gguf", "--upstream", "http://localhost"]])
def test_one_model_must_be_named(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run_loops.options(words)
    assert "give either a GGUF file or --upstream" in capsys.readouterr().err
