"""What `Dynaspark` is made of: its fields, their checks, the chat that a call means, and the one way to ask it."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from llama_index.core.base.llms.generic_utils import messages_to_prompt as generic_messages_to_prompt
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, LLMMetadata, MessageRole
from llama_index.core.bridge.pydantic import Field, SecretStr, field_serializer
from llama_index.core.llms.custom import CustomLLM
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.program.utils import FlexibleModel
from llama_index.core.prompts import PromptTemplate
from llama_index.core.types import PydanticProgramMode

from dynaspark_core import Chat, DynasparkClient, Message, models
from dynaspark_core.errors import ConfigError
from dynaspark_core.faces import NOT_SENT, Keeper, warn_of_unsent
from dynaspark_core.messages import Policy
from dynaspark_core.sources import Place
from llama_index_dynaspark import convert, responses
from llama_index_dynaspark.structured import Model, Options, Prediction, announce
from llama_index_dynaspark.tools import checked, choice, read

if TYPE_CHECKING:
    from llama_index.core.chat_engine.types import AgentChatResponse
    from llama_index.core.tools.types import BaseTool


class ConfiguredLLM(CustomLLM, FunctionCallingLLM):
    """The fields of `Dynaspark`, which describes them."""

    model: str = Field(default="", description="The model's name or an alias.")
    stop: list[str] | None = Field(default=None, description="Texts where the answer is cut.")
    base_url: str | None = Field(default=None, repr=False, description="Of the service.")
    path: str | None = Field(default=None, description="Of the form post.")
    api_key: SecretStr | None = Field(default=None, exclude=True, repr=False)
    default_headers: Mapping[str, str] | None = Field(default=None, exclude=True, repr=False)
    proxy: str | None = Field(default=None, exclude=True, repr=False)
    timeout: float | None = Field(default=None, description="Seconds for one attempt.")
    max_retries: int | None = Field(default=None, description="Requests after the first.")
    max_repairs: int | None = Field(default=None, description="Requests that ask for a broken answer once more.")
    max_concurrency: int | None = Field(default=None, description="Requests at a time on one event loop.")
    requests_per_hour: int | None = Field(default=None, description="Requests in any hour, the own limit.")
    limit_storage: str | None = Field(default=None, exclude=True, repr=False)
    model_aliases: Mapping[str, str] | None = Field(default=None, description="Own names for models.")
    image_policy: Policy | None = Field(default=None, description="What becomes of several images.")
    allow_image_urls: bool | None = Field(default=None, description="Whether URLs of images are fetched.")
    allow_image_paths: bool = Field(default=True, description="Whether blocks may name local files.")
    context_window: int = Field(default=0, description="Tokens of prompt and answer.")
    num_output: int = Field(default=0, description="Tokens of the longest answer.")
    is_function_calling_model: bool = Field(default=True, description="Whether agents and programs use tools.")
    temperature: float | None = Field(default=None, ge=0, description="Accepted, not sent.")
    max_tokens: int | None = Field(default=None, gt=0, description="Accepted, not sent.")

    def _settle(self) -> None:
        """Sets what was not given, and checks what was. Raises `ConfigError` that names the wrong value."""
        settings = self._client.settings  # wrong ones raise here, before anything is sent
        self.model = settings.model or models.DEFAULT_MODEL
        about = models.describe(self._model_name)
        self.context_window = self.context_window or about.context_window
        self.num_output = self.num_output or self.max_tokens or about.max_output
        if not 0 < self.num_output < self.context_window:
            raise ConfigError(f"num_output is {self.num_output}; it must be below context_window {self.context_window}")
        warn_of_unsent({"temperature": self.temperature, "max_tokens": self.max_tokens})

    @field_serializer("base_url")
    def _without_password(self, url: str | None) -> str | None:
        parts = urlsplit(url or "")
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() or None

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

    @cached_property
    def _keeper(self) -> Keeper:
        return Keeper()

    @property
    def _client(self) -> DynasparkClient:
        return self._keeper.client(self)

    @property
    def _model_name(self) -> str:
        return self._client.settings.resolved()

    def _chat(
        self,
        messages: Sequence[ChatMessage],
        *,
        model: str = "",
        stop: Sequence[str] | None = None,
        tools: Sequence[Any] | None = None,
        tool_choice: str | Mapping[str, Any] | None = None,
        tool_required: bool = False,
        allow_parallel_tool_calls: bool = True,
        response_schema: Mapping[str, Any] | None = None,
        is_completion: bool = False,
        **others: Any,
    ) -> Chat:
        """The chat that a call of an endpoint means. Raises `ConfigError` that names what it does not know."""
        if others:
            warn_of_unsent({name: others.pop(name, None) for name in NOT_SENT})
        if others:
            raise ConfigError(f"unknown parameters for one call: {', '.join(others)}")
        cuts = stop if stop is not None else self.stop or ()
        offered = read(tools or ())
        return Chat(
            self._history(messages, is_completion=is_completion),
            model=model or self.model,
            tools=offered,
            tool_choice=checked(choice(tool_choice, is_required=tool_required), offered),
            parallel_tool_calls=allow_parallel_tool_calls,
            stop=tuple(cuts),
            response_schema=response_schema,
        )

    def _history(self, messages: Sequence[ChatMessage], *, is_completion: bool) -> tuple[Message, ...]:
        """The messages; a function of the user's own that makes one text of them is honoured, the images stay."""
        said = messages if is_completion else self._with_system_prompt(messages)
        history = convert.history(said, allow_paths=self.allow_image_paths)
        if is_completion or self.messages_to_prompt in (None, generic_messages_to_prompt):
            return history
        images = tuple(part for message in history for part in message.content if not isinstance(part, str))
        return (Message("user", (self.messages_to_prompt(said), *images)),)

    def _with_system_prompt(self, messages: Sequence[ChatMessage]) -> Sequence[ChatMessage]:
        """The messages with the system prompt, which LlamaIndex has put before some of them already."""
        is_there = any(each.role == MessageRole.SYSTEM and each.content == self.system_prompt for each in messages)
        return messages if is_there else self._extend_messages(list(messages))

    def _completion(self, prompt: str, formatted: bool, kwargs: dict[str, Any]) -> dict[str, Any]:  # as `complete`
        """What `_response` takes for a completion: the prompt and the `image_documents` as one message, and options."""
        text = prompt if formatted or self.completion_to_prompt is None else self.completion_to_prompt(prompt)
        options = dict(kwargs)
        message = ChatMessage(role=MessageRole.USER, content=text)
        for index, document in enumerate(options.pop("image_documents", None) or ()):
            message.blocks.append(convert.image_block(document, Place(f"image_documents[{index}]")))
        return {"messages": [message], "is_completion": True, **options}

    @property
    def _predicts(self) -> bool:
        """Whether structured predictions are ours; any other mode than the default asks for a program of LlamaIndex."""
        return self.pydantic_program_mode == PydanticProgramMode.DEFAULT

    def _prediction(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        options: Options,
        prompt_args: dict[str, Any],
    ) -> Prediction[Model]:
        announce(output_cls, prompt, prompt_args)
        messages = self._extend_messages(prompt.format_messages(llm=self, **prompt_args))
        return Prediction(output_cls, messages, options, self._client.settings.max_repairs)

    async def _response(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        chat = self._chat(messages, **kwargs)
        return responses.response(chat, await self._client.complete(chat))

    async def _responses(self, messages: Sequence[ChatMessage], **kwargs: Any) -> AsyncGenerator[ChatResponse]:
        chat = self._chat(messages, **kwargs)
        so_far = responses.Responses(chat)
        async with aclosing(self._client.events(chat)) as events:
            async for event in events:
                for response in so_far.take(event):
                    yield response

    async def _predictions(self, prediction: Prediction[Model]) -> AsyncGenerator[Model | FlexibleModel, None]:
        while prediction.result is None:
            async for response in await self.astream_chat(prediction.messages, **prediction.options):
                for partial in prediction.show(response):
                    yield partial
            prediction.take(response)
        for result in prediction.final():
            yield result

    def predict_and_call(self, tools: Sequence["BaseTool"], *args: Any, **kwargs: Any) -> "AgentChatResponse":
        return super().predict_and_call(tools, *args, **self._calling(kwargs))

    async def apredict_and_call(self, tools: Sequence["BaseTool"], *args: Any, **kwargs: Any) -> "AgentChatResponse":
        return await super().apredict_and_call(tools, *args, **self._calling(kwargs))

    def _calling(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """The options of `predict_and_call`; its agent for models without tools needs what LlamaIndex leaves out."""
        if self.is_function_calling_model:
            return {"known_only": True, **kwargs}
        from llama_index.core.agent.react import ReActChatFormatter, ReActOutputParser  # noqa: PLC0415  # slow, rare

        return {"react_chat_formatter": ReActChatFormatter(), "output_parser": ReActOutputParser(), **kwargs}
