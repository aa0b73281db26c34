"""The questions that show how well a model follows the format of calls: 8 calls, 2 loops, 4 objects, 2 without a tool.

Only values. The loops of `benchmarks/loops` contain most of the loops here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dynaspark_core.doctor.definition import Check, Loop, call, holds
from dynaspark_core.doctor.home import HOME, log_expense, read_meter, room_temperature, set_heating, switch_lamp
from dynaspark_core.doctor.shop import SHOP, order_status, place_order, search_products, stock_level


@dataclass(frozen=True, slots=True)
class ObjectQuestion:
    """A text, the JSON Schema of what it holds, and what an answer must have."""

    name: str
    text: str
    schema: Mapping[str, Any]
    wanted: Mapping[str, Check]


LAMP = Loop(
    "single", "lamp", "Please switch on the lamp in the kitchen.", HOME,
    (call(switch_lamp, room=holds("kitchen"), on=True),), (("kitchen", "lamp", "done"),),
)  # fmt: skip
WATER = Loop(
    "single", "water", "What does our water meter show?", HOME, (call(read_meter, meter="water"),), ("412",),
)  # fmt: skip
ECO = Loop(
    "arguments", "eco", "Set the heating in the bedroom to 18.5 degrees, in eco mode.", HOME,
    (call(set_heating, room=holds("bedroom"), degrees=18.5, mode="eco"),), ("18.5",),
)  # fmt: skip
EXPENSE = Loop(
    "arguments", "expense", "I paid 23.80 euros for food at Corner Bakery. Put it into the expenses.", HOME,
    (call(log_expense, shop=holds("corner bakery"), total=23.8, category="food"),), ("23.8",),
)  # fmt: skip
STOCK = Loop(
    "single", "stock", "How many of the product P-77 do you have?", SHOP,
    (call(stock_level, product_id="P-77"),), ("130",),
)  # fmt: skip
GIFT = Loop(
    "arguments", "gift", "Order two of the product P-12, gift-wrapped.", SHOP,
    (call(place_order, product_id="P-12", quantity=2, gift_wrap=True),), ("9021",),
)  # fmt: skip
ORDINE = Loop(
    "language", "ordine", "A che punto è il mio ordine 7001?", SHOP,
    (call(order_status, order_number=7001),), (("venerd", "friday"),),
)  # fmt: skip
DEAR_GARDENER = Loop(
    "system", "dear-gardener", "How many of P-12 are left?", SHOP,
    (call(stock_level, product_id="P-12"),), ("48", "dear gardener"),
    system="You answer for a garden shop. In every answer, address the customer as: dear gardener.",
)  # fmt: skip
ORDER_SOIL = Loop(
    "sequential", "order-soil", "Please order 3 bags of potting soil for me.", SHOP,
    (call(search_products, words=holds("soil")), call(place_order, product_id="P-77", quantity=3)),
    (("9021", "ordered", "placed"),),
)  # fmt: skip
ERROR_LOUNGE = Loop(
    "error", "error-lounge", "How warm is it in the lounge?", HOME,
    (call(room_temperature, room=holds("living room")),), ("21.5",), allowed=(room_temperature,),
)  # fmt: skip
CAPITAL = Loop("none", "capital", "What is the capital of Portugal?", HOME, (), (("lisbon", "lisboa"),))
MERCI = Loop("language", "merci", "Merci beaucoup pour votre aide, et bonne journée !", HOME)

CALLS = (LAMP, WATER, ECO, EXPENSE, STOCK, GIFT, ORDINE, DEAR_GARDENER)
"""Each needs one call, which the first reply must make."""
NO_CALLS = (CAPITAL, MERCI)


def _object(**properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


_TEXT, _WHOLE = {"type": "string"}, {"type": "integer"}
OBJECTS = (
    ObjectQuestion(
        "person", "Ada Lovelace was 36 years old when she died in London.",
        _object(name=_TEXT, age=_WHOLE, city=_TEXT), {"name": holds("lovelace"), "age": 36, "city": "London"},
    ),
    ObjectQuestion(
        "mood", "The soup was cold, and the waiter was rude.",
        _object(mood={"enum": ["positive", "neutral", "negative"]}), {"mood": "negative"},
    ),
    ObjectQuestion(
        "parcel", "The parcel holds 2 boxes of 4 kilos each and 1 tube of 0.5 kilos.",
        _object(pieces={
            "type": "array",
            "items": _object(kind={"enum": ["box", "tube"]}, count=_WHOLE, kilos={"type": "number"}),
        }),
        {"pieces": [{"kind": "box", "count": 2, "kilos": 4}, {"kind": "tube", "count": 1, "kilos": 0.5}]},
    ),
    ObjectQuestion(
        "meeting", "The meeting is on 9 March 2026 and takes 45 minutes. No room is booked.",
        _object(date={"type": "string", "format": "date"}, minutes=_WHOLE, has_room={"type": "boolean"}),
        {"date": "2026-03-09", "minutes": 45, "has_room": False},
    ),
)  # fmt: skip
