"""Tools of a station."""

import re
from typing import Literal

from dynaspark_core.doctor.definition import ToolFailure, changing

_TRAINS = {
    ("basel", "zurich"): "IR 37 at 10:07 from platform 4",
    ("bern", "milan"): "EC 51 at 12:30 from platform 2",
    ("graz", "vienna"): "RJ 558 at 09:26 from platform 1",
}
_DELAYS = {
    "ic 8": "7 minutes late",
    "ec 51": "25 minutes late",
    "re 3": "on time",
    "ir 37": "2 minutes late",
    "rj 558": "on time",
}
_ROADS = {("geneva", "lyon"): 150, ("genf", "lyon"): 150, ("oslo", "turku"): 900}
_UNITS = {
    **dict.fromkeys(("km", "kilometre", "kilometres", "kilometer", "kilometers"), 1.0),
    **dict.fromkeys(("mi", "mile", "miles"), 1.609344),
    "m": 0.001,
}


def next_train(origin: str, destination: str) -> str:
    """The next train between two stations: its number, departure and platform."""
    key = origin.casefold(), destination.casefold().replace("ü", "u").replace("mailand", "milan")
    if key not in _TRAINS:
        raise ToolFailure(f"No direct train from {origin} to {destination}.")
    return _TRAINS[key]


def train_delay(train_number: str) -> str:
    """How late a train is today. Train numbers look like IR 37."""
    key = re.sub(r"([a-z])(\d)", r"\1 \2", train_number.casefold())
    if key not in _DELAYS:
        raise ToolFailure(f"No train {train_number} runs today.")
    return f"{train_number}: {_DELAYS[key]}"


@changing
def book_seat(train_number: str, travel_class: Literal["first", "second"], *, quiet_zone: bool = False) -> str:
    """Book one seat on a train."""
    return f"Seat 41 on {train_number}, {travel_class} class{', quiet zone' if quiet_zone else ''}, is booked."


def road_distance(start: str, end: str) -> str:
    """The distance between two towns by road, in kilometres."""
    first, second = sorted((start.casefold(), end.casefold()))
    return f"{_ROADS.get((first, second), 300)} km"


def convert_units(value: float, unit: str, target_unit: str) -> str:
    """Convert a length into another unit, for example km into miles."""
    if unit.casefold() not in _UNITS or target_unit.casefold() not in _UNITS:
        raise ToolFailure(f"Units are {', '.join(_UNITS)}.")
    return f"{value * _UNITS[unit.casefold()] / _UNITS[target_unit.casefold()]:.1f} {target_unit}"


RAIL = (next_train, train_delay, book_seat, road_distance, convert_units)
