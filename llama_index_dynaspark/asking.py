"""One call of the model: LlamaIndex's arguments → our chat, and the client's answer to it, whole or as it arrives."""

from collections.abc import AsyncGenerator, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from inspect import unwrap
from typing import TYPE_CHECKING, Any

from llama_index.core.base.llms.generic_utils import messages_to_prompt as generic_messages_to_prompt
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, MessageRole
from llama_index.core.chat_engine.types import AgentChatResponse
from llama_index.core.program.utils import FlexibleModel
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools.types import BaseTool
from llama_index.core.types import Model, PydanticProgramMode

from dynaspark_core import Chat, Done, DynasparkClient, Event, Message, Preview, Reply
from dynaspark_core.content.checks import stops
from dynaspark_core.errors import ConfigError
from dynaspark_core.frameworks import CallOptions, call_options, json_reply
from dynaspark_core.messages import new_chat, new_message
from dynaspark_core.messages.making import QuicklyMade, maker
from dynaspark_core.transport import blocking
from llama_index_dynaspark import convert, replies
from llama_index_dynaspark.blocks import document_refs
from llama_index_dynaspark.fields import ConfiguredLLM
from llama_index_dynaspark.options import Options, choice_from, known_choice, schema_of_format, tools_from

if TYPE_CHECKING:
    from llama_index_dynaspark.structured import Prediction


OWN = frozenset(
    (
        *("tools", "tool_choice", "tool_required", "allow_parallel_tool_calls", "parallel_tool_calls"),
        *("response_format", "response_schema"),
    )
)
"""The keywords of one call that are read here; `frameworks.call_options` knows all others."""


@dataclass(frozen=True, slots=True)
class Question(QuicklyMade):
    """A chat for a client; with `is_checked` the answer's text is a value of the chat's schema as JSON."""

    client: DynasparkClient
    chat: Chat
    is_checked: bool = False

    def reply(self) -> Coroutine[Any, Any, Reply]:
        """The whole reply. Raises `OutputError` where a value was asked for and it holds none."""
        if self.is_checked and self.chat.response_schema is not None:
            return json_reply(self.client, self.chat)
        return self.client.complete(self.chat)

    def events(self) -> AsyncGenerator[Event]:
        """The events as they arrive; the last alone where only the whole can be checked."""
        if self.is_checked and self.chat.response_schema is not None:
            return self._late_events()
        return self.client.events(self.chat)

    async def _late_events(self) -> AsyncGenerator[Event]:
        yield Done(await self.reply())


_question_of = maker(Question)


class AskingLLM(ConfiguredLLM):
    """Asks the service what a call of `Dynaspark` means, and shows it."""

    def preview(self, messages: str | Sequence[ChatMessage], tools: Sequence[BaseTool] = (), **kwargs: Any) -> Preview:
        """What a call would send: the exact text, and the file. Nothing is sent to the service.

        Args:
            messages: What `chat` takes, or a text as `complete` takes it.
            tools: What `chat_with_tools` takes.
            kwargs: What `chat` and `chat_with_tools` take, such as `tool_choice` and `tool_required`.

        Raises what the call would raise before anything is sent.
        """
        return blocking.run(self.apreview(messages, tools, **kwargs))

    async def apreview(
        self, messages: str | Sequence[ChatMessage], tools: Sequence[BaseTool] = (), **kwargs: Any
    ) -> Preview:
        """As `preview`, async."""
        question = self._question(**self._arguments(messages, tools, kwargs))
        return await question.client.preview(question.chat)

    def _arguments(
        self, messages: str | Sequence[ChatMessage], tools: Sequence[BaseTool], kwargs: dict[str, Any]
    ) -> dict[str, Any]:
        """What `_question` takes for a completion, a chat, or a chat with tools."""
        if tools:
            asked = {"user_msg": messages} if isinstance(messages, str) else {"chat_history": list(messages)}
            return self._prepare_chat_with_tools(tools, **asked, **kwargs)
        if isinstance(messages, str):
            return self._completion(messages, formatted=False, kwargs=kwargs)
        return {"messages": messages, **kwargs}

    def _question(self, messages: Sequence[ChatMessage] | Message, **given: Any) -> Question:
        """The question that a call of an endpoint means. Raises `ConfigError` that names what it does not know."""
        said = call_options(given, OWN, self._client, self._clients.warned)
        chat = self._chat(messages, said, **said.own)
        return _question_of(said.client, chat, "response_format" in said.own)

    def _chat(
        self,
        messages: Sequence[ChatMessage] | Message,
        said: CallOptions,
        *,
        tools: Sequence[Any] | None = None,
        tool_choice: str | Mapping[str, Any] | None = None,
        tool_required: bool = False,
        allow_parallel_tool_calls: bool | None = None,
        parallel_tool_calls: bool | None = None,
        response_format: Any = None,
        response_schema: Mapping[str, Any] | None = None,
    ) -> Chat:
        offered = tools_from(tools) if tools else ()
        is_parallel = allow_parallel_tool_calls is not False and parallel_tool_calls is not False
        is_chosen = tool_choice is not None or tool_required
        wants_format = response_schema is None and response_format is not None
        return new_chat(
            (messages,) if isinstance(messages, Message) else self._history(messages),
            said.model or self.model,
            offered,
            known_choice(choice_from(tool_choice, is_required=tool_required), offered) if is_chosen else "auto",
            is_parallel,
            stops(self.stop if said.stop is None else said.stop),
            schema_of_format(response_format) if wants_format else response_schema,
            checks_arguments=False,
        )

    def _history(self, messages: Sequence[ChatMessage]) -> tuple[Message, ...]:
        """The messages; a function of the user's own that makes one text of them is honoured, the images stay."""
        try:
            said = self._with_system_prompt(messages)
            history = convert.history(said, allow_paths=self.allow_image_paths)
        except AttributeError:
            convert.require_messages(messages)
            raise
        if self.messages_to_prompt in (None, generic_messages_to_prompt):
            return history
        images = tuple(part for message in history for part in message.content if not isinstance(part, str))
        return (Message("user", (self.messages_to_prompt(said), *images)),)

    def _with_system_prompt(self, messages: Sequence[ChatMessage]) -> Sequence[ChatMessage]:
        """The messages with the system prompt, which LlamaIndex has put before some of them already."""
        is_there = bool(self.system_prompt) and any(
            each.role == MessageRole.SYSTEM and each.content == self.system_prompt for each in messages
        )
        return messages if is_there else self._extend_messages(list(messages))

    def _completion(self, prompt: str, formatted: bool, kwargs: dict[str, Any]) -> dict[str, Any]:  # as `complete`
        """What `_question` takes: the prompt and the `image_documents` as one message of ours, and the options."""
        if not isinstance(prompt, str):
            raise ConfigError(f"complete takes a text, not {type(prompt).__name__}; use chat for messages")
        text = prompt if formatted or self.completion_to_prompt is None else self.completion_to_prompt(prompt)
        options = dict(kwargs)
        documents = options.pop("image_documents", None)
        images = document_refs(documents, allow_paths=self.allow_image_paths) if documents else ()
        return {"messages": new_message("user", (text, *images) if text else tuple(images)), **options}

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
    ) -> "Prediction[Model]":
        from llama_index_dynaspark.structured import Prediction, announce  # noqa: PLC0415  # with the readers of values

        announce(output_cls, prompt, prompt_args)
        messages = self._extend_messages(prompt.format_messages(llm=self, **prompt_args))
        return Prediction(output_cls, messages, options, self._client.settings.max_repairs)

    async def _responses(
        self, messages: Sequence[ChatMessage] | Message, **kwargs: Any
    ) -> AsyncGenerator[ChatResponse]:
        question = self._question(messages, **kwargs)
        so_far = replies.Responses(question.chat)
        async with aclosing(question.events()) as events:
            async for event in events:
                response = so_far.feed(event)
                if response is not None:
                    yield response

    async def _predictions(self, prediction: "Prediction[Model]") -> AsyncGenerator[Model | FlexibleModel, None]:
        while prediction.result is None:
            async for response in await self.astream_chat(prediction.messages, **prediction.options):
                for partial in prediction.show(response):
                    yield partial
            prediction.feed(response, in_stream=True)
        yield prediction.result

    def predict_and_call(self, tools: Sequence[BaseTool], *args: Any, **kwargs: Any) -> AgentChatResponse:
        call = unwrap(super().predict_and_call)  # its span is this one's
        answer: AgentChatResponse = call(tools, *args, **self._calling(kwargs))
        return answer

    async def apredict_and_call(self, tools: Sequence[BaseTool], *args: Any, **kwargs: Any) -> AgentChatResponse:
        call = unwrap(super().apredict_and_call)
        answer: AgentChatResponse = await call(tools, *args, **self._calling(kwargs))
        return answer

    def _calling(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """The options of `predict_and_call`; its agent for models without tools needs what LlamaIndex leaves out."""
        if self.is_function_calling_model:
            return {"known_only": True, **kwargs}
        from llama_index.core.agent.react import ReActChatFormatter, ReActOutputParser  # noqa: PLC0415  # slow, rare

        return {"react_chat_formatter": ReActChatFormatter(), "output_parser": ReActOutputParser(), **kwargs}
