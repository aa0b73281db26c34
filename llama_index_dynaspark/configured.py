"""What `Dynaspark` is made of: its fields, their checks, the client and the chat they mean. No endpoint stands here."""

from collections.abc import Mapping, Sequence
from typing import Any

from llama_index.core.base.llms.generic_utils import messages_to_prompt as generic_messages_to_prompt
from llama_index.core.base.llms.types import ChatMessage, LLMMetadata, MessageRole
from llama_index.core.bridge.pydantic import Field, SecretStr
from llama_index.core.llms.custom import CustomLLM
from llama_index.core.llms.function_calling import FunctionCallingLLM

from dynaspark_core import Chat, DynasparkClient, Message, Tool, models
from dynaspark_core.client import client_of
from dynaspark_core.errors import ConfigError
from dynaspark_core.images import Policy
from dynaspark_core.settings import NOT_SENT, warn_of_unsent
from dynaspark_core.sources import Place
from llama_index_dynaspark import convert


class ConfiguredLLM(CustomLLM, FunctionCallingLLM):
    """The fields of `Dynaspark`, which describes them."""

    model: str = Field(default="", description="The model's name or an alias.")
    stop: list[str] | None = Field(default=None, description="Texts where the answer is cut.")
    base_url: str | None = Field(default=None, description="Of the service.")
    path: str | None = Field(default=None, description="Of the form post.")
    api_key: SecretStr | None = Field(default=None, exclude=True, repr=False)
    default_headers: Mapping[str, str] | None = Field(default=None, exclude=True, repr=False)
    proxy: str | None = Field(default=None, exclude=True, repr=False)
    timeout: float | None = Field(default=None, description="Seconds for one attempt.")
    max_retries: int | None = Field(default=None, description="Requests after the first.")
    max_concurrency: int | None = Field(default=None, description="Requests at a time on one event loop.")
    model_aliases: Mapping[str, str] | None = Field(default=None, description="Own names for models.")
    image_policy: Policy | None = Field(default=None, description="What becomes of several images.")
    allow_image_urls: bool | None = Field(default=None, description="Whether URLs of images are fetched.")
    context_window: int = Field(default=0, description="Tokens of prompt and answer.")
    num_output: int = Field(default=0, description="Tokens of the longest answer.")
    is_function_calling_model: bool = Field(default=True, description="Whether agents and programs use tools.")
    temperature: float | None = Field(default=None, ge=0, description="Accepted, not sent.")
    max_tokens: int | None = Field(default=None, gt=0, description="Accepted, not sent.")

    def _check(self) -> None:
        if not 0 < self.num_output < self.context_window:
            raise ConfigError(f"num_output is {self.num_output}; it must be below context_window {self.context_window}")
        self._client  # noqa: B018  # wrong settings raise here, before anything is sent
        warn_of_unsent({"temperature": self.temperature, "max_tokens": self.max_tokens})

    @classmethod
    def class_name(cls) -> str:
        return "Dynaspark_llm"

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(
            context_window=self.context_window,
            num_output=self.num_output,
            is_chat_model=True,
            is_function_calling_model=self.is_function_calling_model,
            model_name=self._model_name,
            system_role=MessageRole.SYSTEM,
        )

    @property
    def _client(self) -> DynasparkClient:
        return client_of(self)

    @property
    def _model_name(self) -> str:
        settings = self._client.settings
        return models.resolve(settings.model, settings.model_aliases)

    def _chat(
        self,
        messages: Sequence[ChatMessage],
        *,
        model: str = "",
        stop: Sequence[str] | None = None,
        tools: Sequence[Mapping[str, Any]] = (),
        tool_choice: str = "auto",
        allow_parallel_tool_calls: bool = True,
        **others: Any,
    ) -> Chat:
        warn_of_unsent({name: others.pop(name, None) for name in NOT_SENT})
        if others:
            raise ConfigError(f"unknown parameters for one call: {', '.join(others)}")
        cuts = stop if stop is not None else self.stop or ()
        return Chat(
            self._history(messages),
            model=model or self.model,
            tools=tuple(Tool(tool["name"], tool["description"], tool["parameters"]) for tool in tools),
            tool_choice=tool_choice,
            parallel_tool_calls=allow_parallel_tool_calls,
            stop=tuple(cuts),
        )

    def _history(self, messages: Sequence[ChatMessage]) -> tuple[Message, ...]:
        """The messages; a function of the user's own that makes one text of them is honoured, the images stay."""
        history = convert.history(messages)
        if self.messages_to_prompt in (None, generic_messages_to_prompt):
            return history
        images = tuple(part for message in history for part in message.content if not isinstance(part, str))
        return (Message("user", (self.messages_to_prompt(messages), *images)),)

    def _completion(self, prompt: str, formatted: bool, kwargs: dict[str, Any]) -> list[ChatMessage]:  # as `complete`
        """The prompt and the call's `image_documents`, which are taken out of `kwargs`, as one user message."""
        text = prompt if formatted or self.completion_to_prompt is None else self.completion_to_prompt(prompt)
        message = ChatMessage(role=MessageRole.USER, content=text)
        for index, document in enumerate(kwargs.pop("image_documents", None) or ()):
            message.blocks.append(convert.image_block(document, Place(f"image_documents[{index}]")))
        return [message]
