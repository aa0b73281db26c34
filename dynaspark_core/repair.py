"""When a broken answer is asked for once more, with what words, and what is shown meanwhile. No I/O.

Only an answer of which nothing was shown can be asked for again. So what may still have to be taken back is held: calls
that must not run, and all of an answer that has to be a call.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from dynaspark_core.errors import DynasparkError, OutputError, ToolCallError
from dynaspark_core.messages import (
    Chat,
    Done,
    Event,
    InvalidToolCall,
    Message,
    ReasoningDelta,
    Reply,
    TextDelta,
    Usage,
    Value,
)
from dynaspark_core.prompt.signatures import json_tool_line
from dynaspark_core.prompt.turns import cut_middle

_log = logging.getLogger("dynaspark_core")

GAP = "\n\n"
"""Between the reasoning of an answer and that of its repair."""
MAX_QUOTE_CHARACTERS = 2_000
"""Longest quotation of what the model wrote, in characters."""
MAX_COMPLAINTS = 10
"""Most calls of a reply that a request to repair it speaks of one by one."""

_CUT = "The reply was cut: make the arguments smaller, or split them over several calls."


class Repairs:
    """`feed` it every event of an answer; what it returns can be shown. Then `chat` is what to ask next; None ends.

    `most`: how many repair requests may be made. `is_whole`: nothing is shown before the answer has ended. `holds_all`
    says whether that is so. Reasoning is shown as it comes all the same: a repair adds its own to it.
    """

    def __init__(self, chat: Chat, most: int, *, is_whole: bool = False) -> None:
        self.chat: Chat | None = chat
        self._asked = chat
        self._left = most
        self.holds_all = is_whole or chat.tool_choice not in {"auto", "none"}
        self._held: list[Event] = []
        self._replies: list[Reply] = []
        self._kept: list[Event] = []
        self._thoughts: list[ReasoningDelta] = []
        self._gap = ""
        self._is_whole = is_whole
        self._has_shown = False

    def feed(self, event: Event) -> list[Event]:
        """What can be shown now. Raises `ToolCallError` for a required call that did not come, or is in doubt."""
        if isinstance(event, Done):
            return self._end(event.reply)
        if isinstance(event, ReasoningDelta):
            return self._think(event)
        self._held.append(event)
        return [] if self.holds_all or isinstance(event, InvalidToolCall) else self._shown()

    def fall_back(self, error: DynasparkError) -> list[Event]:
        """The reply that was to be repaired, when that request has failed.

        Raises the error where there is no such reply, or where something of its repair was shown already.
        """
        self.chat = None
        if not self._replies or self._has_shown:
            raise error
        return self._last(self._kept)

    def _think(self, event: ReasoningDelta) -> list[Event]:
        """The reasoning of this answer behind that of the answers before it."""
        event, self._gap = ReasoningDelta(self._gap + event.text), ""
        self._thoughts.append(event)
        return [] if self._is_whole else [event]

    def _shown(self) -> list[Event]:
        self._has_shown = True
        events, self._held = self._held, []
        return events

    def _end(self, reply: Reply) -> list[Event]:
        if self._asked.tool_choice not in {"auto", "none"}:
            from dynaspark_core.reply.required import call_in_text  # noqa: PLC0415  # see `reply`

            if (call := call_in_text(reply, self._asked)) is not None:
                reply = replace(reply, text="", tool_calls=(call,), finish_reason="tool_calls")
                self._held = [call]
        self._replies.append(reply)
        self._gap = GAP if self._thoughts else ""
        self.chat = repair_chat(self._asked, reply) if self._left and not self._has_shown else None
        if self.chat is not None:
            self._left -= 1
            self._kept, self._held = self._held, []
            return []
        return self._last(self._shown())

    def _last(self, events: list[Event]) -> list[Event]:
        reply, reasoning = merged(self._replies), "".join(thought.text for thought in self._thoughts)
        reply = reply if reasoning == reply.reasoning else replace(reply, reasoning=reasoning)
        is_required = bool(self._asked.tools) and self._asked.tool_choice not in {"auto", "none"}
        if is_required and (wrong := _wrong_call(self._asked, reply)) is not None:
            wrong.reasoning = reply.reasoning
            raise wrong
        return [*(self._thoughts if self._is_whole else ()), *events, *_with_reason(self._asked, reply)]


def _wrong_call(chat: Chat, reply: Reply) -> ToolCallError | None:
    """Why a reply has not the call that was required: it has none, or different ones where one was allowed."""
    from dynaspark_core.reply.required import is_in_doubt  # noqa: PLC0415  # see `reply`

    if not reply.tool_calls and not reply.invalid_tool_calls:
        return ToolCallError(f"the model was told to call a tool and wrote: {reply.text[:200]}", text=reply.text)
    if not is_in_doubt(reply, chat):
        return None
    written = [call.arguments for call in reply.tool_calls] + [call.arguments for call in reply.invalid_tool_calls]
    text = "\n".join((reply.text, *(json.dumps(each, ensure_ascii=False) for each in written))).strip()
    reason = "different arguments, and no word says which ones count"
    return ToolCallError(f"the model was told to make one call and wrote {reason}: {text[:200]}", text=text)


def _with_reason(chat: Chat, reply: Reply) -> list[Event]:
    """The end of an answer. Where it leads nowhere, its text ends with a sentence that says what happened."""
    if not leads_nowhere(chat, reply) or (chat.response_schema is not None and not reply.invalid_tool_calls):
        return [Done(reply)]
    lost = [f"a call{f' of {call.name}' if call.name else ''} was not made ({call.reason}: {call.error})"
            for call in reply.invalid_tool_calls]  # fmt: skip
    what = "; ".join(lost) or "the model wrote no answer and called no tool"
    reasons = ", ".join(f"{call.name or 'a call'} ({call.reason})" for call in reply.invalid_tool_calls)
    _log.warning("An answer ends without a call that can run: %s", reasons or "it is empty")
    sentence = f"{chr(10) * 2 if reply.text.strip() else ''}[{what[0].upper()}{what[1:]}.]"
    return [
        TextDelta(sentence),
        Done(replace(reply, text=reply.text + sentence, finish_reason="malformed_tool_call")),
    ]


def leads_nowhere(chat: Chat, reply: Reply) -> bool:
    """Whether tools were offered and no call goes on, and there are refused ones or no text in their place."""
    goes_on = any(call.is_passed_on(checked=chat.checks_arguments) for call in reply.invalid_tool_calls)
    if not chat.offered() or reply.tool_calls or goes_on:
        return False
    return bool(reply.invalid_tool_calls) or not reply.text.strip()


def value_in(reply: Reply, chat: Chat) -> Value:
    """The value of the chat's schema in the reply, None beside a call. Raises `OutputError` where there is none."""
    if reply.tool_calls or reply.invalid_tool_calls:
        return Value(None, reply)
    from dynaspark_core.reply.value import read_object  # noqa: PLC0415  # see `reply`

    try:
        return Value(read_object(reply.text, chat.response_schema or {}), reply)
    except OutputError as exc:
        exc.reasoning = reply.reasoning
        raise


def merged(replies: Sequence[Reply]) -> Reply:
    """The last reply, with the repairs counted, and the usage and reasoning of all of them."""
    if len(replies) == 1:
        return replies[0]
    repairs = len(replies) - 1 + sum(reply.repairs for reply in replies)
    reasoning = GAP.join(filter(None, (reply.reasoning for reply in replies)))
    return replace(replies[-1], repairs=repairs, reasoning=reasoning, usage=_total(reply.usage for reply in replies))


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


def repair_chat(chat: Chat, reply: Reply, error: OutputError | None = None) -> Chat | None:
    """The chat that asks for the reply again, or None if there is nothing to repair.

    Due after calls that could not be read, a required call that did not come, and `error`: no value of the schema.
    """
    request = "\n".join(_complaints(chat, reply, error))
    if not request:
        return None
    written = cut_middle(reply.text if error is None else error.text, MAX_QUOTE_CHARACTERS)
    said = (Message("assistant", (written,)),) if written.strip() else ()
    return replace(chat, messages=(*chat.messages, *said, Message("user", (request,))))


def _complaints(chat: Chat, reply: Reply, error: OutputError | None) -> Iterator[str]:
    if error is not None and chat.response_schema is not None:
        yield f"This reply cannot be used: {error}"
        yield "Write the whole value again, corrected."
        return
    tools = chat.offered()
    if chat.tool_choice not in {"auto", "none"}:
        from dynaspark_core.reply.required import is_in_doubt  # noqa: PLC0415  # see `reply`

        if is_in_doubt(reply, chat):
            yield f"The reply holds different arguments for {tools[0].name}, and only one call of it is allowed."
            yield "Write the one that is meant, and nothing else."
    if reply.tool_calls or not tools:
        return
    due = {"always"} if chat.tool_choice in {"auto", "required"} else {"always", "named"}
    broken = [
        call
        for call in reply.invalid_tool_calls
        if call.fate.repair in due or (call.is_wrong_value and not chat.checks_arguments)
    ]
    for call in broken[:MAX_COMPLAINTS]:
        yield from _complaint(chat, call)
    if len(broken) > MAX_COMPLAINTS:
        yield f"So it is with {len(broken) - MAX_COMPLAINTS:,} more tool calls of this reply."
    if broken:
        yield "Write the call again, whole and correct, and nothing else."
    elif chat.tool_choice != "auto" and not reply.invalid_tool_calls:
        names = ", ".join(tool.name for tool in tools)
        yield f"A tool call is required, and the reply had none. Call one of these tools now: {names}."
    elif leads_nowhere(chat, reply) and not reply.text.strip():
        for call in reply.invalid_tool_calls[:MAX_COMPLAINTS]:
            yield f"A tool call of this reply is not run ({call.reason}): {call.error}"
        yield "The reply holds no answer. Answer the user now in your own words, or call a tool."


def _complaint(chat: Chat, call: InvalidToolCall) -> Iterator[str]:
    """What is wrong with a call, the call as it was written, and the schema of its tool."""
    yield f"This tool call cannot be used ({call.reason}): {call.error}"
    if call.reason == "truncated":
        yield _CUT
    if call.raw:
        yield cut_middle(call.raw, MAX_QUOTE_CHARACTERS)
    tool = next((tool for tool in chat.tools if tool.name == call.name), None)
    if tool is not None:
        yield f"The tool is: {json_tool_line(tool)}"
