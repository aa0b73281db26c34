"""What is made quickly is what `dataclasses` and pydantic make."""

import dataclasses
import inspect
import pickle
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from dynaspark_core.messages.making import QuicklyMade, maker, model_maker


@dataclass(frozen=True, slots=True)
class Point(QuicklyMade):
    """A place."""

    x: int
    y: int = 2
    name: str = field(default="p", repr=False)  # it is `dataclasses`' own
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Named(Point):
    title: str = "t"


@dataclass(frozen=True, slots=True)
class Usual:
    """A place."""

    x: int
    y: int = 2
    name: str = field(default="p", repr=False)  # it is `dataclasses`' own
    tags: list[str] = field(default_factory=list)


def test_it_is_made_as_any_other() -> None:
    assert inspect.signature(Point) == inspect.signature(Usual)
    assert repr(Point(1, tags=["a"])) == "Point(x=1, y=2, tags=['a'])"
    assert dataclasses.asdict(Point(1)) == dataclasses.asdict(Usual(1))
    assert Named(1, title="u") == Named(1, 2, "p", [], "u")
    assert Point(1).tags is not Point(1).tags
    assert dataclasses.replace(Point(1), y=3) == Point(1, 3)
    assert pickle.loads(pickle.dumps(Point(1))) == deepcopy(Point(1)) == Point(1)


class Place(Point):
    """Has a `__dict__`, as it names no slots."""


class Origin(Point):
    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(0, 0)


def test_a_subclass_is_made_as_itself() -> None:
    assert type(Place(1)) is Place
    assert dataclasses.asdict(Place(1, tags=["a"])) == dataclasses.asdict(Point(1, tags=["a"]))
    assert type(Origin()) is Origin
    assert Origin().tags is not Origin().tags


@pytest.mark.parametrize("arguments", [(), (1, 2, "p", [], 5)])
def test_wrong_arguments_are_refused(arguments: Any) -> None:
    with pytest.raises(TypeError, match="argument"):
        Point(*arguments)


def test_it_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Point(1).x = 2  # type: ignore[misc]  # that is the point


def test_a_maker_makes_what_the_class_makes() -> None:
    make = maker(Point)
    assert [make(1), make(1, tags=["a"]), make(x=1, y=3, name="q")] == [
        Point(1),
        Point(1, tags=["a"]),
        Point(1, 3, "q"),
    ]
    assert type(make(1)) is Point
    assert make(1).tags is not make(1).tags
    assert pickle.loads(pickle.dumps(make(1))) == deepcopy(make(1)) == dataclasses.replace(make(2), x=1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        make(1).x = 2  # type: ignore[misc]  # that is the point
    with pytest.raises(TypeError, match="argument"):
        make()  # type: ignore[call-arg]  # x is needed


class Piece(BaseModel):
    model_config = ConfigDict(extra="allow")
    text: str
    number: int = 1
    tags: list[str] = []
    facts: dict[str, int] = {}


def test_a_model_is_what_its_constructor_makes() -> None:
    made = model_maker(Piece(text="a", number=2, more=3), "text")("b")  # type: ignore[call-arg]  # extra fields are allowed
    constructed = Piece(text="b", number=2, more=3)  # type: ignore[call-arg]
    assert made == constructed == pickle.loads(pickle.dumps(made)) == made.model_copy(deep=True)
    assert (repr(made), made.model_fields_set) == (repr(constructed), constructed.model_fields_set)
    made.number = 5
    made.other = 6  # type: ignore[attr-defined]
    assert made.model_dump() == constructed.model_dump() | {"number": 5, "other": 6}


def test_models_share_no_container() -> None:
    make = model_maker(Piece(text="a"), "text")
    first, second = make("b"), make("b")
    first.tags.append("x")
    first.facts["x"] = 1
    first.more = 1  # type: ignore[attr-defined]
    first.number = 2
    assert (second, second.model_fields_set) == (Piece(text="b"), {"text"})
    assert make("c") == Piece(text="c")


def test_what_is_given_is_set_as_by_the_constructor() -> None:
    made = model_maker(Piece(text="a"), "text", "tags")("b", ["c"])
    assert made.model_dump(exclude_unset=True) == {"text": "b", "tags": ["c"]}
