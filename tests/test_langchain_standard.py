"""LangChain's two standard suites, unmodified, against a service that is scripted: wire conformance, not a model's wit.

The service decides from the prompt alone and knows no test. What our package sends and reads is shown by the other
tests: the suites would pass without images, system messages or stops.
"""

import json
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests
from serving import PNG, listed_tools

from dynaspark_core.server import Asked, LocalService, Script, call
from langchain_dynaspark import ChatDynaspark

TURN = re.compile(r'<turn role="(\w+)"[^>]*>(.*?)</turn>', re.DOTALL)
FORM = re.compile(r"^Reply with one JSON value.*\n(\{.*\})$", re.MULTILINE)
QUOTED = re.compile(r"'([^']+)'")


def reader(asked: Asked) -> str:
    """What a model would write that reads the prompt as it says: a call, a value of the schema, or text."""
    turns = TURN.findall(asked.prompt) or [("user", asked.prompt)]
    said = next(text for role, text in reversed(turns) if role == "user")
    if tools := listed_tools(asked.prompt):
        fitting = [tool for tool in tools if any(word in said.lower() for word in tool["name"].lower().split("_"))]
        if "now." in asked.prompt.splitlines()[-2]:
            fitting = fitting or tools
        elif turns[-1][0] == "tool":
            fitting = []
        if fitting:
            return call(fitting[0]["name"], **sample(fitting[0]["parameters"], said))
    elif (form := FORM.search(asked.prompt)) is not None:
        return json.dumps(sample(json.loads(form[1]), said), ensure_ascii=False)
    return f"I read {len(turns)} turns, and last: {turns[-1][1]}"


def sample(schema: dict[str, Any], said: str) -> Any:
    """A value of the schema, out of what was said."""
    if "anyOf" in schema:
        return sample(schema["anyOf"][0], said)
    numbers = re.findall(r"-?\d+", said) or ["1"]
    made = {"integer": int(numbers[0]), "number": float(numbers[0]), "boolean": True, "array": [], "null": None}
    if schema.get("type", "object") != "object":
        return made.get(schema["type"], (QUOTED.findall(said) or [said])[0])
    members = schema.get("properties", {name: {"type": "string"} for name in QUOTED.findall(said)})
    return {name: sample(members[name], said) for name in schema.get("required", members)}


@pytest.mark.filterwarnings("ignore:Dynaspark has no field for")  # the suites set temperature and max_tokens
class TestUnit(ChatModelUnitTests):
    @property
    def chat_model_class(self) -> type[ChatDynaspark]:
        return ChatDynaspark

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        return {"DYNASPARK_API_KEY": "from the environment"}, {}, {"api_key": "from the environment"}

    @pytest.mark.xfail(reason="it loads only what langchain_core.load.mapping lists: LangChain's own packages")
    def test_serdes(self, model: BaseChatModel, snapshot: Any) -> None:
        super().test_serdes(model, snapshot)


@pytest.mark.filterwarnings("ignore:Dynaspark has no field for")  # the suites set temperature and max_tokens
class TestIntegration(ChatModelIntegrationTests):
    url = ""

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _service(cls) -> Iterator[None]:
        with LocalService(Script(reader)) as service:
            cls.url = service.url
            yield

    @pytest.fixture(autouse=True)
    def _pictures(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The suite downloads its pictures itself, with httpx; these are the bytes of a local one."""
        monkeypatch.setattr(httpx, "get", lambda *_, **__: SimpleNamespace(content=PNG))

    @property
    def chat_model_class(self) -> type[ChatDynaspark]:
        return ChatDynaspark

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"base_url": self.url, "max_retries": 0}

    @property
    def structured_output_kwargs(self) -> dict[str, Any]:
        return {"method": "json_schema"}

    supports_image_inputs = True
    supports_image_tool_message = True
    supports_anthropic_inputs = True
    supports_json_mode = True
    supports_image_urls = False
    """We fetch them; the suite's stands on the internet. `test_langchain_content` shows it."""
    returns_usage_metadata = False
    """The service reports no tokens."""
    model_override_value = "gemini-2.0-flash-lite"


class TestStructuredOutputByCalls(TestIntegration):
    """The same with the other method."""

    @property
    def structured_output_kwargs(self) -> dict[str, Any]:
        return {"method": "function_calling"}
