"""A value against a JSON Schema: the value, with the few conversions that cannot be wrong, or what is wrong with it.

A reader of the subset that frameworks emit: types, members, items, enums, unions, `$ref`, limits. Unknown keywords
and formats mean nothing, a reference that leads nowhere allows everything. It resolves nothing over the network and
raises for no schema.
"""

from dynaspark_core.schema.check import Check, conform, fold_name, known_names
from dynaspark_core.schema.flat import is_flat_fit
from dynaspark_core.schema.results import Mismatch, UnknownKey
from dynaspark_core.schema.scalars import equal_json

__all__ = ["Check", "Mismatch", "UnknownKey", "conform", "equal_json", "fold_name", "is_flat_fit", "known_names"]
