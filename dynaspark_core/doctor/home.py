"""Tools of a house."""

from typing import Literal

from dynaspark_core.doctor.definition import ToolFailure, changing

_ROOMS = {"living room": 21.5, "kitchen": 19.0, "bedroom": 17.5, "hall": 16.0}
_METERS = {"water": "412 cubic metres", "gas": "1,836 cubic metres", "power": "5,090 kWh"}


def _known(room: str) -> str:
    name = room.casefold().strip().removeprefix("the ")
    if name not in _ROOMS:
        raise ToolFailure(f"There is no room {room!r}. Call again with one of: {', '.join(_ROOMS)}.")
    return name


def room_temperature(room: str) -> str:
    """The temperature in a room of the house, in degrees Celsius."""
    return f"{room}: {_ROOMS[_known(room)]} degrees"


@changing
def switch_lamp(room: str, *, on: bool) -> str:
    """Switch the lamp of a room on or off."""
    return f"The lamp in the {_known(room)} is {'on' if on else 'off'}."


@changing
def set_heating(room: str, degrees: float, mode: Literal["comfort", "eco"] = "comfort") -> str:
    """Set the heating of a room."""
    return f"The heating in the {_known(room)} is set to {degrees:g} degrees, {mode}."


def read_meter(meter: Literal["water", "gas", "power"]) -> str:
    """What a meter of the house shows."""
    return f"The {meter} meter shows {_METERS[meter]}."


@changing
def log_expense(shop: str, total: float, category: Literal["food", "travel", "household"]) -> str:
    """Put what was paid in a shop into the household's expenses."""
    return f"Expense 58: {total:.2f} euros at {shop}, {category}."


HOME = (room_temperature, switch_lamp, set_heating, read_meter, log_expense)
