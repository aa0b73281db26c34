"""One check of a value against a schema: the order of the rules, what is known already, how deep and how long."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from dynaspark_core.schema.conditions import CONDITIONS
from dynaspark_core.schema.keywords import RULES
from dynaspark_core.schema.limits import LIMITS, Limit
from dynaspark_core.schema.names import listed_names
from dynaspark_core.schema.references import References
from dynaspark_core.schema.results import Fit, Mismatch, Result, Rule, UnknownKey, join_path
from dynaspark_core.schema.scalars import MAX_NAMES_SHOWN, EnumIndex, Identities, type_test

MAX_SCHEMA_LEVELS = 150
"""Most levels of schemas within schemas that are checked: some 600 frames of the interpreter's 1,000."""
TOO_LARGE = "nested too deep, or too large, to be checked"
MAX_CHECKS = 32_000
"""Most checks of all the values that one `Check` gets, those of a reply: 6 µs each, and up to 50 where CPython has to
map the memory of a frame each time, which depends on how deep the caller's stack is."""
CHEAP_CHECKS = 16
"""A result that took no more checks is found once more rather than kept."""


def conform(value: Any, schema: Mapping[str, Any], *, needs_known_keys: bool = False) -> Any | Mismatch:
    """The value as the schema wants it, or the first `Mismatch`. The value given is not changed.

    Converted are, where the schema does not take the value as it is: "5" → 5, "true" → true, JSON text → array or
    object, 5 → "5", and a string that differs from one of an enum's in case alone. Nothing is filled in, rounded or
    left out.

    With `needs_known_keys` an object that has none of the keys which its schema lists, or one of them in another case,
    is an `UnknownKey`: JSON Schema lets it pass, but whoever reads the listed keys would find nothing. Schemas that
    list no `properties`, or that welcome others (`additionalProperties`, `patternProperties`), are checked as usual.
    """
    return Check(schema, needs_known_keys=needs_known_keys).conform(value)


def known_names(schema: Mapping[str, Any]) -> Mapping[str, bool]:
    """The keys that the schema lists for an object, and whether their schemas list keys as well.

    None where it welcomes others, or lists none.
    """
    check = Check(schema)
    try:
        names = listed_names(schema, check.target) or {}
        return {name: bool(listed_names(part, check.target)) for name, part in names.items()}
    except RecursionError:
        return {}


class Check:
    """Checks values against one schema. Costly results are kept, so that unions within unions stay linear."""

    def __init__(self, root: Mapping[str, Any], *, needs_known_keys: bool = False) -> None:
        self._root = root
        self.target = References(root).target
        self._needs_known_keys = needs_known_keys
        self._names: dict[int, tuple[frozenset[str], Mapping[str, str]]] = {}
        self._enums: dict[tuple[int, str], EnumIndex] = {}
        self._plans: dict[int, _Plan] = {}
        self._identities = Identities()
        self._left, self._steps = MAX_CHECKS, 0
        self._forget()

    def _forget(self) -> None:
        """Begin anew, with nothing known of any value."""
        self._left -= self._steps
        self._open: set[tuple[int, int]] = set()
        self._known: defaultdict[int, dict[int, Result]] = defaultdict(dict)
        self._kept: list[Any] = []
        self._depth = self._steps = self._branches = 0
        self._is_exhausted = False
        self._identities.forget()

    def conform(self, value: Any, *, is_within: bool = False) -> Any | Mismatch:
        """The value as the schema wants it, or what is wrong with it; see `conform`.

        `is_within`: it is a part of the value before. What was found out there is known, and counts among the checks.
        """
        if not is_within:
            self._forget()
        try:
            result = self.enter(value, self._root, "")
        except RecursionError:  # the caller's own stack was nearly used up
            self._is_exhausted = True
            return Mismatch("", TOO_LARGE)
        if self._is_exhausted and isinstance(result, Fit):  # what was not checked may be under `not`
            return Mismatch("", TOO_LARGE)
        return result if isinstance(result, Mismatch) else result.value

    def enter(self, value: Any, schema: Any, path: str) -> Result:
        """The check of a whole value, a member or an item, before that of the parts of its schema."""
        if not self._needs_known_keys or not isinstance(schema, Mapping) or not isinstance(value, dict | str):
            return self.fit(value, schema, path)
        result = self._unknown_key(value, schema, path) or self.fit(value, schema, path)
        if isinstance(result, Fit) and isinstance(value, str):  # it may have become an object
            return self._unknown_key(result.value, schema, path) or result
        return result

    def _unknown_key(self, value: Any, schema: Mapping[str, Any], path: str) -> UnknownKey | None:
        if not isinstance(value, dict) or not value:
            return None
        names, folded = self.names(schema)
        if not names or value.keys() <= names:
            return None
        if names.isdisjoint(value):
            shown = ", ".join(sorted(names)[:MAX_NAMES_SHOWN])
            return UnknownKey(path, f"has none of the keys of the schema: {shown}")
        unknown = ((name, folded[fold_name(name)]) for name in value if name not in names and fold_name(name) in folded)
        meant = next(((name, known) for name, known in unknown if known not in value), None)
        return UnknownKey(join_path(path, meant[0]), f"must be written {meant[1]}") if meant else None

    def names(self, schema: Mapping[str, Any]) -> tuple[frozenset[str], Mapping[str, str]]:
        """The keys that the schema lists, and those without case and punctuation → as listed."""
        if id(schema) not in self._names:
            names = listed_names(schema, self.target) or {}
            self._names[id(schema)] = frozenset(names), {fold_name(name): name for name in names}
        return self._names[id(schema)]

    def takes(self, value: Any, schema: Any) -> bool:
        """Whether the schema asks for no more than a type, and the value has it."""
        test = self._plan(schema).test if isinstance(schema, Mapping) else None
        return test is not None and test(value)

    def fit(self, value: Any, schema: Any, path: str) -> Result:
        if schema is False:
            return Mismatch(path, "nothing is allowed here")
        if not isinstance(schema, Mapping) or self.takes(value, schema):
            return Fit(value)
        key = id(value), id(schema)
        if key in self._open:  # a reference that comes back to the same value asks nothing new
            return Fit(value)
        if (known := self._known[id(schema)].get(id(value))) is not None:
            return known
        self._steps += 1
        if self._depth > MAX_SCHEMA_LEVELS or self._steps > self._left:
            self._is_exhausted = True
            return Mismatch(path, TOO_LARGE)
        before, plan = self._steps, self._plan(schema)
        self._open.add(key)
        self._depth += 1
        self._branches += plan.is_branching
        result = self._through_rules(value, schema, path, plan)
        self._depth -= 1
        self._branches -= plan.is_branching
        self._open.remove(key)
        if self._branches and isinstance(value, dict | list) and self._steps - before + len(value) > CHEAP_CHECKS:
            self._known[id(schema)][id(value)] = result
            self._kept.append(value)  # or its id could be another's later
        return result

    def _through_rules(self, value: Any, schema: Mapping[str, Any], path: str, plan: "_Plan") -> Result:
        if value is None and schema.get("nullable") is True:
            return Fit(value)
        fit = Fit(value)
        for rule in plan.rules:
            result = rule(self, fit.value, schema, path)
            if isinstance(result, Mismatch):
                return result
            fit = Fit(result.value, fit.is_coerced or result.is_coerced)
        for limit, bound in plan.limits:
            if reason := limit(fit.value, bound):
                return Mismatch(path, reason)
        return fit

    def _plan(self, schema: Mapping[str, Any]) -> "_Plan":
        """What a schema within the root asks for, looked up once."""
        plan = self._plans.get(id(schema))
        if plan is None:
            plan = self._plans[id(schema)] = _plan_of(schema)
        return plan

    def enum(self, schema: Mapping[str, Any], keyword: str) -> EnumIndex:
        """The values that the schema's `enum` or `const` allows, hashed once."""
        key = id(schema), keyword
        if key not in self._enums:
            allowed = schema["enum"] if keyword == "enum" else [schema["const"]]
            self._enums[key] = EnumIndex(allowed, self._identities)
        return self._enums[key]

    def identity(self, value: Any) -> Hashable:
        """What two values have in common if they are equal in JSON."""
        return self._identities.of(value)


def fold_name(name: str) -> str:
    """The name without case and punctuation."""
    return "".join(char for char in name.casefold() if char.isalnum())


@dataclass(frozen=True, slots=True)
class _Plan:
    """The rules and limits of a schema; `test` if it asks for a type alone.

    `is_branching`: whether a value within may be asked for the same once more, on another way.
    """

    test: Callable[[Any], bool] | None
    rules: tuple[Rule, ...]
    limits: tuple[tuple[Limit, Any], ...]
    is_branching: bool


_RULES = (*RULES, *CONDITIONS)
_BRANCHING = frozenset({
    "allOf", "anyOf", "oneOf", "not", "if", "contains", "dependencies", "dependentSchemas", "patternProperties",
})  # fmt: skip


def _plan_of(schema: Mapping[str, Any]) -> _Plan:
    rules = tuple(rule for keywords, rule in _RULES if not keywords.isdisjoint(schema))
    limits = tuple((limit, schema[keyword]) for keyword, limit in LIMITS.items() if keyword in schema)
    name = schema.get("type", "")
    is_plain = isinstance(name, str) and not limits and len(rules) == ("type" in schema)
    return _Plan(type_test(name) if is_plain else None, rules, limits, not _BRANCHING.isdisjoint(schema))
