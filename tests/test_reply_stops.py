"""Stop sequences cut the text where the first begins, and nothing of one is ever shown."""

from hypothesis import given
from hypothesis import strategies as st

from dynaspark_core.reply.stops import Stops


def cut(stop: list[str], *pieces: str) -> str:
    stops = Stops(stop)
    return "".join([*map(stops.feed, pieces), stops.close()])


def test_the_earliest_stop_wins() -> None:
    assert cut(["END", "stop"], "a stop b END") == "a "


def test_without_a_stop_all_text_comes() -> None:
    assert cut([], "a", "b") == "ab"
    assert cut(["END"], "a EN") == "a EN"


def test_text_is_held_back_only_while_it_could_be_a_stop() -> None:
    stops = Stops(["END"])
    assert [stops.feed(piece) for piece in ("plain ", "E", "N", "x")] == ["plain ", "", "", "ENx"]


@given(
    text=st.text("ab<x", max_size=30),
    stop=st.lists(st.text("ab<", min_size=1, max_size=4), max_size=3),
    size=st.integers(1, 4),
)
def test_every_cut_gives_what_the_whole_gives(text: str, stop: list[str], size: int) -> None:
    found = [text.index(each) for each in stop if each in text]
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert cut(stop, *pieces) == text[: min(found, default=len(text))]
