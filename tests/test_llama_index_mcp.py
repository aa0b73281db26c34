"""What an MCP tool gives, through `BlocksClient`, as the prompt and the file hold it."""

import base64
import copy
import pickle
from collections.abc import Sequence
from types import SimpleNamespace as Item
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock
from serving import PNG

from dynaspark_core.server import Script
from llama_index_dynaspark import Dynaspark
from llama_index_dynaspark.mcp import BlocksClient

ENCODED = base64.b64encode(PNG).decode()


class Client:
    """An MCP client whose every tool gives the same."""

    def __init__(self, content: Sequence[Any], **more: Any) -> None:
        self.result = Item(content=content, **more)

    async def call_tool(self, _name: str, _arguments: dict[str, Any]) -> Any:
        return self.result

    async def read_resource(self, _uri: str) -> Any:
        return Item(contents=self.result.content)


@pytest.fixture
def script() -> Script:
    return Script(lambda _: "ok")


async def told(llm: Dynaspark, script: Script, client: Client, *, of_resource: bool = False) -> str:
    """What the prompt says of the result of a tool, or of a resource, of this client."""
    asked = BlocksClient(client)
    blocks = await (asked.read_resource("file:///a") if of_resource else asked.call_tool("look", {}))
    called = ChatMessage(role="assistant", blocks=[ToolCallBlock(tool_call_id="1", tool_name="look", tool_kwargs={})])
    result = ChatMessage(role="tool", blocks=list(blocks), additional_kwargs={"tool_call_id": "1"})
    await llm.achat([ChatMessage("Look."), called, result])
    return script.asked[-1].prompt.partition('status="ok">\n')[2].partition("\n</tool_result>")[0]


def resource(**facts: Any) -> Item:
    return Item(type="resource", resource=Item(**{"uri": "file:///notes.txt", "mimeType": None} | facts))


@pytest.mark.parametrize(
    ("content", "more", "expected"),
    [
        ([Item(type="text", text="Rain."), Item(type="text", text="Wind.")], {}, "Rain.\nWind."),
        ([Item(type="text", text="[1]")], {"structuredContent": {"result": [1]}}, "[1]"),
        ([], {"structuredContent": {"result": []}}, '{"result": []}'),
        ([], {"structuredContent": {"city": "Zürich"}}, '{"city": "Zürich"}'),
        ([], {"structuredContent": None}, ""),
        ([], {"structured_content": []}, "[]"),
        ([], {"is_error": False, "structured_content": {"city": "Oslo"}}, '{"city": "Oslo"}'),
        ([resource(blob=base64.b64encode(b"word").decode(), mime_type="text/plain")], {}, "\nnotes.txt:\nword\n"),
        ([resource(text="Oslo.")], {}, "Oslo."),
        ([resource(blob=base64.b64encode(b"word").decode(), mimeType="text/plain")], {}, "\nnotes.txt:\nword\n"),
        ([resource(blob=base64.b64encode(b"a word").decode())], {}, "\nnotes.txt:\na word\n"),
        (
            [Item(type="audio", data="UklGRg==", mimeType="audio/wav")],
            {},
            "[audio: unnamed \N{EN DASH} not shown]",
        ),
    ],
)
async def test_what_a_tool_gives_is_told(
    llm: Dynaspark, script: Script, content: list[Any], more: dict[str, Any], expected: str
) -> None:
    assert await told(llm, script, Client(content, **more)) == expected


@pytest.mark.parametrize("name", ["mimeType", "mime_type"])
@pytest.mark.parametrize("kind", ["image", "resource", "of a resource"])
async def test_a_picture_is_sent_as_the_file(llm: Dynaspark, script: Script, kind: str, name: str) -> None:
    embedded = resource(blob=ENCODED, **{name: "image/png"})
    image = Item(type="image", data=ENCODED, **{name: "image/png"})
    given = {"image": image, "resource": embedded, "of a resource": embedded.resource}[kind]
    await told(llm, script, Client([given]), of_resource=kind == "of a resource")
    assert script.asked[-1].file == PNG


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([Item(type="text", text="no network")], "^no network$"),
        ([], "^the tool failed and did not say why$"),
        ([Item(type="image", data=ENCODED, mimeType="image/png")], "^the tool failed and did not say why$"),
    ],
)
@pytest.mark.parametrize("name", ["isError", "is_error"])
async def test_an_error_is_raised_with_its_text(content: list[Any], said: str, name: str) -> None:
    with pytest.raises(ValueError, match=said):
        await BlocksClient(Client(content, **{name: True})).call_tool("look", {})


def test_everything_else_is_the_clients_also_in_copies() -> None:
    client = Client(["x"])
    made = BlocksClient(client)
    assert made.result is copy.copy(made).result is client.result
    for other in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert isinstance(other, BlocksClient)
        assert other.result == client.result
