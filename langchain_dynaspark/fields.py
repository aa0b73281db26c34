"""What `ChatDynaspark` is made of: its fields, their checks, what it tells of itself. No request is made here."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from langchain_core.language_models import BaseChatModel, LangSmithParams, ModelProfile
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.utils import secret_from_env
from pydantic import (
    AliasChoices,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    SkipValidation,
    field_serializer,
    model_validator,
)

from dynaspark_core import Chat, __version__
from dynaspark_core.client.of_model import HasClient
from dynaspark_core.exchange import TOKENS_OF_AN_IMAGE, prompt_of
from dynaspark_core.frameworks import OF_GENERATION, about_model, warn_of_unsent, without_user
from dynaspark_core.messages import Policy
from dynaspark_core.prompt.render import estimate_tokens
from dynaspark_core.wire.query import parameter, sampling
from langchain_dynaspark import convert
from langchain_dynaspark.errors import langchain_errors
from langchain_dynaspark.options import chat_fields
from langchain_dynaspark.replies import PROVIDER


def _listed(stop: object) -> object:
    return [stop] if isinstance(stop, str) else stop


class ConfiguredChatModel(HasClient, BaseChatModel, defer_build=True):
    """The fields of `ChatDynaspark`, which describes them. Only that class needs pydantic's validator of them."""

    model_config = ConfigDict(
        extra="forbid", populate_by_name=True, arbitrary_types_allowed=True, hide_input_in_errors=True
    )

    model: str = Field(default="", validation_alias=AliasChoices("model", "model_name"))
    stop: Annotated[list[str] | None, BeforeValidator(_listed)] = Field(
        default=None, validation_alias=AliasChoices("stop", "stop_sequences")
    )
    streaming: bool = False
    base_url: str | None = None
    route: str | None = None
    path: str | None = None
    query: Mapping[str, str] | None = Field(default=None, repr=False, exclude=True)
    api_key: SecretStr | None = Field(
        default_factory=secret_from_env("DYNASPARK_API_KEY", default=None),
        validation_alias=AliasChoices("api_key", "dynaspark_api_key"),
    )
    default_headers: Mapping[str, str] | None = Field(default=None, repr=False, exclude=True)
    proxy: str | None = Field(default=None, repr=False, exclude=True)
    ca_file: str | None = None
    client_cert: str | None = None
    trust_env: bool | None = None
    timeout: float | None = Field(default=None, validation_alias=AliasChoices("timeout", "request_timeout"))
    max_retries: int | None = None
    max_repairs: int | None = None
    max_concurrency: int | None = None
    requests_per_hour: int | None = None
    limit_storage: str | None = Field(default=None, repr=False, exclude=True)
    model_aliases: Mapping[str, str] | None = None
    context_window: int | None = None
    image_policy: Annotated[Policy | None, SkipValidation] = None
    allow_image_urls: bool | None = None
    allow_files: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    max_tokens: int | None = None
    top_k: int | None = None

    @model_validator(mode="after")
    def _check_settings(self) -> Self:
        settings = self._client.settings  # wrong ones raise here, before anything is sent
        self.model = settings.model or settings.default_model
        about_model(settings)
        warn_of_unsent({name: getattr(self, name) for name in OF_GENERATION}, settings.route, self._clients.warned)
        return self

    @model_validator(mode="after")
    def _set_dynaspark_version(self) -> Self:
        self._add_version("langchain-dynaspark", __version__)
        return self

    @field_serializer("base_url")
    def _without_password(self, url: str | None) -> str | None:
        return url and without_user(url)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            yield name, without_user(value) if name == "base_url" and value else value

    @property
    def model_name(self) -> str:
        """The name that goes out, resolved."""
        with langchain_errors():
            return self._client.settings.resolved(self.model)

    @property
    def _llm_type(self) -> str:
        return "dynaspark-chat"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        """All that can change an answer, with what the environment gave; no secret is in it."""
        with langchain_errors():
            settings = self._client.settings
        url = urlsplit(settings.base_url)
        return {
            "model": settings.resolved(self.model),
            "model_aliases": dict(settings.model_aliases),
            "base_url": settings.origin + url.path,
            "route": settings.route,
            "path": settings.path,
            "query": settings.shown_query,
            "stop": self.stop,
            "max_repairs": settings.max_repairs,
            "image_policy": settings.image_policy,
            "allow_image_urls": settings.allow_image_urls,
            "allow_files": settings.allow_files,
        }

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """True: `dumpd` and `load` work; headers and proxy are left out, and a password in `base_url`."""
        return True

    @property
    def lc_attributes(self) -> dict[str, Any]:
        return self._identifying_params

    @property
    def lc_secrets(self) -> dict[str, str]:
        return {"api_key": "DYNASPARK_API_KEY"}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        traced = super()._get_ls_params(stop=stop or self.stop, **kwargs)
        params: Any = {name: value for name, value in traced.items() if name not in {"ls_temperature", "ls_max_tokens"}}
        with langchain_errors():
            settings = self._client.settings
            name = settings.resolved(kwargs.get("model") or kwargs.get("model_name") or self.model)
            temperature = {**settings.query, **sampling(kwargs, settings.route)}.get("temperature")
            if temperature is not None:
                params["ls_temperature"] = float(parameter("temperature", temperature))
        return {**params, **LangSmithParams(ls_provider=PROVIDER, ls_model_name=name)}

    def _get_llm_string(self, stop: list[str] | None = None, **kwargs: Any) -> str:
        """By what a cache knows an answer: the fields as they are now, and the headers, which may name a tenant."""
        self.__dict__.pop("_serialized", None)  # LangChain keeps what the fields were at the first call
        headers = sha256(repr(sorted(self._client.settings.headers.items())).encode(errors="replace")).hexdigest()
        return super()._get_llm_string(stop=stop, **kwargs, sha256_of_headers=headers)

    def _resolve_model_profile(self) -> ModelProfile | None:
        """What is published of the model. Tools are emulated in the prompt; native structured output is not claimed."""
        settings = self._client.settings
        known = about_model(settings)
        takes_images = known.vision and settings.route == "form"
        return ModelProfile(
            max_input_tokens=known.context_window,
            max_output_tokens=known.max_output,
            text_inputs=True,
            image_inputs=takes_images,
            image_url_inputs=takes_images and settings.allow_image_urls,
            image_tool_message=takes_images,
            pdf_inputs=False,
            pdf_tool_message=False,
            audio_inputs=False,
            video_inputs=False,
            text_outputs=True,
            image_outputs=False,
            audio_outputs=False,
            video_outputs=False,
            reasoning_output=False,
            tool_calling=True,
            tool_choice=True,
            tool_call_streaming=False,
            structured_output=False,
            temperature=settings.route == "api",
        )

    def get_num_tokens(self, text: str) -> int:
        """The number of tokens in the text, estimated at four characters each, or as `custom_get_token_ids` says."""
        return estimate_tokens(text) if self.custom_get_token_ids is None else super().get_num_tokens(text)

    def get_token_ids(self, text: str) -> list[int]:
        """What `custom_get_token_ids` gives; without it `NotImplementedError`: the service publishes no tokenizer."""
        if self.custom_get_token_ids is None:
            raise NotImplementedError("Dynaspark publishes no tokenizer: set custom_get_token_ids, or count tokens")
        return super().get_token_ids(text)

    def get_num_tokens_from_messages(self, messages: list[BaseMessage], tools: Sequence[Any] | None = None) -> int:
        """The tokens of the prompt that these messages and tools become, estimated; an image counts 258.

        Nothing is opened or fetched for it: a text file that is named by its path is not counted.
        """
        with langchain_errors():
            answered = [*messages, AIMessage("")]  # so that all are past: what cannot be sent of those is a mark
            said = convert.history(answered, allow_files=self._client.settings.allow_files)
            chat = Chat(said[:-1], **chat_fields(tools=tools))
            has_image = any(chat.images())
            return self.get_num_tokens(prompt_of(chat)) + (TOKENS_OF_AN_IMAGE if has_image else 0)
