"""One structured prediction: what to ask, and what the answers mean. It asks nothing itself: `Dynaspark` does.

LlamaIndex's own programs show the model a schema with doubled braces, change the caller's template, lose the system
prompt, and end a stream on a blank object; so nothing of them is used here.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Generic, TypeVar

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, MessageRole
from llama_index.core.bridge.pydantic import BaseModel, ValidationError
from llama_index.core.instrumentation.events.llm import (
    LLMStructuredPredictEndEvent,
    LLMStructuredPredictInProgressEvent,
    LLMStructuredPredictStartEvent,
)
from llama_index.core.llms.utils import parse_partial_json
from llama_index.core.program.utils import FlexibleModel, create_flexible_model
from llama_index.core.prompts import BasePromptTemplate
from llama_index_instrumentation import get_dispatcher
from pydantic import AliasChoices, RootModel
from pydantic.fields import FieldInfo

from dynaspark_core import Chat, Reply
from dynaspark_core.errors import ConfigError, OutputError
from dynaspark_core.prompt.turns import json_line
from dynaspark_core.repair import repair_chat
from dynaspark_core.reply.partial import PartialObject
from dynaspark_core.reply.value import read_object
from llama_index_dynaspark.fields import wrong_fields
from llama_index_dynaspark.options import Options, schema_of_class

Model = TypeVar("Model", bound=BaseModel)
OF_TOOLS = frozenset({"tools", "tool_choice", "tool_required", "allow_parallel_tool_calls"})
"""Options of a call that mean nothing here, and that LlamaIndex's programs leave out, too."""
_dispatcher = get_dispatcher(__name__)


class Prediction(Generic[Model]):
    """While `result` is None, ask `messages` with `options`, `show` what a stream brings, and `feed` its last response.

    `most`: how many times it may be asked again.
    """

    def __init__(self, output_cls: type[Model], messages: list[ChatMessage], options: Options, most: int) -> None:
        self.result: Model | None = None
        self.messages = self._question = messages
        self._schema = schema_of_class(output_cls)
        kept = {name: value for name, value in (options or {}).items() if name not in OF_TOOLS}
        self.options: dict[str, Any] = {**kept, "response_schema": self._schema}
        self._output_cls = output_cls
        self._partial = PartialObject(self._schema, parse_partial_json)
        self._names = {_alias(field): name for name, field in output_cls.model_fields.items()}
        self._left = most

    @cached_property
    def _partial_cls(self) -> type[FlexibleModel]:
        """What a stream shows; to make it takes as long as the class's schema, and may warn of names."""
        return create_flexible_model(self._output_cls)

    def feed(self, response: ChatResponse, *, in_stream: bool = False) -> None:
        """Set `result`, or what to ask next. Raises `OutputError` that names the field when nothing is left.

        The result is the last object of a stream, too, and events say so before they say that the prediction ended.
        """
        try:
            self.result = self._read(response.message.content or "")
        except OutputError as exc:
            if not self._left:
                raise
            self._left -= 1
            self.messages = [*self._question, *self._objection(exc)]
        else:
            if in_stream:
                _in_progress(self.result)
            _dispatcher.event(LLMStructuredPredictEndEvent(output=self.result))

    def _objection(self, error: OutputError) -> Iterator[ChatMessage]:
        """The turns that ask for the value again: those of the client's own repairs."""
        asked = repair_chat(Chat((), response_schema=self._schema), Reply(error.text), error)
        for message in asked.messages if asked else ():
            yield ChatMessage(role=MessageRole(message.role), content=message.text)

    def _read(self, text: str) -> Model:
        """The schema first; then the class, whose own validators know more than a schema can say."""
        value = read_object(text, self._schema)
        try:
            return self._output_cls.model_validate_json(json_line(value))
        except ValidationError as exc:
            raise OutputError(f"no {self._output_cls.__name__}: {wrong_fields(exc)}", text=text) from exc

    def show(self, response: ChatResponse) -> Iterator[FlexibleModel]:
        """What there is so far of the object, if this response has brought anything new of it."""
        value = self._partial.read(response.message.content or "")
        try:
            partial = None if value is None else self._partial_cls.model_validate(self._named(value))
        except (ValueError, RecursionError):
            return
        if partial is not None:
            yield _in_progress(partial)

    def _named(self, value: dict[str, Any]) -> dict[str, Any]:
        """The value under the names of the class's fields, as LlamaIndex's class for partial objects has no aliases."""
        if issubclass(self._output_cls, RootModel):
            return {"root": value}
        return {self._names.get(key, key): each for key, each in value.items()}


Object = TypeVar("Object", bound=BaseModel)


def _in_progress(value: Object) -> Object:
    _dispatcher.event(LLMStructuredPredictInProgressEvent(output=value))
    return value


def announce(output_cls: type[BaseModel], prompt: BasePromptTemplate, prompt_args: dict[str, Any]) -> None:
    """Emit the event that a prediction begins. Raises `ConfigError` for what is no template."""
    if not isinstance(prompt, BasePromptTemplate):
        raise ConfigError(f"the prompt is of type {type(prompt).__name__}; give a PromptTemplate")
    _dispatcher.event(LLMStructuredPredictStartEvent(output_cls=output_cls, template=prompt, template_args=prompt_args))


def _alias(field: FieldInfo) -> str | None:
    """The field's name in the class's JSON Schema, where it has another one there."""
    alias = field.validation_alias or field.alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    return next((choice for choice in choices if isinstance(choice, str)), None)
