"""Tools of a parcel service."""

import statistics
from typing import Literal

from pydantic import BaseModel

from dynaspark_core.doctor.definition import ToolFailure, changing

_PARCELS = {
    5501: "in Vienna, will reach Graz tomorrow",
    6120: "delivered to a neighbour",
    8080: "at the customs office",
}


class Sender(BaseModel):
    name: str
    street: str
    town: str


class Piece(BaseModel):
    kind: Literal["box", "tube", "letter"]
    count: int
    kilos: float


def track_parcel(parcel_number: int) -> str:
    """Where a parcel is."""
    if parcel_number not in _PARCELS:
        raise ToolFailure(f"No parcel has the number {parcel_number}.")
    return f"Parcel {parcel_number}: {_PARCELS[parcel_number]}"


def depot_hours(town: str) -> str:
    """The opening hours of the parcel depot in a town."""
    return f"The depot in {town} is open from {'07:15' if town.casefold() == 'graz' else '08:00'} to 18:00."


@changing
def register_shipment(sender: Sender, pieces: list[Piece]) -> str:
    """Register a shipment of one or more pieces; the weight is that of one piece."""
    return f"Shipment S-73 of {sender.name} is registered: {sum(piece.count for piece in pieces)} pieces."


def median(numbers: list[float]) -> str:
    """The median of a list of numbers."""
    return f"{statistics.median(numbers):g}"


POST = (track_parcel, depot_hours, register_shipment, median)
