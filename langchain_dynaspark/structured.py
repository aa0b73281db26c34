"""`with_structured_output`: the model, bound so that it answers with one value of a schema, then that value's parser.

A parser gives a value of the schema or raises `OutputParserException`; it never gives None. The one repair request is
made inside the model, so that callbacks see one run.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any

from langchain_core.exceptions import OutputParserException
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.output_parsers import BaseGenerationOutputParser
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.runnables import Runnable, RunnableGenerator, RunnableLambda, RunnableMap, RunnablePassthrough
from langchain_core.runnables.utils import AddableDict
from pydantic import AliasChoices, BaseModel, ConfigDict, RootModel
from pydantic.v1 import BaseModel as BaseModelV1

import dynaspark_core
from dynaspark_core.errors import ConfigError, OutputError
from dynaspark_core.reply.required import is_only_value
from dynaspark_core.reply.wrapped import fit_value
from dynaspark_core.schema import Mismatch, UnknownKey, conform
from dynaspark_core.schema.tops import takes_objects, without_about
from langchain_dynaspark.options import response_schema
from langchain_dynaspark.tools import ANY_OBJECT, json_schema, openai_tool

MAX_QUOTED_CHARS = 200
"""Most characters of an answer that an error quotes."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the caller asked for: a class, a schema or just an object; `schema` is its JSON Schema."""

    kind: Any
    schema: dict[str, Any]
    strict: bool | None = None

    @property
    def is_class(self) -> bool:
        """Whether it is a pydantic class, whose validators and names may take what its schema does not."""
        return isinstance(self.kind, type) and issubclass(self.kind, BaseModel | BaseModelV1)

    def build(self, value: Any) -> Any:
        """The value, out of its wrapper, as an instance of the class, otherwise as the schema has it.

        A class may take what its schema does not, but never an object whose keys it would pass over. Raises
        `ValueError` (pydantic's are such too) for a value that does not fit.
        """
        fitted = fit_value(value, self.schema)
        if not isinstance(fitted, Mismatch):
            return self._instance(fitted)
        if self.is_class:
            made = self._instance_beyond_schema(value, fitted)
            if _uses(made, value, every_key=isinstance(fitted, UnknownKey)) and not self._is_doubtful(value, fitted):
                return made
        raise ValueError(str(fitted))

    def _instance(self, value: Any) -> Any:
        if isinstance(self.kind, type) and issubclass(self.kind, BaseModel):
            return self.kind.model_validate_json(json.dumps(value))
        return self.kind.parse_obj(value) if self.is_class else value

    def _instance_beyond_schema(self, value: Any, refused: Mismatch) -> Any:
        """The instance; what a validator raises that trusts the schema is an error of the value, too."""
        try:
            return self._instance(value)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as exc:
            if isinstance(exc, ValueError) and not isinstance(refused, UnknownKey):
                raise  # the class says best what is wrong with a known field
            raise ValueError(str(refused)) from exc

    def _is_doubtful(self, value: Any, refused: Mismatch) -> bool:
        """Whether the keys are refused though the schema knows them, as the object can be read as another one."""
        found = conform(value, self.schema, needs_known_keys=True)
        return isinstance(refused, UnknownKey) and not isinstance(found, UnknownKey)


def _uses(made: Any, value: Any, *, every_key: bool) -> bool:
    """Whether each key of the value is a field of the instance, by its name or an alias, or at least one; so within."""
    made = made.root if isinstance(made, RootModel) else made
    if isinstance(value, list):
        pairs = zip(made, value, strict=False) if isinstance(made, list | tuple) else ()
        return all(_uses(*pair, every_key=every_key) for pair in pairs)
    if not isinstance(value, Mapping) or not value:
        return True
    if isinstance(made, BaseModel | BaseModelV1):
        names = _field_names(type(made))
        given = made.model_fields_set if isinstance(made, BaseModel) else made.__fields_set__
        made = {key: getattr(made, names[key]) for key in value if names.get(key) in given}
    if not isinstance(made, Mapping):
        return not every_key
    used = [key for key in value if key in made]
    is_enough = len(used) == len(value) if every_key else bool(used)
    return is_enough and all(_uses(made[key], value[key], every_key=every_key) for key in used)


def _field_names(kind: Any) -> dict[str, str]:
    """What a key of the class may be called → the field."""
    names: dict[str, str] = {}
    for name, field in (kind.model_fields if issubclass(kind, BaseModel) else kind.__fields__).items():
        alias = getattr(field, "validation_alias", None) or field.alias
        choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
        names |= {choice: name for choice in (name, *choices) if isinstance(choice, str)}
    return names


class ValueParser(BaseGenerationOutputParser[Any]):
    """A message → the value that it holds, as `read` finds it there. Raises `OutputParserException`."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    wanted: Wanted
    read: Callable[[AIMessage], Any]

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        generation = result[0]
        message: BaseMessage = generation.message if isinstance(generation, ChatGeneration) else AIMessage("")
        assert isinstance(message, AIMessage)  # noqa: S101  # a chat model's answer
        try:
            return self.wanted.build(self.read(message))
        except ValueError as exc:
            raise OutputParserException(f"no value of the schema: {exc}", llm_output=_written_by(message)) from exc


def structured_chain(
    model: BaseChatModel, schema: Any, *, method: str, include_raw: bool, strict: bool | None
) -> Runnable[Any, Any]:
    """The chain that gives values of the schema. Raises `ConfigError` for an unknown method or schema."""
    if method not in METHODS:
        raise ConfigError(f"method is {method!r}; it may be {', '.join(METHODS)}")
    if schema is None and method != "json_mode":
        raise ConfigError(f"method {method!r} needs a schema")
    schema, strict = _unwrapped(schema, strict=strict)
    wanted = Wanted(schema, ANY_OBJECT if schema is None else json_schema(schema, "schema", strict=strict), strict)
    bound, read = METHODS[method](model, wanted)
    if schema is not None:
        told = {"kwargs": {"method": method, "strict": strict}, "schema": _for_tracers(wanted.schema)}
        bound = bound.bind(ls_structured_output_format=told)
    parser = ValueParser(wanted=wanted, read=read)
    return _with_raw(bound, parser) if include_raw else bound | parser


def _for_tracers(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The titled schema in the form that LangChain's conversion, whose errors would end the call, leaves as it is."""
    about = {"name": schema["title"], **({"description": schema["description"]} if "description" in schema else {})}
    return {"type": "function", "function": {**about, "parameters": without_about(schema)}}


def _unwrapped(schema: Any, *, strict: bool | None) -> tuple[Any, bool | None]:
    """The titled schema in OpenAI's `{"type": "json_schema", …}`, and whether it is strict; any other as it is."""
    if not isinstance(schema, Mapping) or schema.get("type") != "json_schema":
        return schema, strict
    found = response_schema(schema) or ANY_OBJECT
    inner = schema.get("json_schema", schema)
    named = {"title": inner.get("name") or "value", **found}
    return named, inner.get("strict") if strict is None else strict


def _with_raw(bound: Runnable[Any, Any], parser: ValueParser) -> Runnable[Any, Any]:
    """Both: `raw`, the message, and `parsed`, or None and the `parsing_error`; in a stream `raw` comes in pieces."""
    parsed = itemgetter("raw") | parser | (lambda value: {"parsed": value, "parsing_error": None})
    tried = parsed.with_fallbacks([RunnableLambda(_unparsed)], exception_key="parsing_error")
    return RunnableMap(raw=bound) | RunnablePassthrough.assign(outcome=tried) | RunnableGenerator(_flat, _aflat)


def _unparsed(given: dict[str, Any]) -> dict[str, Any]:
    return {"parsed": None, "parsing_error": given["parsing_error"]}


def _flat(pieces: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The pieces, with what the `outcome` holds in its place."""
    for piece in pieces:
        given = AddableDict(piece)
        outcome = given.pop("outcome", {})
        yield AddableDict(given | outcome)


async def _aflat(pieces: AsyncIterator[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
    async for piece in pieces:
        for given in _flat(iter([piece])):
            yield given


Bound = tuple[Any, Callable[[AIMessage], Any]]


def _by_call(model: BaseChatModel, wanted: Wanted) -> Bound:
    if not takes_objects(wanted.schema):
        kind = f"not of type {wanted.schema['type']!r}" if "type" in wanted.schema else "not of other values"
        raise ConfigError(f"method 'function_calling' needs a schema of objects, {kind}; try 'json_schema'")
    tool = openai_tool(wanted.kind, "schema", strict=wanted.strict)
    name = tool["function"]["name"]
    bound = model.bind_tools([tool], tool_choice=name, parallel_tool_calls=False, may_answer=True)
    return bound, partial(_arguments, wanted.schema, name)


def _arguments(schema: Mapping[str, Any], name: str, message: AIMessage) -> Any:
    """The arguments of the message's first call of the name. Raises `ValueError` where there is none, or another."""
    called = [call["args"] for call in message.tool_calls if call["name"] == name]
    if not called:
        raise ValueError(f"the model did not call {name}; it wrote: {_written_by(message)[:MAX_QUOTED_CHARS]!r}")
    beside = (message.text, *(call["args"] or "" for call in message.invalid_tool_calls))
    if not all(is_only_value(text, called[0], schema) for text in beside):
        raise ValueError(f"the model gave {name} two different values, and no word says which one counts")
    return called[0]


def _by_schema(model: BaseChatModel, wanted: Wanted) -> Bound:
    asked = {"name": wanted.schema.get("title", "value"), "schema": wanted.schema, "strict": bool(wanted.strict)}
    bound = model.bind(response_format={"type": "json_schema", "json_schema": asked})
    return bound, partial(_value, wanted)


def _in_json_mode(model: BaseChatModel, wanted: Wanted) -> Bound:
    return model.bind(response_format={"type": "json_object"}), partial(_value, wanted)


def _value(wanted: Wanted, message: AIMessage) -> Any:
    """The message's text as JSON; if it is none, `OutputError` says what the model wrote instead."""
    try:
        return dynaspark_core.read_object(message.text, wanted.schema)
    except OutputError:
        if not wanted.is_class:
            raise
        return dynaspark_core.read_object(message.text, {"type": wanted.schema.get("type", "object")})


def _written_by(message: AIMessage) -> str:
    """What the model wrote, for a caller who wants to see or to mend it."""
    calls = [json.dumps(call["args"], ensure_ascii=False) for call in message.tool_calls]
    return "\n".join((message.text, *calls, *(call["args"] or "" for call in message.invalid_tool_calls))).strip()


METHODS: dict[str, Callable[[BaseChatModel, Wanted], Bound]] = {
    "json_schema": _by_schema,
    "function_calling": _by_call,
    "json_mode": _in_json_mode,
}
"""How the model is asked for the value: with the schema in the prompt; with a tool; for any JSON object."""
