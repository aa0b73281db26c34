"""`ChatDynaspark`: the service as a LangChain chat model. The conversation itself is `dynaspark_core`'s work."""

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import BaseModel

from dynaspark_core.errors import ConfigError
from dynaspark_core.transport import blocking
from langchain_dynaspark import options, replies
from langchain_dynaspark.asking import AskingChatModel
from langchain_dynaspark.errors import langchain_errors

Stop = list[str] | None
SyncRun = CallbackManagerForLLMRun | None
AsyncRun = AsyncCallbackManagerForLLMRun | None


class ChatDynaspark(AskingChatModel, defer_build=False):
    """Chat model of Dynaspark, a web service that takes one text and at most one file, and gives one text back.

    Roles, history, tools and schemas are encoded in that text, and calls and values are read from the answer: all of
    these are emulated. Streaming is partial: text is yielded as the response body arrives; the public service usually
    sends one piece.

    Setup:
        Install `dynaspark-llm[langchain]`. No key is needed; one that is given, or set as `DYNASPARK_API_KEY`, is sent.

    Key init args — completion params:
        model: Its name or an alias. Default `gemini-1.5-flash`. Also `model_name`.
        stop: A text or texts where the answer is cut, here and not by the service. Also `stop_sequences`.
        temperature: 0 to 3; sent only with `route="api"`, otherwise a warning says once that it is not.
        top_p: 0 to 1; sent only with `route="api"`, otherwise with that warning.
        presence_penalty, frequency_penalty: -2 to 2; sent only with `route="api"`, otherwise with that warning.
        seed: A whole number; sent only with `route="api"`, otherwise with that warning.
        max_tokens, top_k: Accepted and never sent, with that warning: the service has no field for them.

    Key init args — client params:
        base_url, route, path, query, api_key, proxy, ca_file, client_cert, trust_env, timeout, max_retries,
            max_repairs, max_concurrency, requests_per_hour, limit_storage, model_aliases, context_window, image_policy,
            allow_image_urls, allow_files: See `dynaspark_core.DynasparkClient`; each but the aliases may come from the
            environment, as `DYNASPARK_…`.
        default_headers: Added to the request's headers, or in place of them.
        streaming: Whether `invoke` goes through the streaming path.

    Instantiate:
        ```python
        from langchain_dynaspark import ChatDynaspark

        model = ChatDynaspark(model="gemini-2.0-flash", timeout=60, max_retries=3)
        ```

    Invoke:
        ```python
        model.invoke([("system", "Answer in one word."), ("human", "What is the capital of France?")])
        ```

    Stream:
        ```python
        for chunk in model.stream("Write one sentence about the sea."):
            print(chunk.text, end="")
        ```

    Async:
        ```python
        await model.ainvoke("Hello")
        ```

    Tool calling:
        ```python
        def get_weather(city: str) -> str:
            '''The weather in a city.'''
            return f"Sunny in {city}."

        with_tools = model.bind_tools([get_weather])
        with_tools.invoke("What is the weather in Oslo?").tool_calls
        ```

        Tools are described in the prompt: this is emulated. `tool_choice` may be a name, `any`, `none` or `auto`. A
        call that cannot be read is asked for once more (`max_repairs`), then is in `invalid_tool_calls`.

    Structured output:
        ```python
        from pydantic import BaseModel

        class Person(BaseModel):
            name: str
            age: int

        model.with_structured_output(Person).invoke("Ada is 36.")
        ```

        Methods are `json_schema` (default), `function_calling` and `json_mode`; all are emulated. Each gives a value
        of the schema or raises `OutputParserException`.

    JSON mode:
        ```python
        json_model = model.bind(response_format={"type": "json_object"})
        json_model.invoke("Ada is 36. Answer as JSON with name and age.").content
        ```

    Image input:
        ```python
        import base64
        from pathlib import Path

        from langchain_core.messages import HumanMessage

        data = base64.b64encode(Path("picture.png").read_bytes()).decode()
        picture = {"type": "image", "base64": data, "mime_type": "image/png"}
        model.invoke([HumanMessage([{"type": "text", "text": "What is this?"}, picture])])
        ```

        The service takes one file; several images go as one numbered sheet (`image_policy`).

    Token usage:
        ```python
        model.invoke("Hello").usage_metadata
        ```

        What the service reported, or None. `get_num_tokens` and `get_num_tokens_from_messages` are estimates.

    Response metadata:
        ```python
        model.invoke("Hello").response_metadata
        ```

        `model_name`, `model_provider`, `finish_reason`.
    """

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | Runnable[Any, Any]],
        *,
        tool_choice: str | bool | dict[str, Any] | None = None,
        strict: bool | None = None,
        parallel_tool_calls: bool | None = None,
        response_format: dict[str, Any] | type | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The model with tools that it may call.

        Args:
            tools: Tools, functions, pydantic classes, and dictionaries of OpenAI, Anthropic or titled JSON Schema.
            tool_choice: `auto` (also None and False), `none`, `any` (also `required` and True: the model must make a
                call), a tool's name, or OpenAI's dictionary.
            strict: Whether the tools' schemas are tightened as OpenAI does.
            parallel_tool_calls: False allows one call in an answer.
            response_format: What the answer has to be when it is not a call; see `with_structured_output`.
            kwargs: Arguments of every call, such as `model` and `stop`.

        Raises `ValueError` for a value that is not a tool, and for an unknown name in `tool_choice`.
        """
        with langchain_errors():
            bound = options.call_arguments(
                tools,
                tool_choice=tool_choice,
                strict=strict,
                parallel_tool_calls=parallel_tool_calls,
                response_format=response_format,
            )
        return self.bind(**bound, **kwargs)

    def with_structured_output(
        self,
        schema: dict[str, Any] | type | None = None,
        *,
        include_raw: bool = False,
        method: str = "json_schema",
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, dict[str, Any] | BaseModel]:
        """The model, giving values of the schema: instances of a pydantic class, or dictionaries that conform to it.

        Args:
            schema: A pydantic class (also of v1), a `TypedDict`, a titled JSON Schema, a tool dictionary, or OpenAI's
                `{"type": "json_schema", …}`.
            include_raw: Whether to give a dictionary of `raw`, `parsed` and `parsing_error` instead, and raise nothing.
            method: `json_schema`, `function_calling`, or `json_mode`, where the prompt has to describe the object.
            strict: Whether the schema is tightened as OpenAI does.
            kwargs: None; others raise.

        Raises `ValueError` for an unknown method or a schema that cannot be used. The runnable raises
        `OutputParserException`, with what the model wrote in `llm_output`.
        """
        from langchain_dynaspark.structured import structured_chain  # noqa: PLC0415  # with the readers of values

        with langchain_errors():
            if kwargs:
                raise ConfigError(f"unknown arguments: {', '.join(kwargs)}")
            return structured_chain(self, schema, method=method, include_raw=include_raw, strict=strict)

    def _generate(
        self, messages: list[BaseMessage], stop: Stop = None, run_manager: SyncRun = None, **kwargs: Any
    ) -> ChatResult:
        return blocking.run(self._agenerate(messages, stop, None, **kwargs))

    async def _agenerate(
        self, messages: list[BaseMessage], stop: Stop = None, run_manager: AsyncRun = None, **kwargs: Any
    ) -> ChatResult:
        with langchain_errors():
            question = self._question(messages, stop, **kwargs)
            return replies.result(await question.reply(), question.model)

    def _stream(
        self, messages: list[BaseMessage], stop: Stop = None, run_manager: SyncRun = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        for chunk in blocking.iterate(self._astream(messages, stop, None, **kwargs)):
            if run_manager:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    async def _astream(
        self, messages: list[BaseMessage], stop: Stop = None, run_manager: AsyncRun = None, **kwargs: Any
    ) -> AsyncGenerator[ChatGenerationChunk]:
        with langchain_errors():
            question = self._question(messages, stop, **kwargs)
            chunks = replies.Chunks(question.model)
            async with aclosing(question.events()) as events:
                async for event in events:
                    for chunk in chunks.of(event):
                        if run_manager:
                            await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                        yield chunk
