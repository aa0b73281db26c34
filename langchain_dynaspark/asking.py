"""One call of the model: LangChain's arguments → our chat, and the client's answer to it, whole or as it arrives."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage

from dynaspark_core import Chat, DynasparkClient, Event, Reply
from dynaspark_core.errors import OutputError, ToolCallError
from dynaspark_core.frameworks import json_reply
from langchain_dynaspark import convert, options, replies

OWN = ("tools", "tool_choice", "parallel_tool_calls", "response_format", "may_answer", "allow_files")
"""The keywords of one call that are read here; `frameworks.call_options` knows all others."""


def chat_of(
    messages: Sequence[BaseMessage], model: str, stop: Sequence[str], *, allow_files: bool = False, **others: Any
) -> Chat:
    """The chat that the messages and a call's other arguments mean. Raises `ConfigError` for what cannot be sent."""
    said = convert.history(messages, allow_files=allow_files)
    return Chat(said, model=model, stop=tuple(stop), **options.chat_fields(**others))


@dataclass(frozen=True, slots=True)
class Question:
    """A chat for a client; with `may_answer`, text is a reply also where a call is required."""

    client: DynasparkClient
    chat: Chat
    may_answer: bool = False

    async def reply(self) -> Reply:
        """The whole reply; where a schema asks for a value, its text is that value as JSON, or what was written."""
        try:
            return await self._checked()
        except OutputError as exc:
            return Reply(exc.text)
        except ToolCallError as exc:
            if not self.may_answer:
                raise
            return Reply(exc.text)

    async def _checked(self) -> Reply:
        """The reply, its text a value of the schema if there is one. Raises `OutputError` where it holds none."""
        if self.chat.response_schema is None:
            return await self.client.complete(self.chat)
        return await json_reply(self.client, self.chat)

    def events(self) -> AsyncGenerator[Event]:
        """The events as they arrive; all at the end where only the whole can be checked."""
        if self.may_answer or self.chat.response_schema is not None:
            return self._late_events()
        return self.client.events(self.chat)

    async def _late_events(self) -> AsyncGenerator[Event]:
        for event in replies.events(await self.reply()):
            yield event
