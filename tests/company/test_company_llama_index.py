"""What is built on LlamaIndex's LLMs, with ours in it."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from llama_index.core import Document
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.extractors import DocumentContextExtractor
from llama_index.core.indices.property_graph import (
    DynamicLLMPathExtractor,
    ImplicitPathExtractor,
    SchemaLLMPathExtractor,
    SimpleLLMPathExtractor,
)
from llama_index.core.schema import NodeRelationship, TextNode
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.tools.mcp import BasicMCPClient, McpToolSpec
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from dynaspark_core.server import LocalService, Script
from llama_index_dynaspark import Dynaspark
from llama_index_dynaspark.mcp import BlocksClient

SERVER = str(Path(__file__).with_name("mcp_server.py"))


def call(tool: str, /, **arguments: Any) -> str:
    return f"<tool_call>{json.dumps({'name': tool, 'arguments': arguments})}</tool_call>"


@pytest.mark.parametrize(
    ("tool", "arguments", "expected"),
    [
        ("weather", {"city": "Oslo"}, "\nRain in Oslo.\n"),
        ("files", {}, "\na.txt\nb.csv\n"),
        ("look", {}, "\n[image 1]\n"),
        ("link", {}, "[file: doc.md, text/markdown, https://docs.example/doc.md – not shown]"),  # noqa: RUF001
        ("fail", {}, "no network"),
    ],
)
async def test_tools_of_an_mcp_server(tool: str, arguments: dict[str, Any], expected: str) -> None:
    spec = McpToolSpec(BlocksClient(BasicMCPClient(sys.executable, args=[SERVER])))
    tools = await spec.to_tool_list_async()
    with LocalService(script := Script(call(tool, **arguments), "Done.")) as service:
        agent = FunctionAgent(tools=tools, llm=Dynaspark(base_url=service.url, max_retries=0), streaming=False)
        assert str(await agent.run("Do it.")) == "Done."
    assert expected in script.asked[1].prompt
    assert (script.asked[1].content_type == "image/png") == (tool == "look")
    assert "base64" not in script.asked[1].prompt


async def test_contextual_extraction() -> None:
    """It passes `extra_headers` and `max_tokens`."""
    store = SimpleDocumentStore()
    document = Document(text="Oslo is a city. It rains.", id_="d")
    await store.async_add_documents([document])
    node = TextNode(text="It rains.")
    node.relationships[NodeRelationship.SOURCE] = document.as_related_node_info()
    with LocalService(script := Script(lambda _: "About Oslo.")) as service:
        llm = Dynaspark(base_url=service.url, max_retries=0)
        found = await DocumentContextExtractor(docstore=store, llm=llm).aextract([node])
    assert [list(each.values()) for each in found] == [["About Oslo."]]
    assert "anthropic-beta" in script.asked[0].headers


def test_property_graph_extractors() -> None:
    nodes = [TextNode(text="Ada works at Acme.")]
    triplets = {
        "triplets": [
            {
                "subject": {"type": "PERSON", "name": "Ada"},
                "relation": {"type": "WORKED_ON"},
                "object": {"type": "ORGANIZATION", "name": "Acme"},
            }
        ]
    }
    dynamic = json.dumps(
        [{"head": "Ada", "head_type": "PERSON", "relation": "WORKS_AT", "tail": "Acme", "tail_type": "COMPANY"}]
    )
    with LocalService(Script("(Ada, works at, Acme)", dynamic, lambda _: json.dumps(triplets))) as service:
        llm = Dynaspark(base_url=service.url, max_retries=0)
        for extractor in (
            SimpleLLMPathExtractor(llm=llm, num_workers=1),
            DynamicLLMPathExtractor(llm=llm, num_workers=1),
            SchemaLLMPathExtractor(llm=llm, num_workers=1, strict=False),
            ImplicitPathExtractor(),
        ):
            (node,) = extractor([node.model_copy(deep=True) for node in nodes])
            names = str(node.metadata)
            assert isinstance(extractor, ImplicitPathExtractor) or ("Ada" in names and "Acme" in names), type(extractor)


def test_no_secret_is_in_any_span() -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    LlamaIndexInstrumentor().instrument(tracer_provider=provider)
    try:
        with LocalService(Script(lambda _: "Hello.")) as service:
            llm = Dynaspark(base_url=service.url, api_key="k-secret", default_headers={"X": "h-secret"})
            llm.complete("x")
            list(llm.stream_complete("x"))
    finally:
        LlamaIndexInstrumentor().uninstrument()
    spans = [span.to_json() for span in exporter.get_finished_spans()]
    assert spans
    assert not any(secret in span for span in spans for secret in ("k-secret", "h-secret"))
