"""A chat of wrong types is named before anything is sent, on every way in."""

from types import MappingProxyType
from typing import Any

import pytest

from dynaspark_core import Chat, DynasparkClient, Message, Tool
from dynaspark_core.content.checks import check_chat
from dynaspark_core.errors import ConfigError
from dynaspark_core.server import LocalService, Script

HI = (Message("user", ("Hi",)),)
FIND = Tool("find")


@pytest.mark.parametrize(
    ("chat", "shown"),
    [
        ("Hi", "str"),
        (Chat("Hi"), "messages"),  # type: ignore[arg-type]
        (Chat((Message("user", "Hi"),)), "content"),  # type: ignore[arg-type]
        (Chat((Message("user", (None,)),)), "NoneType"),  # type: ignore[arg-type]
        (Chat(iter(HI)), "messages is of type tuple_iterator"),  # type: ignore[arg-type]
        (Chat((Message("user", (text for text in ["Hi"])), *HI)), r"messages\[0\].content is of type generator"),  # type: ignore[arg-type]
        (Chat(HI, tools=iter([FIND])), "tools is of type list_iterator"),  # type: ignore[arg-type]
        (Chat(HI, stop=iter(["x"])), "stop is of type list_iterator"),  # type: ignore[arg-type]
        (Chat(HI, model=["a"]), "model"),  # type: ignore[arg-type]
        (Chat(HI, stop=5), "stop"),  # type: ignore[arg-type]
        (Chat(HI, stop=(b"x",)), "bytes"),  # type: ignore[arg-type]
        (Chat(HI, tools=({"name": "find"},)), "dict"),  # type: ignore[arg-type]
        (Chat(HI, tools=(Tool("find", parameters=None),)), "find"),  # type: ignore[arg-type]
        (Chat(HI, tools=(FIND, Tool("f"), Tool("find", "Finds."))), "two different tools are called 'find'"),
        (Chat(HI, tools=(FIND,), tool_choice="any"), "any"),
        (Chat(HI, tools=(FIND,), tool_choice=["find"]), "tool_choice"),  # type: ignore[arg-type]
        (Chat(HI, tool_choice="required"), "0 tools"),
        (Chat(HI, response_schema=True), "response_schema"),  # type: ignore[arg-type]
    ],
)
async def test_a_wrong_chat_is_named(chat: Any, shown: str) -> None:
    with LocalService(script := Script("never")) as service:
        client = DynasparkClient(base_url=service.url)
        with pytest.raises(ConfigError, match=shown):
            client.events(chat)
    assert script.asked == []


async def test_one_text_as_stop_is_one_stop_sequence() -> None:
    with LocalService(Script(lambda _: "The eND: DEFG END")) as service:
        client = DynasparkClient(base_url=service.url)
        assert (await client.complete("x", stop="END")).text == "The eND: DEFG "
        assert (await client.complete(Chat(HI, stop="END"))).text == "The eND: DEFG "  # type: ignore[arg-type]


def test_the_same_tool_may_be_given_twice() -> None:
    chat = Chat(HI, tools=(FIND, Tool("find"), Tool("f")))
    assert check_chat(chat) is chat


@pytest.mark.parametrize("role", ["human", "", None, ["user"]], ids=str)
@pytest.mark.parametrize("before", [(), HI])
async def test_an_unknown_role_is_named(role: Any, before: tuple[Message, ...]) -> None:
    with LocalService(script := Script("never")) as service:
        with pytest.raises(ConfigError, match=r"unknown role .*; known are system, user, assistant, tool"):
            await DynasparkClient(base_url=service.url).complete(Chat((*before, Message(role, ("Hi",)))))
        assert script.asked == []


@pytest.mark.parametrize("schema", [{"type": "object"}, MappingProxyType({"type": "object"}), {}, None], ids=str)
def test_a_schema_is_any_mapping(schema: Any) -> None:
    assert check_chat(Chat(HI, response_schema=schema)).response_schema is schema


@pytest.mark.parametrize(
    ("choice", "tools"),
    [("auto", ()), ("none", ()), ("auto", (FIND,)), ("none", (FIND,)), ("required", (FIND,)), ("find", (FIND,))],
)
def test_a_choice_that_can_be_made_is_kept(choice: str, tools: tuple[Tool, ...]) -> None:
    chat = Chat(HI, tools=tools, tool_choice=choice)
    assert check_chat(chat) is chat
