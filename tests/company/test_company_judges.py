"""Evaluation with our models as judges: ragas and deepeval, over both faces."""

import asyncio
from typing import Any

import pytest
from deepeval.metrics import AnswerRelevancyMetric
from deepeval.models import DeepEvalBaseLLM
from deepeval.test_case import LLMTestCase
from langchain_core.messages import HumanMessage
from ragas.dataset_schema import SingleTurnSample
from ragas.llms import LangchainLLMWrapper, LlamaIndexLLMWrapper
from ragas.metrics import Faithfulness

from dynaspark_core.server import Asked, LocalService, Script
from langchain_dynaspark import ChatDynaspark
from llama_index_dynaspark import Dynaspark

SAMPLE = SingleTurnSample(user_input="Where?", response="In Oslo.", retrieved_contexts=["It is in Oslo."])


def judge(asked: Asked) -> str:
    """What a judge of ragas writes, for each of its two questions."""
    if "verdict" in asked.prompt:
        return '{"statements": [{"statement": "It is in Oslo.", "reason": "given", "verdict": 1}]}'
    return '{"statements": ["It is in Oslo."]}'


@pytest.mark.parametrize("face", [ChatDynaspark, Dynaspark])
def test_ragas(face: Any) -> None:
    with LocalService(script := Script(judge)) as service:
        model = face(base_url=service.url, max_retries=0)
        wrapper = LangchainLLMWrapper(model) if face is ChatDynaspark else LlamaIndexLLMWrapper(model)
        score = asyncio.run(Faithfulness(llm=wrapper).single_turn_ascore(SAMPLE))
    assert score == 1.0
    assert len(script.asked) == 2


class Judge(DeepEvalBaseLLM):
    """deepeval's own way to bring a model."""

    def __init__(self, model: Any) -> None:
        self._dynaspark = model
        super().__init__("dynaspark")

    def load_model(self, *_args: Any, **_kwargs: Any) -> Any:
        return self._dynaspark

    def generate(self, prompt: str, schema: Any = None, **_: Any) -> Any:
        if isinstance(self._dynaspark, ChatDynaspark):
            return self._dynaspark.with_structured_output(schema).invoke([HumanMessage(prompt)])
        return schema.model_validate_json(self._dynaspark.complete(prompt, response_format=schema).text)

    async def a_generate(self, prompt: str, schema: Any = None, **_: Any) -> Any:
        return await asyncio.to_thread(self.generate, prompt, schema)

    def get_model_name(self) -> str:
        return "dynaspark"


def relevancy(asked: Asked) -> str:
    if "verdicts" in asked.prompt:
        return '{"verdicts": [{"verdict": "yes", "reason": null}]}'
    if '"reason"' in asked.prompt:
        return '{"reason": "It answers."}'
    return '{"statements": ["In Oslo."]}'


@pytest.mark.parametrize("face", [ChatDynaspark, Dynaspark])
def test_deepeval(face: Any) -> None:
    with LocalService(Script(relevancy)) as service:
        metric = AnswerRelevancyMetric(model=Judge(face(base_url=service.url, max_retries=0)), async_mode=False)
        assert metric.measure(LLMTestCase(input="Where?", actual_output="In Oslo."), _show_indicator=False) == 1.0
