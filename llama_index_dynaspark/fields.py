"""The fields of `Dynaspark`, their checks, and the client that they mean."""

from collections.abc import Mapping
from typing import Any

from llama_index.core.base.llms.types import LLMMetadata, MessageRole
from llama_index.core.bridge.pydantic import ConfigDict, Field, SecretStr, ValidationError, field_serializer
from llama_index.core.callbacks import CallbackManager
from llama_index.core.llms.custom import CustomLLM
from llama_index.core.llms.function_calling import FunctionCallingLLM

from dynaspark_core.client.of_model import HasClient
from dynaspark_core.errors import ConfigError
from dynaspark_core.frameworks import OF_GENERATION, about_model, warn_of_unsent, without_user
from dynaspark_core.messages import Policy


class ConfiguredLLM(HasClient, CustomLLM, FunctionCallingLLM, defer_build=True):
    """The fields of `Dynaspark`, which describes them. Only that class needs pydantic's validator of them."""

    model_config = ConfigDict(hide_input_in_errors=True)

    model: str = Field(default="", description="The model's name or an alias.")
    stop: list[str] | None = Field(default=None, description="Texts where the answer is cut.")
    base_url: str | None = Field(default=None, repr=False, description="Of the service.")
    route: str | None = Field(default=None, description="form or api.")
    query: Mapping[str, str] | None = Field(default=None, repr=False, description="More parameters of the route api.")
    path: str | None = Field(default=None, description="Of the form post.")
    api_key: SecretStr | None = Field(default=None, exclude=True, repr=False)
    default_headers: Mapping[str, str] | None = Field(default=None, exclude=True, repr=False)
    proxy: str | None = Field(default=None, exclude=True, repr=False)
    ca_file: str | None = Field(default=None, description="PEM file of authorities to trust.")
    client_cert: str | None = Field(default=None, description="PEM file of a certificate and its key.")
    trust_env: bool | None = Field(default=None, description="Whether HTTPS_PROXY and NO_PROXY count.")
    timeout: float | None = Field(default=None, description="Seconds for one attempt.")
    max_retries: int | None = Field(default=None, description="Requests after the first.")
    max_repairs: int | None = Field(default=None, description="Requests that ask for a broken answer once more.")
    max_concurrency: int | None = Field(default=None, description="Requests at a time on one event loop.")
    requests_per_hour: int | None = Field(default=None, description="Client-side limit: requests in any rolling hour.")
    limit_storage: str | None = Field(default=None, exclude=True, repr=False)
    model_aliases: Mapping[str, str] | None = Field(default=None, description="Own names for models.")
    image_policy: Policy | None = Field(default=None, description="What becomes of several images.")
    allow_image_urls: bool | None = Field(default=None, description="Whether URLs of images are fetched.")
    allow_image_paths: bool = Field(default=True, description="Whether blocks may name local files.")
    context_window: int = Field(default=0, description="Tokens of prompt and answer.")
    num_output: int = Field(default=0, description="Tokens of the longest answer.")
    is_function_calling_model: bool = Field(default=True, description="Whether agents and programs use tools.")
    temperature: float | None = Field(default=None, ge=0, description="0 to 3; sent on the route api.")
    top_p: float | None = Field(default=None, description="0 to 1; sent on the route api.")
    presence_penalty: float | None = Field(default=None, description="-2 to 2; sent on the route api.")
    frequency_penalty: float | None = Field(default=None, description="-2 to 2; sent on the route api.")
    seed: int | None = Field(default=None, description="Sent on the route api.")
    max_tokens: int | None = Field(default=None, gt=0, description="Accepted, not sent.")

    @classmethod
    def _fields_of_subclass(cls, given: dict[str, Any]) -> dict[str, Any]:
        """What a subclass has fields for, without the `class_name` of a dump. Raises `TypeError` for anything else."""
        own = {name: value for name, value in given.items() if (name, value) != ("class_name", cls.class_name())}
        if unknown := own.keys() - cls.model_fields.keys():
            raise TypeError(f"{cls.__name__}() got an unexpected keyword argument {min(unknown)!r}")
        return own

    def _complete_fields(self) -> None:
        """Set what was not given, and check what was. Raises `ConfigError` that names the wrong value."""
        if not isinstance(self.callback_manager, CallbackManager):  # LlamaIndex replaces it in the first call
            kind = type(self.callback_manager).__name__
            raise ConfigError(f"callback_manager is of type {kind}; give CallbackManager([…]) of the handlers")
        settings = self._client.settings  # wrong ones raise here, before anything is sent
        about = about_model(settings)
        self.model = settings.model or settings.default_model
        self.context_window = self.context_window or about.context_window
        self.num_output = self.num_output or self.max_tokens or about.max_output
        if not 0 < self.num_output < self.context_window:
            raise ConfigError(
                f"num_output is {self.num_output}; it must be from 1 to below context_window {self.context_window}"
            )
        given = {name: getattr(self, name, None) for name in OF_GENERATION}  # there is no `top_k` here
        warn_of_unsent(given, settings.route, self._clients.warned)

    @field_serializer("base_url")
    def _without_password(self, url: str | None) -> str | None:
        return url and without_user(url)

    @field_serializer("query")
    def _without_secrets(self, query: Mapping[str, str] | None) -> dict[str, str] | None:
        shown = self._client.settings.shown_query
        return None if query is None else {name: value for name, value in query.items() if name in shown}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Set what was pickled; what LlamaIndex left out, with a warning, as it cannot be pickled, is the default."""
        super().__setstate__(state)
        for name in type(self).model_fields.keys() - vars(self).keys():
            vars(self)[name] = type(self).model_fields[name].get_default(call_default_factory=True)

    @classmethod
    def class_name(cls) -> str:
        return "Dynaspark_llm"

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(**self._facts())

    def to_payload(self) -> dict[str, Any]:
        """The facts that events of observability show, as LlamaIndex makes them of `metadata`."""
        return {"class_name": self.class_name(), **self._facts()}

    def _facts(self) -> dict[str, Any]:
        return {
            "context_window": self.context_window,
            "num_output": self.num_output,
            "is_chat_model": True,
            "is_function_calling_model": self.is_function_calling_model,
            "model_name": self._client.settings.resolved(),
            "system_role": MessageRole.SYSTEM,
        }


def wrong_fields(error: ValidationError) -> str:
    """Every field and what is wrong with it; not the value, which may be a secret."""
    details = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(": ".join(filter(None, [".".join(map(str, each["loc"])), each["msg"]])) for each in details)
