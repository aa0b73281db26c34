"""When a broken answer is asked for once more, and what is shown meanwhile. No I/O; `tools.repair` says what to ask.

Only an answer of which nothing was shown can be asked for again. So what may still have to be taken back is held: calls
that must not run, and all of an answer that has to be a call.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from dynaspark_core.errors import DynasparkError, ToolCallError
from dynaspark_core.messages import Chat, Done, Event, InvalidToolCall, Reply, Usage, Value
from dynaspark_core.tools.repair import repair_chat


class Repairs:
    """`take` every event of an answer; what it gives can be shown. Then `chat` is what to ask next; None ends.

    `most`: how many repair requests may be made. `is_whole`: nothing is shown before the answer has ended. `holds_all`
    says whether that is so.
    """

    def __init__(self, chat: Chat, most: int, *, is_whole: bool = False) -> None:
        self.chat: Chat | None = chat
        self._asked = chat
        self._left = most
        self.holds_all = is_whole or chat.tool_choice not in {"auto", "none"}
        self._held: list[Event] = []
        self._replies: list[Reply] = []
        self._kept: list[Event] = []
        self._has_shown = False

    def take(self, event: Event) -> list[Event]:
        """What can be shown now. Raises `ToolCallError` for a required call that did not come."""
        if isinstance(event, Done):
            return self._end(event.reply)
        self._held.append(event)
        return [] if self.holds_all or isinstance(event, InvalidToolCall) else self._shown()

    def fall_back(self, failure: DynasparkError) -> list[Event]:
        """The reply that was to be repaired, when that request has failed.

        Raises the failure where there is no such reply, or where something of its repair was shown already.
        """
        self.chat = None
        if not self._replies or self._has_shown:
            raise failure
        return self._last(self._kept)

    def _shown(self) -> list[Event]:
        self._has_shown = True
        events, self._held = self._held, []
        return events

    def _end(self, reply: Reply) -> list[Event]:
        self._replies.append(reply)
        self.chat = repair_chat(self._asked, reply) if self._left and not self._has_shown else None
        if self.chat is not None:
            self._left -= 1
            self._kept, self._held = self._held, []
            return []
        return self._last(self._shown())

    def _last(self, events: list[Event]) -> list[Event]:
        reply = together(self._replies)
        if _lacks_call(self._asked, reply):
            raise ToolCallError(f"the model was told to call a tool and wrote: {reply.text[:200]}", text=reply.text)
        return [*events, Done(reply)]


def _lacks_call(chat: Chat, reply: Reply) -> bool:
    is_required = bool(chat.tools) and chat.tool_choice not in {"auto", "none"}
    return is_required and not reply.tool_calls and not reply.invalid_tool_calls


def value_in(reply: Reply, chat: Chat) -> Value:
    """The value of the chat's schema in the reply, None beside a call. Raises `OutputError` where there is none."""
    if reply.tool_calls or reply.invalid_tool_calls:
        return Value(None, reply)
    from dynaspark_core.tools.answers import read_object  # noqa: PLC0415  # see `tools`

    return Value(read_object(reply.text, chat.response_schema or {}), reply)


def together(replies: Sequence[Reply]) -> Reply:
    """The last reply, with the repairs counted and the usage of all of them."""
    if len(replies) == 1:
        return replies[0]
    repairs = len(replies) - 1 + sum(reply.repairs for reply in replies)
    return replace(replies[-1], repairs=repairs, usage=_total(reply.usage for reply in replies))


def _total(usages: Iterable[Usage | None]) -> Usage | None:
    """The sum; estimated if any part is, None if none is known."""
    known = [usage for usage in usages if usage is not None]
    if not known:
        return None
    return Usage(
        sum(usage.prompt_tokens for usage in known),
        sum(usage.completion_tokens for usage in known),
        sum(usage.total_tokens for usage in known),
        estimated=any(usage.estimated for usage in known),
    )
