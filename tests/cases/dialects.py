"""Every dialect in which models write calls, as a writer: calls → the reply that such a model would give.

`verdict` says what became of the calls.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from cases import writers as w
from cases.writers import Call, deepseek_token
from dynaspark_core.messages import Reply, Tool

Verdict = Literal["right", "reported", "lost", "wrong"]
Notation = Literal["json", "python", "text"]

RECORD = Tool(
    "record_values",
    "Takes one value of each type",
    {
        "type": "object",
        "properties": {
            "text": {"type": "string"},
            "count": {"type": "integer"},
            "share": {"type": "number"},
            "is_final": {"type": "boolean"},
            "items": {"type": "array"},
            "fields": {"type": "object"},
            "note": {"type": ["string", "null"]},
        },
    },
)
ANY = Tool("take_any", "Takes anything", {"type": "object", "additionalProperties": True})
TOOLS = (RECORD, ANY)


@dataclass(frozen=True, slots=True)
class Dialect:
    """A way to write calls; `notation` is how it writes their values.

    `is_soft`: answers look like this too, so that it is a call only at the end of a reply. `is_single`: a reply holds
    one call.
    """

    name: str
    write: Callable[[Sequence[Call]], str]
    notation: Notation = "json"
    is_soft: bool = False
    is_single: bool = False

    def __str__(self) -> str:
        return self.name


def each(opener: str, form: Callable[[Call], str], closer: str, join: str = "\n") -> Callable[[Sequence[Call]], str]:
    """A block for each call."""
    return lambda calls: join.join(f"{opener}{form(call)}{closer}" for call in calls)


def all_in(opener: str, form: Callable[[Call], str], join: str, closer: str) -> Callable[[Sequence[Call]], str]:
    """One block for all calls."""
    return lambda calls: f"{opener}{join.join(map(form, calls))}{closer}"


MESSAGE = '{"role": "assistant", "content": null, "tool_calls": ['
JSON = (
    Dialect("hermes tag", each("<tool_call>\n", w.named, "\n</tool_call>")),
    Dialect("array in a tag", all_in("<tool_call>\n[", w.named, ", ", "]\n</tool_call>")),
    Dialect(
        "name attribute", each("", lambda call: f'<tool_call name="{call[0]}">{w.as_json(call[1])}', "</tool_call>")
    ),
    Dialect(
        "name before the object", each("<tool_call>", lambda call: f"{call[0]}\n{w.as_json(call[1])}", "</tool_call>")
    ),
    Dialect("tool_use in a tag", each("<tool_call>", w.anthropic, "</tool_call>")),
    Dialect("tool_call fence", each("```tool_call\n", w.named, "\n```")),
    Dialect("json fence", each("```json\n", w.named, "\n```"), is_soft=True),
    Dialect("bare object", each("", w.with_parameters, ""), is_soft=True),
    Dialect("bare array", all_in("[", w.named, ",\n ", "]"), is_soft=True),
    Dialect("OpenAI message", all_in(MESSAGE, w.openai, ", ", "]}"), is_soft=True),
    Dialect("functionCall", each("", w.gemini, ""), is_soft=True, is_single=True),
    Dialect("ReAct", each("", w.react, ""), is_single=True, is_soft=True),
    Dialect(
        "function= with an object", each("", lambda call: f"<function={call[0]}>{w.as_json(call[1])}", "</function>")
    ),
)
PYTHON = (
    Dialect("tool_code fence", each("```tool_code\nprint(default_api.", w.python, ")\n```"), "python"),
    Dialect("list in a tag", all_in("<tool_call>[", w.python, ", ", "]</tool_call>"), "python"),
    Dialect("pythonic list", all_in("[", w.python, ", ", "]"), "python", is_soft=True),
)
XML = (
    Dialect("function= with parameters", each("", w.qwen, ""), "text"),
    Dialect("invoke with parameters", all_in("<function_calls>\n", w.invoke, "\n", "\n</function_calls>"), "text"),
    Dialect("arg_key pairs", each("", w.glm, ""), "text"),
)
VENDORS = (
    Dialect("[TOOL_CALLS] array", all_in("[TOOL_CALLS] [", w.named, ", ", "]")),
    Dialect(
        "[TOOL_CALLS] with [ARGS]", each("[TOOL_CALLS]", lambda call: f"{call[0]}[ARGS]{w.as_json(call[1])}", "", "")
    ),
    Dialect("python_tag", all_in("<|python_tag|>", w.with_parameters, "; ", "<|eom_id|>")),
    Dialect("functools", all_in("functools[", w.named, ", ", "]")),
    Dialect(
        "DeepSeek V3",
        all_in(deepseek_token("tool calls begin"), w.deepseek, "\n", deepseek_token("tool calls end")),
    ),
    Dialect(
        "DeepSeek V3.1",
        all_in(deepseek_token("tool calls begin"), w.deepseek_31, "", deepseek_token("tool calls end")),
    ),
    Dialect("Kimi", all_in("<|tool_calls_section_begin|>", w.kimi, "", "<|tool_calls_section_end|>")),
    Dialect("harmony channel", each("", w.harmony, ""), is_single=True),
    Dialect("START_ACTION", all_in("<|START_ACTION|>[\n    ", w.cohere, ",\n    ", "\n]<|END_ACTION|>")),
    Dialect("MiniMax", all_in("<minimax:tool_call>\n", w.invoke, "\n", "\n</minimax:tool_call>"), "text"),
    Dialect(
        "namespaced function_calls",
        all_in("<ns:function_calls>\n", lambda call: w.invoke(call, "ns:"), "\n", "\n</ns:function_calls>"),
        "text",
    ),
    Dialect("invoke with tool_name", all_in("<function_calls>\n", w.tool_name, "\n", "\n</function_calls>"), "text"),
    Dialect("function= without a closer", each("", lambda call: f"<function={call[0]}>{w.as_json(call[1])}", "")),
    Dialect("LFM2", all_in("<|tool_call_start|>[", w.python, ", ", "]<|tool_call_end|>"), "python"),
    Dialect("Doubao", all_in("<|FunctionCallBegin|>[", w.with_parameters, ", ", "]<|FunctionCallEnd|>")),
    Dialect("InternLM2", each("<|action_start|><|plugin|>\n", w.with_parameters, "<|action_end|>"), is_single=True),
    Dialect(
        "Apertus", all_in("<|tools_prefix|>[", lambda call: w.as_json({call[0]: call[1]}), ", ", "]<|tools_suffix|>")
    ),
    Dialect("LM Studio", each("[TOOL_REQUEST]", w.named, "[END_TOOL_REQUEST]")),
    Dialect("Qwen-Agent", each("", w.qwen_agent, "")),
    Dialect("tool_use elements", each("", w.tool_use, "")),
    Dialect("Gemma 4", each("<|tool_call>", w.gemma, "<tool_call|>", "")),
    Dialect(
        "FunctionGemma",
        each("<start_function_call>", lambda call: w.gemma(call, "<escape>"), "<end_function_call>", ""),
    ),
    Dialect("Kimi K3", all_in("<|open|>tools<|sep|>", w.kimi_k3, "", "<|close|>tools<|sep|>")),
    Dialect("Solar", all_in("<|tool_calls|>", w.solar, "", "<|calls|>")),
    Dialect("Hunyuan", all_in("<tool_calls>\n", w.hunyuan, "\n", "\n</tool_calls>")),
    Dialect("objects joined by ;", all_in("", w.with_parameters, "; ", ""), is_soft=True),
)
DIALECTS = (*JSON, *PYTHON, *XML, *VENDORS)


def verdict(written: Sequence[Call], reply: Reply) -> Verdict:
    """What became of the calls: all right; some reported and none wrong; lost without a word; or one is wrong."""
    left = [_compared(call) for call in written]
    for made in reply.tool_calls:
        call = _compared((made.name, made.arguments))
        if call not in left:
            return "wrong"
        del left[: left.index(call) + 1]
    if len(reply.tool_calls) == len(written) and not reply.invalid_tool_calls:
        return "right"
    return "reported" if reply.invalid_tool_calls else "lost"


def _compared(call: Call) -> str:
    """As JSON, which tells 1 from true and from 1.0, as `==` does not."""
    return json.dumps(call, sort_keys=True)
