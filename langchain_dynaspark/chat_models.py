"""`ChatDynaspark`: the service as a LangChain chat model. The conversation itself is `dynaspark_core`'s work."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from typing import Any, Self

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LangSmithParams
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.utils import secret_from_env
from pydantic import AliasChoices, ConfigDict, Field, SecretStr, model_validator

from dynaspark_core import Chat, Done, DynasparkClient, TextDelta, __version__, blocking, models
from dynaspark_core.client import client_of
from dynaspark_core.errors import ConfigError
from dynaspark_core.images import Policy
from dynaspark_core.settings import NOT_SENT, warn_of_unsent
from langchain_dynaspark import convert
from langchain_dynaspark.errors import langchain_errors


class ChatDynaspark(BaseChatModel):
    """Chat model of Dynaspark, a web service that takes one text and at most one file, and gives one text back.

    Roles and history are written into that text: they are emulated. Streaming is of what arrives: text is given out as
    the answer's bytes come in.

    Setup:
        Install `dynaspark-llm[langchain]`. No key is needed; one that is given, or set as `DYNASPARK_API_KEY`, is sent.

    Key init args — completion params:
        model: Its name or an alias. Default `gemini-1.5-flash`. Also `model_name`.
        stop: Texts where the answer is cut, here and not by the service. Also `stop_sequences`.
        temperature, max_tokens, top_p, top_k, seed: Accepted, and not sent: the service has no field for them. A
            warning says so once.

    Key init args — client params:
        base_url, path, api_key, proxy, timeout, max_retries, max_concurrency, model_aliases, image_policy,
            allow_image_urls: see
            `dynaspark_core.DynasparkClient`; each may come from the environment as `DYNASPARK_…`.
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

    Image input:
        ```python
        import base64
        from langchain_core.messages import HumanMessage

        data = base64.b64encode(open("picture.png", "rb").read()).decode()
        picture = {"type": "image", "base64": data, "mime_type": "image/png"}
        model.invoke([HumanMessage([{"type": "text", "text": "What is this?"}, picture])])
        ```

    Response metadata:
        `model_name`, `model_provider`, `finish_reason`. `usage_metadata` is what the service reported, else None.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True, arbitrary_types_allowed=True)

    model: str = Field(default="", validation_alias=AliasChoices("model", "model_name"))
    base_url: str | None = None
    path: str | None = None
    api_key: SecretStr | None = Field(
        default_factory=secret_from_env("DYNASPARK_API_KEY", default=None),
        validation_alias=AliasChoices("api_key", "dynaspark_api_key"),
    )
    default_headers: Mapping[str, str] | None = Field(default=None, repr=False)
    proxy: str | None = Field(default=None, repr=False)
    timeout: float | None = Field(default=None, validation_alias=AliasChoices("timeout", "request_timeout"))
    max_retries: int | None = None
    max_concurrency: int | None = None
    model_aliases: Mapping[str, str] | None = None
    image_policy: Policy | None = None
    allow_image_urls: bool | None = None
    stop: list[str] | None = Field(default=None, validation_alias=AliasChoices("stop", "stop_sequences"))
    streaming: bool = False
    temperature: float | None = None
    max_tokens: int | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None

    @model_validator(mode="after")
    def _check_settings(self) -> Self:
        self._client  # noqa: B018  # wrong settings raise here, before anything is sent
        warn_of_unsent({name: getattr(self, name) for name in NOT_SENT})
        return self

    @model_validator(mode="after")
    def _set_dynaspark_version(self) -> Self:
        self._add_version("langchain-dynaspark", __version__)
        return self

    @property
    def _client(self) -> DynasparkClient:
        return client_of(self)

    @property
    def model_name(self) -> str:
        """The name that goes out, resolved."""
        settings = self._client.settings
        return models.resolve(self.model or settings.model, settings.model_aliases)

    @property
    def _llm_type(self) -> str:
        return "dynaspark-chat"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        settings = self._client.settings
        return {"model": self.model_name, "base_url": settings.origin, "path": settings.path, "stop": self.stop}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        name = kwargs.get("model") or self.model_name
        return params | LangSmithParams(ls_provider=convert.PROVIDER, ls_model_name=name)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return blocking.run(self._agenerate(messages, stop, None, **kwargs))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with langchain_errors():
            chat = self._chat(messages, stop, **kwargs)
            reply = await self._client.complete(chat)
        return ChatResult(generations=[ChatGeneration(message=convert.message(reply, chat))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for chunk in blocking.iterate(self._chunks(messages, stop, **kwargs)):
            if run_manager:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        async with aclosing(self._chunks(messages, stop, **kwargs)) as chunks:
            async for chunk in chunks:
                if run_manager:
                    await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk

    async def _chunks(
        self, messages: list[BaseMessage], stop: list[str] | None, **kwargs: Any
    ) -> AsyncGenerator[ChatGenerationChunk]:
        with langchain_errors():
            chat = self._chat(messages, stop, **kwargs)
            async with aclosing(self._client.events(chat)) as events:
                async for event in events:
                    if isinstance(event, TextDelta):
                        yield ChatGenerationChunk(message=AIMessageChunk(content=event.text))
                    elif isinstance(event, Done):
                        yield ChatGenerationChunk(message=convert.last_chunk(event.reply, chat))

    def _chat(self, messages: list[BaseMessage], stop: list[str] | None, *, model: str = "", **others: Any) -> Chat:
        warn_of_unsent({name: others.pop(name, None) for name in NOT_SENT})
        if others:
            raise ConfigError(f"unknown parameters for one call: {', '.join(others)}")
        cuts = stop if stop is not None else self.stop or ()
        return Chat(convert.history(messages), model=model or self.model, stop=tuple(cuts))
