"""One call of the model: LangChain's arguments → our chat, and the client's answer to it, whole or as it arrives."""

import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.messages import BaseMessage

from dynaspark_core import Chat, DynasparkClient, Event, Reply
from dynaspark_core.errors import OutputError, ToolCallError
from langchain_dynaspark import convert, options, replies


def chat_of(
    messages: Sequence[BaseMessage],
    model: str,
    stop: Sequence[str],
    *,
    allow_files: bool = False,
    stream: object = None,
    **others: Any,
) -> Chat:
    """The chat that the messages and a call's other arguments mean. Raises `ConfigError` for what cannot be sent.

    LangChain decides by `stream` alone which method it calls, and passes it on.
    """
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
        found = await self.client.value(self.chat)
        has_calls = bool(found.reply.tool_calls or found.reply.invalid_tool_calls)
        return found.reply if has_calls else replace(found.reply, text=json.dumps(found.value, ensure_ascii=False))

    def events(self) -> AsyncGenerator[Event]:
        """The events as they arrive; all at the end where only the whole can be checked."""
        if self.may_answer or self.chat.response_schema is not None:
            return self._late_events()
        return self.client.events(self.chat)

    async def _late_events(self) -> AsyncGenerator[Event]:
        for event in replies.events(await self.reply()):
            yield event
