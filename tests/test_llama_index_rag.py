"""Questions over documents, in LlamaIndex's ways, over real HTTP. The script knows only what stands in the prompt."""

import base64
import inspect
import json
import re
from typing import Any

import pytest
from llama_index.core import (
    Document,
    MockEmbedding,
    QueryBundle,
    SummaryIndex,
    VectorStoreIndex,
    get_response_synthesizer,
)
from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.base.response.schema import AsyncStreamingResponse
from llama_index.core.chat_engine.types import ChatMode
from llama_index.core.indices.query.query_transform import HyDEQueryTransform
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.postprocessor import LLMRerank, StructuredLLMRerank
from llama_index.core.postprocessor.rankGPT_rerank import RankGPTRerank
from llama_index.core.query_engine import CitationQueryEngine, RetrieverQueryEngine, SimpleMultiModalQueryEngine
from llama_index.core.response_synthesizers import ResponseMode
from llama_index.core.retrievers import BaseRetriever, QueryFusionRetriever
from llama_index.core.schema import ImageNode, NodeWithScore, TextNode
from pydantic import BaseModel
from serving import PNG

from dynaspark_core.server import Asked, LocalService, Pieces, Script, call
from llama_index_dynaspark import Dynaspark

pytestmark = pytest.mark.filterwarnings("ignore:The `json` method is deprecated")  # StructuredLLM, when it streams
IS_OLD = "rate_limiter" not in Dynaspark.model_fields
"""This core (0.14.5) does not stream what it filters."""
FACTS = ["The capital of Norway is Oslo.", "The capital of Chile is Santiago."]
DOCUMENTS = [Document(text=fact) for fact in FACTS]
QUESTION = "What is the capital of Norway?"
# The two that are left out ask no model.
MODES = [mode for mode in ResponseMode if mode not in {ResponseMode.NO_TEXT, ResponseMode.CONTEXT_ONLY}]


class Capital(BaseModel):
    """A capital."""

    country: str
    city: str


def reader(asked: Asked) -> Any:
    """The capital asked for, if the prompt says it; in pieces. As an object or a call where the prompt wants one."""
    if "tandalone question" in asked.prompt:
        return QUESTION
    facts = dict(re.findall(r"The capital of (\w+) is (\w+)\.", asked.prompt))
    country = re.findall(r"capital of (\w+)\?", asked.prompt)[-1]
    before = re.findall(r"It is (\w+)\.", asked.prompt) or ["not known"]  # the answer so far, where it is refined
    city = facts.get(country, before[-1])
    if "# Tools" in asked.prompt:
        fitting = {"answer": city, "query_satisfied": city != "not known"}
        return call("StructuredRefineResponse", **fitting)
    if "# Form of the answer" in asked.prompt or "Here's a JSON schema" in asked.prompt:
        is_capital = '"city"' in asked.prompt
        fitting = {"answer": city, "query_satisfied": city != "not known"}
        return json.dumps({"country": country, "city": city} if is_capital else fitting)
    return Pieces("It is ", city, ".")


@pytest.fixture
def script() -> Script:
    return Script(reader)


@pytest.fixture
def index() -> VectorStoreIndex:
    return VectorStoreIndex.from_documents(DOCUMENTS, embed_model=MockEmbedding(embed_dim=4))


async def answer(engine: Any, way: str) -> str:
    """The engine's answer, sync or not, streamed or not."""
    if way == "query":
        return str(engine.query(QUESTION))
    response = await engine.aquery(QUESTION)
    if isinstance(response, AsyncStreamingResponse):
        return "".join([token async for token in response.async_response_gen()])
    return str(response)


STREAMED = [mode for mode in MODES if mode not in {ResponseMode.ACCUMULATE, ResponseMode.COMPACT_ACCUMULATE}]
"""LlamaIndex does not stream what it accumulates."""


@pytest.mark.parametrize(
    ("mode", "streaming"), [*((mode, False) for mode in MODES), *((mode, True) for mode in STREAMED)]
)
@pytest.mark.parametrize("way", ["query", "aquery"])
async def test_every_response_mode(
    llm: Dynaspark, index: VectorStoreIndex, mode: ResponseMode, streaming: bool, way: str
) -> None:
    engine = index.as_query_engine(llm=llm, response_mode=mode, streaming=streaming, similarity_top_k=2)
    assert ("not known" if mode == ResponseMode.GENERATION else "Oslo") in await answer(engine, way)


@pytest.mark.parametrize(
    "kind", [ChatMode.SIMPLE, ChatMode.CONTEXT, ChatMode.CONDENSE_QUESTION, ChatMode.CONDENSE_PLUS_CONTEXT]
)
@pytest.mark.parametrize("way", ["chat", "achat", "stream_chat", "astream_chat"])
async def test_four_chat_engines_in_four_ways(
    llm: Dynaspark, script: Script, index: VectorStoreIndex, kind: ChatMode, way: str
) -> None:
    """The second turn knows the first: its question alone would not say of what."""
    memory = ChatMemoryBuffer.from_defaults(llm=llm)
    engine = index.as_chat_engine(chat_mode=kind, llm=llm, similarity_top_k=2, memory=memory)
    for _ in range(2):
        result = getattr(engine, way)(QUESTION)
        if way.startswith("a"):
            result = await result
        if way == "stream_chat":
            told = "".join(result.response_gen)
        elif way == "astream_chat":
            told = "".join([token async for token in result.async_response_gen()])
        else:
            told = str(result)
        assert ("not known" if kind == ChatMode.SIMPLE else "Oslo") in told
    roles = [message.role for message in engine.chat_history]
    assert roles == [MessageRole.USER, MessageRole.ASSISTANT] * 2
    assert "It is" in script.asked[-1].prompt or kind == ChatMode.CONDENSE_QUESTION


@pytest.mark.parametrize(
    ("is_function_calling_model", "streaming"),
    [
        pytest.param(True, True, marks=pytest.mark.skipif(IS_OLD, reason="this core cannot")),
        (True, False),
        (False, False),  # LlamaIndex streams through its function program alone
    ],
)
@pytest.mark.parametrize("way", ["query", "aquery"])
async def test_structured_answer_filtering(
    llm: Dynaspark, index: VectorStoreIndex, is_function_calling_model: bool, streaming: bool, way: str
) -> None:
    llm.is_function_calling_model = is_function_calling_model
    synthesizer = get_response_synthesizer(
        llm=llm, response_mode=ResponseMode.REFINE, structured_answer_filtering=True, streaming=streaming
    )
    engine = RetrieverQueryEngine(index.as_retriever(similarity_top_k=2), response_synthesizer=synthesizer)
    assert "Oslo" in await answer(engine, way)


@pytest.mark.parametrize("way", ["query", "aquery"])
async def test_objects_out_of_documents(llm: Dynaspark, index: VectorStoreIndex, way: str) -> None:
    wanted = Capital(country="Norway", city="Oslo")
    for engine in (
        index.as_query_engine(llm=llm, output_cls=Capital, similarity_top_k=2),
        index.as_query_engine(llm=llm.as_structured_llm(Capital), similarity_top_k=2),
    ):
        assert Capital.model_validate_json(await answer(engine, way)) == wanted


@pytest.mark.parametrize("use_async", [True, False])
async def test_fusion_asks_for_queries_and_retrieves_with_each(index: VectorStoreIndex, use_async: bool) -> None:
    script = Script(lambda _: "capital Norway\ncity Norway")
    with LocalService(script) as service:
        fusion = QueryFusionRetriever(
            [index.as_retriever(similarity_top_k=2)],
            llm=Dynaspark(base_url=service.url),
            num_queries=3,
            use_async=use_async,
        )
        assert len(await fusion.aretrieve(QUESTION)) == 2
        assert len(fusion.retrieve(QUESTION)) == 2
    assert all("Generate 2 search queries" in asked.prompt for asked in script.asked)


def chooser(asked: Asked) -> str:
    """The number of the document on Norway, in the form that the prompt asks for."""
    passages = re.findall(r"(?:Document |\[)(\d+)\]?:?\s+(The capital of \w+ is)", asked.prompt)
    number = next(number for number, text in passages if "Norway" in text)
    if "# Form of the answer" in asked.prompt:
        return json.dumps({"documents": [{"document_number": int(number), "relevance": 9}]})
    return f"[{number}]" if "Rank" in asked.prompt else f"Doc: {number}, Relevance: 9"


@pytest.mark.parametrize("kind", [LLMRerank, StructuredLLMRerank, RankGPTRerank])
def test_rerankers_put_the_fitting_passage_first(kind: Any) -> None:
    nodes = [NodeWithScore(node=TextNode(text=fact), score=0.5) for fact in reversed(FACTS)]
    with LocalService(Script(chooser)) as service:
        best = kind(llm=Dynaspark(base_url=service.url), top_n=1).postprocess_nodes(nodes, query_str=QUESTION)
    assert [node.text for node in best] == FACTS[:1]


def test_citations_and_hypothetical_documents(llm: Dynaspark, script: Script, index: VectorStoreIndex) -> None:
    assert "Oslo" in str(CitationQueryEngine.from_args(index, llm=llm, similarity_top_k=2).query(QUESTION))
    assert "Source 1:" in script.asked[-1].prompt
    bundle = HyDEQueryTransform(llm=llm)(QueryBundle(QUESTION))
    assert bundle.embedding_strs == ["It is not known.", QUESTION]


def test_a_summary_index_refines_over_its_nodes(llm: Dynaspark, script: Script) -> None:
    engine = SummaryIndex.from_documents(DOCUMENTS).as_query_engine(llm=llm, response_mode=ResponseMode.REFINE)
    assert "Oslo" in str(engine.query(QUESTION)) or len(script.asked) == 2


def looker(asked: Asked) -> Pieces:
    return Pieces("I see ", f"{asked.content_type}, {len(asked.file or b'')} bytes.")


class Pictures(BaseRetriever):
    """Finds one picture."""

    def _retrieve(self, _: QueryBundle) -> list[NodeWithScore]:
        return [NodeWithScore(node=ImageNode(image=base64.b64encode(PNG).decode(), text="a dot"), score=1)]


@pytest.mark.skipif(
    "multimodal" not in inspect.signature(RetrieverQueryEngine.from_args).parameters, reason="this core has none yet"
)
@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("way", ["query", "aquery"])
async def test_a_multimodal_engine_shows_the_images_of_its_nodes(streaming: bool, way: str) -> None:
    script = Script(looker)
    with LocalService(script) as service:
        llm = Dynaspark(base_url=service.url)
        engine = RetrieverQueryEngine.from_args(Pictures(), llm=llm, multimodal=True, streaming=streaming)
        assert await answer(engine, way) == f"I see image/png, {len(PNG)} bytes."
    assert script.asked[0].file == PNG


@pytest.mark.filterwarnings("ignore:Call to deprecated class")  # LlamaIndex says to use the engine above instead
async def test_the_older_multimodal_engine_shows_the_images_too() -> None:
    script = Script(looker)
    with LocalService(script) as service:
        retriever: Any = Pictures()
        engine = SimpleMultiModalQueryEngine(retriever, multi_modal_llm=Dynaspark(base_url=service.url))
        for way in ("query", "aquery"):
            assert await answer(engine, way) == f"I see image/png, {len(PNG)} bytes."


async def test_the_system_prompt_stands_once_in_every_way_of_predicting(
    script: Script, index: VectorStoreIndex
) -> None:
    with LocalService(script) as service:
        llm = Dynaspark(base_url=service.url, system_prompt="You know capitals.")
        for streaming in (True, False):
            engine = index.as_query_engine(llm=llm, streaming=streaming)
            await answer(engine, "query")
            await answer(engine, "aquery")
        llm.chat([ChatMessage(QUESTION)])
        await llm.achat([ChatMessage("You know capitals.", role=MessageRole.SYSTEM), ChatMessage(QUESTION)])
    assert [asked.prompt.count("You know capitals.") for asked in script.asked] == [1] * 6
