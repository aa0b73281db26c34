"""Keywords that ask for something only in some cases: conditions, dependencies, counts of items, names of members."""

from collections.abc import Iterator, Mapping
from typing import Any

from dynaspark_core.schema.keywords import fit_every, strings
from dynaspark_core.schema.results import Checker, Fit, Mismatch, Result, Rule, join_path
from dynaspark_core.schema.scalars import is_type


def _is_valid(check: Checker, value: Any, schema: Any, path: str) -> bool:
    """Whether the value fits as it is."""
    result = check.fit(value, schema, path)
    return isinstance(result, Fit) and not result.is_coerced


def _condition(check: Checker, value: Any, schema: Mapping[str, Any], path: str) -> Result:
    branch = "then" if _is_valid(check, value, schema["if"], path) else "else"
    return check.fit(value, schema.get(branch, True), path)


def _dependent_required(_: Checker, value: Any, schema: Mapping[str, Any], path: str) -> Result:
    return _with_needed(schema["dependentRequired"], value, path)


def _with_needed(by_name: object, value: Any, path: str) -> Result:
    for name, needed in _present(by_name, value):
        absent = [other for other in strings(needed) if other not in value]
        if absent:
            return Mismatch(join_path(path, absent[0]), f"is required with {name}, but missing")
    return Fit(value)


def _dependent_schemas(check: Checker, value: Any, schema: Mapping[str, Any], path: str) -> Result:
    return fit_every(check, value, [part for _, part in _present(schema["dependentSchemas"], value)], path)


def _dependencies(check: Checker, value: Any, schema: Mapping[str, Any], path: str) -> Result:
    """Up to draft 7, one keyword has names for some keys and schemas for others."""
    result = _with_needed(schema["dependencies"], value, path)
    parts = [part for _, part in _present(schema["dependencies"], value)]
    return result if isinstance(result, Mismatch) else fit_every(check, value, parts, path)


def _present(by_name: object, value: Any) -> Iterator[tuple[str, Any]]:
    """What a keyword says of those names that the object has."""
    if isinstance(by_name, Mapping) and isinstance(value, dict):
        yield from ((name, item) for name, item in by_name.items() if name in value)


def _property_names(check: Checker, value: Any, schema: Mapping[str, Any], path: str) -> Result:
    for name in value if isinstance(value, dict) else ():
        result = check.fit(name, schema["propertyNames"], "")
        if isinstance(result, Mismatch) or result.is_coerced:
            reason = result.reason if isinstance(result, Mismatch) else "is written in another way"
            return Mismatch(join_path(path, name), f"is no key that is allowed here: {reason}")
    return Fit(value)


def _contains(check: Checker, value: Any, schema: Mapping[str, Any], path: str) -> Result:
    if not isinstance(value, list):
        return Fit(value)
    count = sum(_is_valid(check, item, schema["contains"], path) for item in value)
    least: Any = schema.get("minContains", 1)
    most: Any = schema.get("maxContains")
    if is_type(least, "number") and count < least:
        return Mismatch(path, f"must have at least {least} items of the kind in contains, has {count}")
    if is_type(most, "number") and count > most:
        return Mismatch(path, f"must have at most {most} items of the kind in contains, has {count}")
    return Fit(value)


def _unevaluated(check: Checker, value: Any, schema: Mapping[str, Any], path: str) -> Result:
    """No key is allowed that no part of the schema lists; which parts apply is not asked.

    A schema that welcomes other keys lists none, so it refuses none.
    """
    names, _ = check.names(schema)
    unknown = [name for name in value if name not in names] if isinstance(value, dict) and names else []
    if unknown:
        return Mismatch(join_path(path, unknown[0]), f"is not allowed here; allowed: {', '.join(sorted(names))}")
    return Fit(value)


CONDITIONS: tuple[tuple[frozenset[str], Rule], ...] = (
    (frozenset({"dependentRequired"}), _dependent_required),
    (frozenset({"dependentSchemas"}), _dependent_schemas),
    (frozenset({"dependencies"}), _dependencies),
    (frozenset({"if"}), _condition),
    (frozenset({"propertyNames"}), _property_names),
    (frozenset({"contains"}), _contains),
    (frozenset({"unevaluatedProperties"}), _unevaluated),
)
"""Keywords and their rule; they come after those of `keywords`, so that they see converted values."""
