"""Structured prediction in its four ways, over real HTTP: what is asked, what is read, what is an error."""

import enum
import json
from collections.abc import Iterator
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, MessageRole
from llama_index.core.llms.structured_llm import StructuredLLM
from llama_index.core.program import LLMTextCompletionProgram
from llama_index.core.prompts import ChatPromptTemplate, PromptTemplate
from llama_index.core.types import PydanticProgramMode
from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.event_handlers import BaseEventHandler
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, RootModel, create_model, field_validator
from serving import Says

from dynaspark_core import Chat, DynasparkClient, Message
from dynaspark_core.errors import ConfigError, OutputError, ToolCallError
from dynaspark_core.server import LocalService, Pieces
from llama_index_dynaspark import Dynaspark
from llama_index_dynaspark.structured import Prediction


class Kind(enum.Enum):
    POP = "pop"
    FOLK = "folk"


class Song(BaseModel):
    title: str
    seconds: int | None = None


class Album(BaseModel):
    """An album."""

    name: str
    kind: Kind
    songs: list[Song]

    @field_validator("name")
    @classmethod
    def is_capital(cls, name: str) -> str:
        if not name[:1].isupper():
            raise ValueError("must begin with a capital")
        return name


class Options(BaseModel):
    """All is optional."""

    volume: int | None = None
    tone: str | None = None


HAS_TEXT_STREAMS = "stream_call" in LLMTextCompletionProgram.__dict__
"""Older cores stream through their function program alone."""
RIGHT = '{"name": "Air", "kind": "folk", "songs": [{"title": "a", "seconds": 9}, {"title": "b"}]}'
ALBUM = Album.model_validate_json(RIGHT)
LOWER = RIGHT.replace("Air", "air")
WITHOUT_KIND = '{"name": "Air", "songs": []}'
WAYS = ["structured_predict", "astructured_predict", "stream_structured_predict", "astream_structured_predict"]
TEMPLATE = "An album about {topic}."


@pytest.fixture
def script() -> Says:
    return Says()


@pytest.fixture
def llm(script: Says) -> Iterator[Dynaspark]:
    with LocalService(script) as service:
        yield Dynaspark(base_url=service.url, max_retries=0, system_prompt="You know music.")


async def predict(llm: Dynaspark, way: str, prompt: Any = None, **options: Any) -> list[Any]:
    """The objects: one, or all of a stream."""
    template = prompt or PromptTemplate(TEMPLATE)
    result = getattr(llm, way)(options.pop("output_cls", Album), template, topic="air", **options)
    if way.startswith("a"):
        result = await result
    if way == "stream_structured_predict":
        return list(result)
    return [each async for each in result] if way == "astream_structured_predict" else [result]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "written",
    [
        RIGHT,
        f"```json\n{RIGHT}\n```",
        f"Here {{it}} is:\n{RIGHT}\nI hope {{this}} helps.",
        json.dumps({"Album": ALBUM.model_dump(mode="json")}),
    ],
    ids=["bare", "fenced", "in prose", "under its name"],
)
async def test_the_object_is_found(llm: Dynaspark, script: Says, way: str, written: str) -> None:
    script.lines.append(written)
    assert (await predict(llm, way))[-1] == ALBUM
    assert len(script.asked) == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("wrapper", ["Options", "data", "arguments"])
async def test_a_wrapper_is_never_shown_as_an_object_of_defaults(
    llm: Dynaspark, script: Says, way: str, wrapper: str
) -> None:
    text = json.dumps({wrapper: {"volume": 3, "tone": "low"}})
    script.lines.append(Pieces(*(text[at : at + 5] for at in range(0, len(text), 5))))
    objects = await predict(llm, way, output_cls=Options)
    assert objects[-1] == Options(volume=3, tone="low")
    assert all(each.volume == 3 or each.tone for each in objects)


class Named(BaseModel):
    """A key that calls have as well, and one that they have not."""

    name: str
    size: int | None = None


@pytest.mark.parametrize("way", WAYS[2:])
@pytest.mark.parametrize(
    ("written", "last"),
    [
        ('{"name": "Named", "arguments": {"name": "Oslo"}}', Named(name="Oslo")),
        ('{"name": "get_it", "parameters": {"name": "Oslo", "size": 3}}', Named(name="Oslo", size=3)),
        ('{"name": "Oslo", "size": 3}', Named(name="Oslo", size=3)),
        ('Unlike {"name": "Rome", "size": 9}, it is {"name": "Oslo", "size": 3}.', Named(name="Oslo", size=3)),
    ],
    ids=["call", "parameters", "bare", "in passing"],
)
async def test_a_stream_shows_neither_wrappers_nor_values_in_passing(
    llm: Dynaspark, script: Says, way: str, written: str, last: Named
) -> None:
    script.lines.append(Pieces(*(written[at : at + 3] for at in range(0, len(written), 3))))
    objects = await predict(llm, way, output_cls=Named)
    assert objects[-1] == last
    assert {each.name for each in objects} == {"Oslo"}


class Aliased(BaseModel):
    """Its fields have other names in JSON."""

    model_config = ConfigDict(populate_by_name=True)

    first: str = Field(alias="firstName")
    last: str = Field(validation_alias=AliasChoices(AliasPath("names", 1), "lastName", "surname"))
    age: int = 0


@pytest.mark.parametrize("way", WAYS[2:])
async def test_a_stream_shows_fields_under_their_own_names(llm: Dynaspark, script: Says, way: str) -> None:
    script.lines.append(Pieces('{"firstName": "Ada"', ', "lastName": "Lovelace"', ', "age": 36}'))
    objects = await predict(llm, way, output_cls=Aliased)
    assert len(objects) > 1
    assert {each.first for each in objects} == {"Ada"}
    assert {each.last for each in objects[-2:]} == {"Lovelace"}


class Ages(RootModel[dict[str, int]]):
    """The ages of people."""


@pytest.mark.parametrize("way", WAYS[2:])
async def test_a_stream_shows_a_map_as_the_root(llm: Dynaspark, script: Says, way: str) -> None:
    script.lines.append(Pieces('{"Ada": 36', ', "Charles": 79}'))
    objects = await predict(llm, way, output_cls=Ages)
    assert len(objects) > 1
    assert {each.root["Ada"] for each in objects} == {36}


def test_a_long_object_is_shown_a_bounded_number_of_times() -> None:
    """What there is so far is read each time, so that once for each piece would be quadratic."""
    text = json.dumps(
        {"name": "Air", "kind": "folk", "songs": [{"title": f"song {number}"} for number in range(2_000)]}
    )
    prediction = Prediction(Album, [], None, 0)
    so_far = [ChatResponse(message=ChatMessage(text[:end])) for end in range(50, len(text), 50)]
    shown = [each for response in so_far for each in prediction.show(response)]
    assert len(so_far) > 900
    assert 50 < len(shown) < 120


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("opener", ["[", '{"a":'])
async def test_a_reply_nested_too_deep_is_an_error(llm: Dynaspark, script: Says, way: str, opener: str) -> None:
    script.lines += [opener * 3_000] * 2
    with pytest.raises(OutputError):
        await predict(llm, way)


@pytest.mark.parametrize("way", WAYS)
async def test_keys_in_another_case_are_asked_for_again(llm: Dynaspark, script: Says, way: str) -> None:
    script.lines += ['{"Volume": 3}', '{"volume": 3}']
    assert (await predict(llm, way, output_cls=Options))[-1] == Options(volume=3)
    assert len(script.asked) == 2


async def test_classes_nested_too_deep_are_an_error_before_anything_is_sent(llm: Dynaspark, script: Says) -> None:
    output_cls: type[BaseModel] = Song
    for level in range(800):
        output_cls = create_model(f"Level{level}", inner=(output_cls, ...))
    with pytest.raises(ConfigError, match="Level799 is nested too deep"):
        await predict(llm, "structured_predict", output_cls=output_cls)
    assert not script.asked


@pytest.mark.parametrize("way", WAYS[:2])
async def test_a_whole_prediction_makes_no_class_of_partial_objects(llm: Dynaspark, script: Says, way: str) -> None:
    with pytest.warns(UserWarning, match='"copy" in "Paper" shadows'):
        paper = create_model("Paper", copy=(int, ...))
    script.lines.append('{"copy": 3}')
    assert await predict(llm, way, output_cls=paper) == [paper(copy=3)]  # of `FlexiblePaper` pydantic would warn again


@pytest.mark.parametrize("way", WAYS)
async def test_a_prompt_that_is_no_template_is_named(llm: Dynaspark, way: str) -> None:
    with pytest.raises(ConfigError, match="the prompt is of type str; give a PromptTemplate"):
        await predict(llm, way, "An album.")


@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_in_prose_is_quoted(llm: Dynaspark, script: Says, way: str) -> None:
    script.lines += ["I know none."] * 2
    with pytest.raises(OutputError, match=r"holds no JSON; the model wrote: 'I know none\.'"):
        await predict(llm, way, output_cls=Options)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("is_function_calling_model", [True, False])
async def test_what_is_asked(script: Says, way: str, is_function_calling_model: bool) -> None:
    """The schema is JSON as it is, the system prompt stands once, the caller's template is left alone."""
    template = PromptTemplate(TEMPLATE)
    script.lines.append(RIGHT)
    with LocalService(script) as service:
        llm = Dynaspark(
            base_url=service.url, system_prompt="Be {brief}.", is_function_calling_model=is_function_calling_model
        )
        await predict(llm, way, template)
    prompt = script.asked[0].prompt
    assert prompt.startswith('<turn role="system">Be {brief}.</turn>\n<turn role="user">An album about air.</turn>')
    assert prompt.count("Be {brief}.") == 1
    schema = next(json.loads(line) for line in prompt.splitlines() if line.startswith('{"'))
    assert set(schema["properties"]) == {"name", "kind", "songs"}
    assert "{{" not in prompt
    assert template.output_parser is None
    assert template.template == TEMPLATE


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("first", "objection"),
    [
        (WITHOUT_KIND, "kind: is required but missing"),
        (LOWER, "name: Value error, must begin with a capital"),
        ("I do not know.", "holds no JSON"),
        (RIGHT[:-9], "ends within"),
    ],
)
async def test_a_wrong_object_is_asked_for_once_more(
    llm: Dynaspark, script: Says, way: str, first: str, objection: str
) -> None:
    script.lines.extend([first, RIGHT])
    assert (await predict(llm, way))[-1] == ALBUM
    assert objection in script.asked[1].prompt
    assert first[:30] in script.asked[1].prompt


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("wrong", "named"), [(WITHOUT_KIND, "kind"), (LOWER, "name: Value error, must begin"), ("No.", "wrote: 'No.'")]
)
async def test_then_it_is_an_error_that_names_the_field(
    llm: Dynaspark, script: Says, way: str, wrong: str, named: str
) -> None:
    script.lines.extend([wrong, wrong])
    with pytest.raises(OutputError, match=named) as caught:
        await predict(llm, way)
    assert caught.value.text == wrong
    assert len(script.asked) == 2


@pytest.mark.parametrize("wrong", [WITHOUT_KIND, "No.", "", "x" * 9_000], ids=["wrong", "prose", "empty", "long"])
async def test_it_is_asked_for_again_as_by_the_client(script: Says, wrong: str) -> None:
    script.lines.extend([wrong, "Hm.", RIGHT] * 2)
    with LocalService(script) as service:
        Dynaspark(base_url=service.url, max_repairs=2).structured_predict(Album, PromptTemplate("x"))
        chat = Chat((Message("user", ("x",)),), response_schema=Album.model_json_schema())
        await DynasparkClient(base_url=service.url, max_repairs=2).value(chat)
    asked = [each.prompt for each in script.asked]
    assert asked[:3] == asked[3:]


async def test_repairs_can_be_switched_off(script: Says) -> None:
    script.lines.append(WITHOUT_KIND)
    with LocalService(script) as service, pytest.raises(OutputError, match="kind"):
        Dynaspark(base_url=service.url, max_repairs=0).structured_predict(Album, PromptTemplate("x"))


@pytest.mark.parametrize("way", WAYS[2:])
async def test_a_stream_shows_what_there_is_and_ends_with_the_object(llm: Dynaspark, script: Says, way: str) -> None:
    script.lines.append(Pieces(RIGHT[:16], RIGHT[16:50], RIGHT[50:], "\n", "\n"))
    objects = await predict(llm, way)
    assert objects[-1] == ALBUM
    assert isinstance(objects[-1], Album)
    assert [each.name for each in objects] == ["Air"] * len(objects)
    assert len(objects) == len({each.model_dump_json(exclude_none=True) for each in objects[:-1]}) + 1 > 1


@pytest.mark.parametrize("way", WAYS)
async def test_messages_as_a_prompt_and_options_of_the_call(llm: Dynaspark, script: Says, way: str) -> None:
    script.lines.append(RIGHT + " END of it")
    prompt = ChatPromptTemplate([ChatMessage("Short.", role=MessageRole.SYSTEM), ChatMessage("On {topic}: {x}")])
    options = {"llm_kwargs": {"stop": ["END"], "tool_choice": "auto", "model": "gemini-2.0-flash"}}
    assert (await predict(llm, way, prompt, **options))[-1] == ALBUM
    assert script.asked[0].model == "gemini-2.0-flash"
    assert '<turn role="user">On air: {x}</turn>' in script.asked[0].prompt


@pytest.mark.filterwarnings("ignore:The `json` method is deprecated")  # StructuredLLM calls it on what it streams
async def test_as_structured_llm_in_all_its_ways(llm: Dynaspark, script: Says) -> None:
    script.lines.extend([RIGHT] * 6)
    structured = llm.as_structured_llm(Album)
    assert isinstance(structured, StructuredLLM)
    messages = [ChatMessage("An album.")]
    for response in (
        structured.chat(messages),
        await structured.achat(messages),
        list(structured.stream_chat(messages))[-1],
        [each async for each in await structured.astream_chat(messages)][-1],
        structured.complete("An album."),
        await structured.acomplete("An album."),
    ):
        assert response.raw == ALBUM


@pytest.mark.parametrize("mode", [PydanticProgramMode.FUNCTION, PydanticProgramMode.LLM])
async def test_another_program_mode_goes_through_llama_index(script: Says, mode: PydanticProgramMode) -> None:
    call = f'<tool_call>\n{{"name": "Album", "arguments": {RIGHT}}}\n</tool_call>'
    is_function = mode == PydanticProgramMode.FUNCTION
    script.lines.extend([call if is_function else RIGHT] * 4)
    with LocalService(script) as service:
        llm = Dynaspark(base_url=service.url, pydantic_program_mode=mode)
        for way in WAYS if is_function or HAS_TEXT_STREAMS else WAYS[:2]:
            assert (await predict(llm, way))[-1] == ALBUM
    assert ("<tool_call>" in script.asked[0].prompt) is is_function


@pytest.mark.parametrize("way", WAYS[:2])
async def test_two_calls_of_its_program_that_contradict_each_other_are_an_error(script: Says, way: str) -> None:
    calls = [f'{{"name": "Song", "arguments": {{"title": "{title}"}}}}' for title in "ab"]
    script.lines.extend(["\n".join(f"<tool_call>{call}</tool_call>" for call in calls)] * 2)
    with LocalService(script) as service:
        llm = Dynaspark(base_url=service.url, pydantic_program_mode=PydanticProgramMode.FUNCTION)
        with pytest.raises(ToolCallError, match="different arguments"):
            await predict(llm, way, output_cls=Song)
    assert not script.lines


async def test_the_system_prompt_is_not_lost_in_llama_indexs_own_asynchronous_program(script: Says) -> None:
    script.lines.append(f'<tool_call>\n{{"name": "Album", "arguments": {RIGHT}}}\n</tool_call>')
    with LocalService(script) as service:
        llm = Dynaspark(
            base_url=service.url, pydantic_program_mode=PydanticProgramMode.FUNCTION, system_prompt="You know music."
        )
        await predict(llm, "astructured_predict")
    assert script.asked[0].prompt.count("You know music.") == 1


class Recorder(BaseEventHandler):
    """Every event, in order."""

    events: list[Any] = []  # noqa: RUF012  # pydantic copies it

    @classmethod
    def class_name(cls) -> str:
        return "Recorder"

    def handle(self, event: Any, **_: Any) -> None:
        self.events.append(event)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    root, recorder = get_dispatcher(), Recorder()
    root.add_event_handler(recorder)
    yield recorder
    root.event_handlers.remove(recorder)


@pytest.mark.parametrize("way", WAYS)
async def test_its_events_and_those_of_the_one_call_behind_it(
    llm: Dynaspark, script: Says, way: str, recorder: Recorder
) -> None:
    script.lines.append(RIGHT)
    await predict(llm, way)
    names = [type(event).__name__ for event in recorder.events]
    ends = ["LLMStructuredPredictStartEvent", "LLMStructuredPredictEndEvent", "LLMChatStartEvent", "LLMChatEndEvent"]
    assert [names.count(name) for name in ends] == [1, 1, 1, 1]
    assert ("LLMStructuredPredictInProgressEvent" in names) is ("stream" in way)
    assert names[-1] == "LLMStructuredPredictEndEvent"
    for event in recorder.events:
        if type(event).__name__.startswith("LLMChat"):
            json.dumps(event.model_dump(mode="json"))


class Person(BaseModel):
    name: str
    age: int


BO, AL = '{"name": "Bo", "age": 3}', '{"name": "Al", "age": 4}'
FENCED = f"```json\n{BO}\n```"
NEIGHBOURS = [
    f"{FENCED}\nA year later it would be {AL}.",
    f"Here you are:\n{FENCED}\nA year later it would be {AL}.",
    f"{BO}\nA year later it would be {AL}.",
    f"{FENCED}\nUnlike {AL}, she is real.",
    f"Not {AL}.\n{FENCED}",
    f"{BO}\n{BO}",
    f"{AL}\nNo, that is wrong. Correct is:\n{BO}",
    f"```json\n{AL}\n```\nSorry, it should have been:\n{FENCED}",
    f"Her data are {BO}, as far as I know.",
]
EQUAL = [
    f"{AL}\n{BO}",
    f"{AL}\nand\n{BO}",
    f"```json\n{AL}\n```\nAlso:\n{FENCED}",
    f"I cannot tell. A person would look like {BO}.",
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("written", NEIGHBOURS)
async def test_a_value_in_passing_gives_way_to_the_answer(llm: Dynaspark, script: Says, way: str, written: str) -> None:
    script.lines.append(Pieces(*(written[at : at + 7] for at in range(0, len(written), 7))))
    assert (await predict(llm, way, output_cls=Person))[-1] == Person(name="Bo", age=3)
    assert len(script.asked) == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("written", EQUAL)
async def test_values_of_equal_standing_are_asked_for_again(
    llm: Dynaspark, script: Says, way: str, written: str
) -> None:
    script.lines += [written, '{"name": "Ada", "age": 36}', written, written]
    assert (await predict(llm, way, output_cls=Person))[-1] == Person(name="Ada", age=36)
    with pytest.raises(OutputError):
        await predict(llm, way, output_cls=Person)
    assert len(script.asked) == 4


@pytest.mark.parametrize("way", WAYS[:2])  # LlamaIndex's own program requires no call of a stream
@pytest.mark.parametrize("written", NEIGHBOURS)
async def test_a_program_that_calls_functions_reads_a_value_in_the_text(way: str, script: Says, written: str) -> None:
    script.lines.append(written)
    with LocalService(script) as service:
        llm = Dynaspark(base_url=service.url, pydantic_program_mode=PydanticProgramMode.FUNCTION)
        assert (await predict(llm, way, output_cls=Person))[-1] == Person(name="Bo", age=3)
    assert len(script.asked) == 1
