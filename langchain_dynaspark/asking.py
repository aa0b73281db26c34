"""One call of the model: LangChain's arguments → our chat, and the client's answer to it, whole or as it arrives."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import BaseMessage

from dynaspark_core import Chat, DynasparkClient, Event, Preview, Reply
from dynaspark_core.content.checks import stops
from dynaspark_core.errors import OutputError, ToolCallError
from dynaspark_core.frameworks import call_options, json_reply
from dynaspark_core.messages import new_chat
from dynaspark_core.messages.making import QuicklyMade, maker
from dynaspark_core.transport import blocking
from langchain_dynaspark import convert, options, replies
from langchain_dynaspark.errors import langchain_errors
from langchain_dynaspark.fields import ConfiguredChatModel

OWN = frozenset(("tools", "tool_choice", "parallel_tool_calls", "response_format", "may_answer", "allow_files"))
"""The keywords of one call that are read here; `frameworks.call_options` knows all others."""


def chat_of(
    messages: Sequence[BaseMessage], model: str, stop: Sequence[str], *, allow_files: bool = False, **others: Any
) -> Chat:
    """The chat that the messages and a call's other arguments mean. Raises `ConfigError` for what cannot be sent."""
    said = convert.history(messages, allow_files=allow_files)
    return new_chat(said, model, stop=tuple(stop), **(options.chat_fields(**others) if others else {}))


@dataclass(frozen=True, slots=True)
class Question(QuicklyMade):
    """A chat for a client; with `may_answer`, text is a reply also where a call is required."""

    client: DynasparkClient
    chat: Chat
    may_answer: bool = False

    @property
    def model(self) -> str:
        """The name that goes out."""
        return self.client.settings.resolved(self.chat.model)

    async def reply(self) -> Reply:
        """The whole reply; where a schema asks for a value, its text is that value as JSON, or what was written."""
        try:
            is_text = self.chat.response_schema is None
            return await (self.client.complete(self.chat) if is_text else json_reply(self.client, self.chat))
        except OutputError as exc:
            return Reply(exc.text, reasoning=exc.reasoning)
        except ToolCallError as exc:
            if not self.may_answer:
                raise
            return Reply(exc.text, reasoning=exc.reasoning)

    def events(self) -> AsyncGenerator[Event]:
        """The events as they arrive; all at the end where only the whole can be checked."""
        if self.may_answer or self.chat.response_schema is not None:
            return self._late_events()
        return self.client.events(self.chat)

    async def _late_events(self) -> AsyncGenerator[Event]:
        for event in replies.events(await self.reply()):
            yield event


_question_of = maker(Question)


class AskingChatModel(ConfiguredChatModel):
    """Knows what a call of `ChatDynaspark` means, and shows it."""

    def preview(self, input: LanguageModelInput, tools: Sequence[Any] = (), **kwargs: Any) -> Preview:  # noqa: A002  # LangChain's name
        """What a call would send: the exact text, and the file. Nothing is sent to the service.

        Args:
            input: What `invoke` takes.
            tools: What `bind_tools` takes; a model with bound tools has no `preview` of its own.
            kwargs: What `invoke` and `bind_tools` take, such as `stop`, `tool_choice` and `response_format`.

        Raises what the call would raise before anything is sent.
        """
        return blocking.run(self.apreview(input, tools, **kwargs))

    async def apreview(self, input: LanguageModelInput, tools: Sequence[Any] = (), **kwargs: Any) -> Preview:  # noqa: A002  # LangChain's name
        """As `preview`, async."""
        with langchain_errors():
            named = ("tool_choice", "strict", "parallel_tool_calls", "response_format")
            own = {name: kwargs.pop(name) for name in named if name in kwargs}
            bound = options.call_arguments(tools, **own)
            messages = self._convert_input(input).to_messages()
            question = self._question(messages, kwargs.pop("stop", None), **bound, **kwargs)
            return await question.client.preview(question.chat)

    def _question(
        self, messages: list[BaseMessage], stop: list[str] | None, *, may_answer: bool = False, **given: Any
    ) -> Question:
        """The question that a call means; of its keywords `frameworks.call_options` knows what becomes."""
        if stop is not None:
            given["stop"] = stop
        said = call_options(given, OWN, self._client, self._clients.warned)
        client, settings = said.client, said.client.settings
        own = {"allow_files": settings.allow_files, **said.own}
        cuts = stops(self.stop if said.stop is None else said.stop)
        return _question_of(client, chat_of(messages, said.model or self.model, cuts, **own), may_answer)
