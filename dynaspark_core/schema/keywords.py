"""What each keyword of a JSON Schema asks of a value: rules that give it back, converted or not, or a `Mismatch`.

Rules for objects, arrays, unions and references are here; those for single values are in `scalars`. A rule asks the
`Checker` for the values inside. `RULES` has their order.
"""

from collections.abc import Mapping
from typing import Any

from dynaspark_core.schema.limits import LIMITS
from dynaspark_core.schema.results import Checker, Fit, Mismatch, Result, Rule, join_path
from dynaspark_core.schema.scalars import (
    ABSENT,
    MAX_NAMES_SHOWN,
    EnumIndex,
    coerce,
    describe_value,
    equal_json,
    is_type,
    name_types,
)


def strings(value: object) -> list[str]:
    """The strings in a keyword's value, which is one string or an array of them."""
    items = [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else []
    return [item for item in items if isinstance(item, str)]


def _reference(check: Checker, value: Any, schema: Mapping[str, Any], path: str) -> Result:
    return check.fit(value, check.target(schema["$ref"]), path)


def _type(_: Checker, value: Any, schema: Mapping[str, Any], path: str) -> Result:
    names = strings(schema["type"])
    if not names or any(is_type(value, name) for name in names):
        return Fit(value)
    converted = coerce(value, names)
    if converted is ABSENT:
        return Mismatch(path, f"expected {name_types(names)}, got {describe_value(value)}")
    return Fit(converted, is_coerced=True)


def _enum(check: Checker, value: Any, schema: Mapping[str, Any], path: str) -> Result:
    is_list = isinstance(schema["enum"], list | tuple)
    return _one_of_values(value, check.enum(schema, "enum"), path) if is_list else Fit(value)


def _const(check: Checker, value: Any, schema: Mapping[str, Any], path: str) -> Result:
    return _one_of_values(value, check.enum(schema, "const"), path)


def _one_of_values(value: Any, index: EnumIndex, path: str) -> Result:
    found = index.find(value)
    if found is ABSENT:
        return Mismatch(path, index.demand)
    return Fit(found, is_coerced=found is not value)


def _every(check: Checker, value: Any, schema: Mapping[str, Any], path: str) -> Result:
    return fit_every(check, value, _parts(schema["allOf"]), path)


def fit_every(check: Checker, value: Any, parts: list[Any], path: str) -> Result:
    """The value as all the schemas have it, one after the other."""
    fit = Fit(value)
    for part in parts:
        result = check.fit(fit.value, part, path)
        if isinstance(result, Mismatch):
            return result
        fit = Fit(result.value, fit.is_coerced or result.is_coerced)
    return fit


def _parts(value: object) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _any(check: Checker, value: Any, schema: Mapping[str, Any], path: str) -> Result:
    return _union(check, value, _parts(schema["anyOf"]), path, is_exclusive=False)


def _one(check: Checker, value: Any, schema: Mapping[str, Any], path: str) -> Result:
    return _union(check, value, _parts(schema["oneOf"]), path, is_exclusive=True)


def _union(check: Checker, value: Any, parts: list[Any], path: str, *, is_exclusive: bool) -> Result:
    """The value as the alternative has it that takes it unconverted; else as the only one that converts it."""
    results = []
    for part in parts:
        results.append(result := check.fit(value, part, path))
        if isinstance(result, Fit) and not (result.is_coerced or is_exclusive):
            return result
    fits = [result for result in results if isinstance(result, Fit)]
    exact = [fit for fit in fits if not fit.is_coerced]
    if len(exact) == 1:
        return exact[0]
    if exact:
        return Mismatch(path, f"fits {len(exact)} of the alternatives, may fit only one")
    if fits and all(equal_json(fit.value, fits[0].value) for fit in fits):
        return fits[0]
    if fits:
        return Mismatch(path, f"{describe_value(value)} can be read in more than one way")
    wrong = [result for result in results if isinstance(result, Mismatch)]
    return _nearest(wrong, path) if wrong else Fit(value)


def _nearest(wrong: list[Mismatch], path: str) -> Mismatch:
    """What is wrong with the alternative that went deepest; with all of them if none went below `path`."""
    deepest = max(wrong, key=lambda mismatch: len(mismatch.path))
    if len(deepest.path) > len(path):
        return deepest
    return Mismatch(path, "; or ".join(dict.fromkeys(mismatch.reason for mismatch in wrong[:MAX_NAMES_SHOWN])))


def _not(check: Checker, value: Any, schema: Mapping[str, Any], path: str) -> Result:
    result = check.fit(value, schema["not"], path)
    if isinstance(result, Fit) and not result.is_coerced:
        return Mismatch(path, f"must not be {describe_value(value)}")
    return Fit(value)


def _object(check: Checker, value: Any, schema: Mapping[str, Any], path: str) -> Result:
    if not isinstance(value, dict):
        return Fit(value)
    absent = [name for name in strings(schema.get("required")) if name not in value]
    if absent:
        return Mismatch(join_path(path, absent[0]), "is required but missing")
    members, is_coerced = {}, False
    for name, item in value.items():
        below = join_path(path, name)
        for part in _schemas_of_member(schema, name):
            if part is False:
                return Mismatch(below, f"is not allowed here; allowed: {', '.join(_known_names(schema)) or 'nothing'}")
            result = check.enter(item, part, below)
            if isinstance(result, Mismatch):
                return result
            item, is_coerced = result.value, is_coerced or result.is_coerced  # noqa: PLW2901 - through each schema
        members[name] = item
    return Fit(members if is_coerced else value, is_coerced)


def _known_names(schema: Mapping[str, Any]) -> list[str]:
    properties = schema.get("properties")
    return list(properties)[:MAX_NAMES_SHOWN] if isinstance(properties, Mapping) else []


def _schemas_of_member(schema: Mapping[str, Any], name: str) -> list[Any]:
    properties, patterns = schema.get("properties"), schema.get("patternProperties")
    found = [properties[name]] if isinstance(properties, Mapping) and name in properties else []
    if isinstance(patterns, Mapping):
        found += [part for pattern, part in patterns.items() if not LIMITS["pattern"](name, pattern)]
    return found or [schema.get("additionalProperties", True)]


def _array(check: Checker, value: Any, schema: Mapping[str, Any], path: str) -> Result:
    if not isinstance(value, list):
        return Fit(value)
    items = schema.get("items", True)
    first, rest = (items, schema.get("additionalItems", True)) if isinstance(items, list) else ([], items)
    first = first or _parts(schema.get("prefixItems"))
    fitted, is_coerced = [], False
    for index, item in enumerate(value):
        part = first[index] if index < len(first) else rest
        if check.takes(item, part) and not isinstance(item, dict):
            fitted.append(item)
            continue
        result = check.enter(item, part, f"{path}[{index}]")
        if isinstance(result, Mismatch):
            return result
        fitted.append(result.value)
        is_coerced = is_coerced or result.is_coerced
    return Fit(fitted if is_coerced else value, is_coerced)


def _unique(check: Checker, value: Any, schema: Mapping[str, Any], path: str) -> Result:
    if not isinstance(value, list) or schema["uniqueItems"] is not True:
        return Fit(value)
    is_repeated = len(set(map(check.identity, value))) < len(value)
    return Mismatch(path, "must not hold the same item twice") if is_repeated else Fit(value)


_MEMBERS = frozenset({"required", "properties", "patternProperties", "additionalProperties"})
RULES: tuple[tuple[frozenset[str], Rule], ...] = (
    (frozenset({"$ref"}), _reference),
    (frozenset({"type"}), _type),
    (frozenset({"enum"}), _enum),
    (frozenset({"const"}), _const),
    (frozenset({"allOf"}), _every),
    (frozenset({"anyOf"}), _any),
    (frozenset({"oneOf"}), _one),
    (frozenset({"not"}), _not),
    (_MEMBERS, _object),
    (frozenset({"items", "prefixItems"}), _array),
    (frozenset({"uniqueItems"}), _unique),
)
"""Keywords and their rule, in the order in which a value goes through them."""
