"""LlamaIndex's other pipelines over real HTTP: routing, sub-questions, evaluation, ingestion, memory, workflows."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from llama_index.core import Document, SummaryIndex
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, TextBlock
from llama_index.core.evaluation import (
    BatchEvalRunner,
    CorrectnessEvaluator,
    FaithfulnessEvaluator,
    GuidelineEvaluator,
    PairwiseComparisonEvaluator,
    RelevancyEvaluator,
)
from llama_index.core.extractors import KeywordExtractor, QuestionsAnsweredExtractor, SummaryExtractor, TitleExtractor
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.llms import LLM
from llama_index.core.memory import ChatSummaryMemoryBuffer, FactExtractionMemoryBlock
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.query_engine import RouterQueryEngine, SubQuestionQueryEngine
from llama_index.core.question_gen import LLMQuestionGenerator
from llama_index.core.selectors import LLMMultiSelector, PydanticMultiSelector
from llama_index.core.tools import QueryEngineTool
from llama_index.core.workflow import Event, StartEvent, StopEvent, Workflow, step
from serving import PNG
from serving import dynaspark as served

from dynaspark_core.server import Asked, Pieces, Script, call
from llama_index_dynaspark import Dynaspark

FACTS = {"norway": "The capital of Norway is Oslo.", "chile": "The capital of Chile is Santiago."}
BOTH = "What are the capitals of Norway and Chile?"


def capitals(asked: Asked) -> str:
    """What the prompt says of capitals."""
    found = re.findall(r"(?:The capital of \w+ is|It is) (\w+)\.", asked.prompt)
    return f"It is {' and '.join(dict.fromkeys(found)) or 'not known'}."


def router(asked: Asked) -> str:
    """Chooses by the names that stand in question and choices, in the form that the prompt asks for."""
    if "Some choices are given below" not in asked.prompt:
        return capitals(asked)
    choices = re.findall(r"\((\d)\) Facts on (\w+)", asked.prompt)
    wanted = asked.prompt.split("relevant to the question")[1]
    numbers = [int(number) for number, country in choices if country in wanted]
    selections = [{"index": number, "reason": "r"} for number in numbers]
    if '"SingleSelection"' in asked.prompt:
        return call("SingleSelection", **selections[0])
    if '"MultiSelection"' in asked.prompt:
        return call("MultiSelection", selections=selections)
    return json.dumps([{"choice": number, "reason": "r"} for number in numbers])


@pytest.fixture
def routing() -> Iterator[tuple[Dynaspark, Script]]:
    with served(router) as both:
        yield both


def tools(llm: LLM) -> list[QueryEngineTool]:
    engines = {
        name: SummaryIndex.from_documents([Document(text=fact)]).as_query_engine(llm=llm)
        for name, fact in FACTS.items()
    }
    return [
        QueryEngineTool.from_defaults(engine, name=name, description=f"Facts on {name.title()}")
        for name, engine in engines.items()
    ]


@pytest.mark.parametrize("is_function_calling_model", [True, False])
async def test_a_router_picks_the_engine(routing: tuple[Dynaspark, Script], is_function_calling_model: bool) -> None:
    llm, _ = routing
    llm.is_function_calling_model = is_function_calling_model
    engine = RouterQueryEngine.from_defaults(tools(llm), llm=llm)
    assert str(engine.query("What is the capital of Chile?")) == "It is Santiago."
    assert str(await engine.aquery("What is the capital of Norway?")) == "It is Oslo."


@pytest.mark.parametrize("kind", [LLMMultiSelector, PydanticMultiSelector])
async def test_a_router_of_several_joins_their_answers(routing: tuple[Dynaspark, Script], kind: Any) -> None:
    llm, _ = routing
    engine = RouterQueryEngine.from_defaults(tools(llm), llm=llm, selector=kind.from_defaults(llm=llm))
    for told in (str(engine.query(BOTH)), str(await engine.aquery(BOTH))):
        assert {"Oslo", "Santiago"} <= set(re.findall(r"\w+", told))


def divider(asked: Asked) -> str:
    """One question for each tool named in the prompt; else what the prompt says."""
    if "sub-questions" not in asked.prompt or "Tools" not in asked.prompt:
        return capitals(asked)
    names = [name for name in FACTS if f'"{name}"' in asked.prompt.split("# Example")[-1]]
    items = [{"sub_question": f"What is the capital of {name}?", "tool_name": name} for name in names]
    return f"```json\n{json.dumps({'items': items})}\n```"


@pytest.mark.parametrize("use_async", [True, False])
async def test_sub_questions(use_async: bool) -> None:
    with served(divider) as (llm, script):
        engine = SubQuestionQueryEngine.from_defaults(
            tools(llm),
            llm=llm,
            question_gen=LLMQuestionGenerator.from_defaults(llm=llm),
            use_async=use_async,
            verbose=False,
        )
        assert str(engine.query(BOTH)) == "It is Oslo and Santiago."
        assert str(await engine.aquery(BOTH)) == "It is Oslo and Santiago."
        assert len(script.asked) == 8


def judge(asked: Asked) -> str:
    """A verdict in the form that the prompt asks for."""
    if "# Form of the answer" in asked.prompt or "passing" in asked.prompt:
        return json.dumps({"passing": True, "feedback": "good"})
    if "Assistant A" in asked.prompt or "[[A]]" in asked.prompt:
        return "The first is better. [[A]]"
    return "5.0\nIt is right." if "score" in asked.prompt else "YES"


ASKED = {"query": "What is the capital of Norway?", "response": "It is Oslo.", "contexts": [FACTS["norway"]]}


@pytest.mark.parametrize(
    ("kind", "more", "score"),
    [
        (FaithfulnessEvaluator, {}, 1.0),
        (RelevancyEvaluator, {}, 1.0),
        (CorrectnessEvaluator, {"reference": "Oslo"}, 5.0),
        (GuidelineEvaluator, {}, 1.0),
        (PairwiseComparisonEvaluator, {"second_response": "Bergen."}, 1.0),
    ],
)
async def test_evaluators(kind: Any, more: dict[str, Any], score: float) -> None:
    with served(judge) as (llm, _):
        options = {"enforce_consensus": False} if kind is PairwiseComparisonEvaluator else {}
        evaluator = kind(llm=llm, **options)
        assert (await evaluator.aevaluate(**ASKED, **more)).score == score
        assert evaluator.evaluate(**ASKED, **more).score == score


@pytest.mark.filterwarnings("ignore:asyncio_module")  # BatchEvalRunner calls what LlamaIndex has deprecated
async def test_a_batch_of_evaluations() -> None:
    with served(judge) as (llm, script):
        runner = BatchEvalRunner({"faithful": FaithfulnessEvaluator(llm=llm), "relevant": RelevancyEvaluator(llm=llm)})
        results = await runner.aevaluate_response_strs(
            queries=["a", "b"], response_strs=["c", "d"], contexts_list=[["e"], ["f"]]
        )
    assert {name: [each.passing for each in found] for name, found in results.items()} == {
        "faithful": [True, True],
        "relevant": [True, True],
    }
    assert len(script.asked) >= 4


def describer(asked: Asked) -> str:
    return f"seen {len(asked.prompt)} characters"


async def test_extractors_and_the_ingestion_cache() -> None:
    with served(describer) as (llm, script):
        pipeline = ingestion(llm)
        nodes = pipeline.run(documents=[Document(text=FACTS["norway"], id_="n")])
        keys = {"document_title", "excerpt_keywords", "questions_this_excerpt_can_answer", "section_summary"}
        assert keys <= nodes[0].metadata.keys()
        count = len(script.asked)
        again = ingestion(Dynaspark(base_url=llm.base_url, max_retries=0), pipeline.cache)
        assert again.run(documents=[Document(text=FACTS["norway"], id_="n")])[0].metadata == nodes[0].metadata
        assert len(script.asked) == count
        other = ingestion(Dynaspark("gemini-2.0-flash", base_url=llm.base_url), pipeline.cache)
        await other.arun(documents=[Document(text=FACTS["norway"], id_="n")])
        assert len(script.asked) == 2 * count


def ingestion(llm: Dynaspark, cache: Any = None) -> IngestionPipeline:
    extractors = [
        TitleExtractor(llm=llm, nodes=1),
        KeywordExtractor(llm=llm, keywords=2),
        QuestionsAnsweredExtractor(llm=llm, questions=1),
        SummaryExtractor(llm=llm),
    ]
    more = {"cache": cache} if cache is not None else {}
    return IngestionPipeline(transformations=[SentenceSplitter(), *extractors], **more)


async def test_memory_that_summarises_and_extracts_facts() -> None:
    facts = "<facts><fact>She lives in Oslo.</fact></facts>"
    with served(lambda asked: facts if "<fact>" in asked.prompt else "They greeted each other.") as (llm, _):
        history = [ChatMessage("Hello, I live in Oslo."), ChatMessage("Hello!", role="assistant")] * 20
        memory = ChatSummaryMemoryBuffer.from_defaults(history, llm=llm, token_limit=60)
        assert "greeted" in (memory.get()[0].content or "")
        block = FactExtractionMemoryBlock(llm=llm)
        await block.aput(history[:2])
        assert block.facts == ["She lives in Oslo."]


class Looked(Event):
    said: str


class Look(Workflow):
    """Looks at a picture, then says what it saw; streams the second."""

    def __init__(self, llm: Dynaspark) -> None:
        super().__init__()
        self._llm = llm

    @step
    async def look(self, _: StartEvent) -> Looked:
        message = ChatMessage(blocks=[TextBlock(text="What is this?"), ImageBlock(image=PNG)])
        return Looked(said=(await self._llm.achat([message])).message.content or "")

    @step
    async def tell(self, looked: Looked) -> StopEvent:
        stream = await self._llm.astream_chat([ChatMessage(f"Say: {looked.said}")])
        return StopEvent(result="".join([each.delta or "" async for each in stream]))


async def test_a_workflow_with_an_image() -> None:
    with served(lambda asked: "a dot" if asked.file else Pieces(*asked.prompt)) as (llm, script):
        assert await Look(llm).run() == "Say: a dot"
    assert script.asked[0].file == PNG
