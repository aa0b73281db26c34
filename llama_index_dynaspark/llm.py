"""`Dynaspark`: the service as a LlamaIndex LLM. The conversation itself is `dynaspark_core`'s work."""

from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from typing import Any

from llama_index.core.base.llms.generic_utils import (
    astream_chat_response_to_completion_response,
    stream_chat_response_to_completion_response,
)
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
)
from llama_index.core.bridge.pydantic import SecretStr, ValidationError
from llama_index.core.callbacks import CallbackManager
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.llm import CompletionToPromptType, MessagesToPromptType, ToolSelection
from llama_index.core.program.utils import FlexibleModel
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools.types import BaseTool
from llama_index.core.types import BaseOutputParser, Model, PydanticProgramMode

from dynaspark_core.content.checks import stops
from dynaspark_core.errors import ConfigError
from dynaspark_core.frameworks import listed
from dynaspark_core.messages import Policy
from dynaspark_core.transport import blocking
from llama_index_dynaspark import convert, options, replies
from llama_index_dynaspark.asking import AskingLLM
from llama_index_dynaspark.fields import wrong_fields
from llama_index_dynaspark.options import Options


class Dynaspark(AskingLLM, defer_build=False):
    """LLM of Dynaspark, a web service that takes one text and at most one file, and gives one text back.

    Roles, history, tools and schemas are encoded in that text: emulated. Text is yielded as its bytes arrive.

    Args:
        model: Its name or an alias. Default `gemini-1.5-flash`.
        stop: A text or texts where the answer is cut, here and not by the service.
        allow_image_paths: Whether blocks, also a `DocumentBlock`, may name local files. Default True; False is for
            users' messages.
        default_headers: Added to the request's headers, or in place of them.
        context_window: Tokens of prompt and answer; also `DYNASPARK_CONTEXT_WINDOW`. Default: the model's published
            one, 1,048,576.
        num_output: Tokens of the longest answer. Default: the model's published limit, 8,192, but at most a quarter of
            a `context_window` that was set.
        is_function_calling_model: Whether agents and programs use tools. Default True.
        system_prompt: Put before the messages of every chat, once; not before a completion's prompt.
        temperature: 0 to 3; sent only with `route="api"`, otherwise a warning says once that it is not.
        top_p: 0 to 1; sent only with `route="api"`, otherwise with that warning.
        presence_penalty: -2 to 2; sent only with `route="api"`, otherwise with that warning.
        frequency_penalty: -2 to 2; sent only with `route="api"`, otherwise with that warning.
        seed: A whole number; sent only with `route="api"`, otherwise with that warning.
        max_tokens: Never sent, with that warning: the service has no field for it. It is the default of `num_output`.

    `base_url`, `route`, `path`, `query`, `api_key`, `proxy`, `ca_file`, `client_cert`, `trust_env`, `timeout`,
    `max_retries`, `max_repairs`, `max_concurrency`, `model_aliases`, `requests_per_hour`, `limit_storage`,
    `image_policy`, `allow_image_urls`: see `dynaspark_core.DynasparkClient`; each may come from the environment as
    `DYNASPARK_…`.
    Raises `ConfigError` (a `ValueError`) for a value that cannot be used, `TypeError` for an unknown keyword.

    Examples:
        ```python
        from llama_index_dynaspark import Dynaspark

        llm = Dynaspark(model="gemini-2.0-flash")
        print(llm.complete("What is the capital of France?"))
        ```
    """

    def __init__(
        self,
        model: str | None = None,
        *,
        stop: str | Sequence[str] | None = None,
        base_url: str | None = None,
        route: str | None = None,
        path: str | None = None,
        query: Mapping[str, str] | None = None,
        api_key: SecretStr | str | None = None,
        default_headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        ca_file: str | None = None,
        client_cert: str | None = None,
        trust_env: bool | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        max_repairs: int | None = None,
        max_concurrency: int | None = None,
        requests_per_hour: int | None = None,
        limit_storage: str | None = None,
        model_aliases: Mapping[str, str] | None = None,
        image_policy: Policy | None = None,
        allow_image_urls: bool | None = None,
        allow_image_paths: bool = True,
        context_window: int | None = None,
        num_output: int | None = None,
        is_function_calling_model: bool = True,
        temperature: float | None = None,
        top_p: float | None = None,
        presence_penalty: float | None = None,
        frequency_penalty: float | None = None,
        seed: int | None = None,
        max_tokens: int | None = None,
        callback_manager: CallbackManager | None = None,
        rate_limiter: Any = None,
        system_prompt: str | None = None,
        messages_to_prompt: MessagesToPromptType | None = None,
        completion_to_prompt: CompletionToPromptType | None = None,
        pydantic_program_mode: PydanticProgramMode = PydanticProgramMode.DEFAULT,
        output_parser: BaseOutputParser | None = None,
        query_wrapper_prompt: Any = None,
        **own: Any,
    ) -> None:
        own = self._fields_of_subclass(own)
        given = {name: value for name, value in locals().items() if name not in {"self", "__class__", "own"}}
        given = {name: value for name, value in given.items() if value is not None} | own
        given["stop"] = None if stop is None else list(stops(stop))
        try:
            super().__init__(**given | {"callback_manager": callback_manager or CallbackManager([])})
        except ValidationError as exc:
            raise ConfigError(f"{type(self).__name__}: {wrong_fields(exc)}") from exc
        self._complete_fields()

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        question = self._question(messages, **kwargs)
        return replies.response(question.chat, blocking.run(question.reply()))

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        question = self._question(messages, **kwargs)
        return replies.response(question.chat, await question.reply())

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        return blocking.iterate(self._responses(messages, **kwargs))

    @llm_chat_callback()
    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseAsyncGen:
        return self._responses(messages, **kwargs)

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        question = self._question(**self._completion(prompt, formatted, kwargs))
        return replies.completion(question.chat, blocking.run(question.reply()))

    @llm_completion_callback()
    async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        question = self._question(**self._completion(prompt, formatted, kwargs))
        return replies.completion(question.chat, await question.reply())

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        asked = self._completion(prompt, formatted, kwargs)
        return stream_chat_response_to_completion_response(blocking.iterate(self._responses(**asked)))

    @llm_completion_callback()
    async def astream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseAsyncGen:
        asked = self._completion(prompt, formatted, kwargs)
        return astream_chat_response_to_completion_response(self._responses(**asked))

    def _prepare_chat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        tool_choice: str | dict[str, Any] | None = None,
        known_only: bool = False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        return {
            "messages": convert.with_question(chat_history, user_msg),
            "tools": [options.tool_dictionary(tool) for tool in listed(tools)],
            "tool_choice": options.choice_from(tool_choice, is_required=tool_required),
            "allow_parallel_tool_calls": allow_parallel_tool_calls,
            **kwargs,
        }

    def _validate_chat_with_tools_response(
        self,
        response: ChatResponse,
        tools: Sequence[BaseTool],
        allow_parallel_tool_calls: bool = False,
        known_only: bool = False,
        **kwargs: Any,
    ) -> ChatResponse:
        """The response itself. Raises `ToolCallError` for calls that nobody could answer or run (`known_only`)."""
        if known_only:
            options.require_known(response.message, tools)
            options.require_readable(response)
        return response

    def get_tool_calls_from_response(
        self, response: ChatResponse, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> list[ToolSelection]:
        return options.selections(response.message, must_call=error_on_no_tool_call)

    def structured_predict(
        self, output_cls: type[Model], prompt: PromptTemplate, llm_kwargs: Options = None, **prompt_args: Any
    ) -> Model:
        if not self._predicts:
            result: Model = super().structured_predict(output_cls, prompt, llm_kwargs, **prompt_args)
            return result
        prediction = self._prediction(output_cls, prompt, llm_kwargs, prompt_args)
        while prediction.result is None:
            prediction.feed(self.chat(prediction.messages, **prediction.options))
        return prediction.result

    async def astructured_predict(
        self, output_cls: type[Model], prompt: PromptTemplate, llm_kwargs: Options = None, **prompt_args: Any
    ) -> Model:
        if not self._predicts:
            result: Model = await super().astructured_predict(output_cls, prompt, llm_kwargs, **prompt_args)
            return result
        prediction = self._prediction(output_cls, prompt, llm_kwargs, prompt_args)
        while prediction.result is None:
            prediction.feed(await self.achat(prediction.messages, **prediction.options))
        return prediction.result

    def stream_structured_predict(
        self, output_cls: type[Model], prompt: PromptTemplate, llm_kwargs: Options = None, **prompt_args: Any
    ) -> Generator[Model | FlexibleModel, None, None]:
        if not self._predicts:
            yield from super().stream_structured_predict(output_cls, prompt, llm_kwargs, **prompt_args)
            return
        prediction = self._prediction(output_cls, prompt, llm_kwargs, prompt_args)
        while prediction.result is None:
            for response in self.stream_chat(prediction.messages, **prediction.options):
                yield from prediction.show(response)
            prediction.feed(response, in_stream=True)
        yield prediction.result

    async def astream_structured_predict(
        self, output_cls: type[Model], prompt: PromptTemplate, llm_kwargs: Options = None, **prompt_args: Any
    ) -> AsyncGenerator[Model | FlexibleModel, None]:
        if not self._predicts:
            return await super().astream_structured_predict(output_cls, prompt, llm_kwargs, **prompt_args)
        return self._predictions(self._prediction(output_cls, prompt, llm_kwargs, prompt_args))
