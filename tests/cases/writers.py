"""How models write one call, as text: JSON, Python, XML, and the control tokens of each vendor.

The forms are those of the vendors' chat templates and model cards; `dialects` puts them together to whole replies.
"""

import html
import json
from collections.abc import Mapping
from typing import Any

Call = tuple[str, dict[str, Any]]
"""A tool's name and the arguments."""


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


# ---- JSON


def named(call: Call) -> str:
    """The object that Hermes, Qwen, Mistral and Phi write."""
    return as_json({"name": call[0], "arguments": call[1]})


def with_parameters(call: Call) -> str:
    """The object that Llama 3.1 and Gemma write."""
    return as_json({"name": call[0], "parameters": call[1]})


def anthropic(call: Call) -> str:
    """A `tool_use` block of Anthropic's API."""
    return as_json({"type": "tool_use", "id": "toolu_01", "name": call[0], "input": call[1]})


def gemini(call: Call) -> str:
    """A `functionCall` part of Gemini's API."""
    return as_json({"functionCall": {"name": call[0], "args": call[1]}})


def openai(call: Call) -> str:
    """One of the `tool_calls` of OpenAI's API: the arguments are JSON text."""
    return as_json({"id": "call_1", "type": "function", "function": {"name": call[0], "arguments": as_json(call[1])}})


def cohere(call: Call) -> str:
    """One action of Command R7B."""
    return as_json({"tool_call_id": "0", "tool_name": call[0], "parameters": call[1]})


def react(call: Call) -> str:
    return f"Action: {call[0]}\nAction Input: {as_json(call[1])}"


def fenced(language: str, body: str) -> str:
    return f"```{language}\n{body}\n```"


# ---- Python


def python(call: Call) -> str:
    """A call with keyword arguments, as Gemma and Llama 4 write it."""
    return f"{call[0]}({', '.join(f'{key}={value!r}' for key, value in call[1].items())})"


# ---- XML: a text is raw, everything else is JSON


def tags(arguments: Mapping[str, Any], opener: str, closer: str, pad: str = "") -> str:
    """A pair of tags for each argument; `{}` in them is the argument's name."""
    return "\n".join(
        f"{opener.format(key)}{pad}{_raw(value)}{pad}{closer.format(key)}" for key, value in arguments.items()
    )


def qwen(call: Call) -> str:
    """Qwen3-Coder: each value has lines of its own."""
    inner = tags(call[1], "<parameter={}>", "</parameter>", "\n")
    return f"<tool_call>\n<function={call[0]}>\n{inner}\n</function>\n</tool_call>"


def invoke(call: Call, prefix: str = "") -> str:
    """Claude and MiniMax; `prefix` is an XML namespace with its colon."""
    inner = tags(call[1], f'<{prefix}parameter name="{{}}">', f"</{prefix}parameter>")
    return f'<{prefix}invoke name="{call[0]}">\n{inner}\n</{prefix}invoke>'


def glm(call: Call) -> str:
    """GLM-4.5."""
    pairs = tags(call[1], "<arg_key>{}</arg_key>\n<arg_value>", "</arg_value>")
    return f"<tool_call>{call[0]}\n{pairs}\n</tool_call>"


def tool_name(call: Call) -> str:
    """Claude 2 and 3, before its models had tools of their own: a tag named like the argument."""
    inner = tags(call[1], "<{}>", "</{}>")
    return f"<invoke>\n<tool_name>{call[0]}</tool_name>\n<parameters>\n{inner}\n</parameters>\n</invoke>"


# ---- control tokens


def deepseek_token(words: str) -> str:
    """The bars are U+FF5C and the joints U+2581."""
    return f"<\uff5c{words.replace(' ', chr(0x2581))}\uff5c>"


def deepseek(call: Call) -> str:
    """DeepSeek V3 and R1: a type, the name, a fence."""
    head = f"{deepseek_token('tool call begin')}function{deepseek_token('tool sep')}{call[0]}"
    return f"{head}\n{fenced('json', as_json(call[1]))}{deepseek_token('tool call end')}"


def deepseek_31(call: Call) -> str:
    """DeepSeek V3.1: neither type nor fence."""
    head = f"{deepseek_token('tool call begin')}{call[0]}{deepseek_token('tool sep')}"
    return f"{head}{as_json(call[1])}{deepseek_token('tool call end')}"


def kimi(call: Call) -> str:
    """Kimi K2."""
    return f"<|tool_call_begin|>functions.{call[0]}:0<|tool_call_argument_begin|>{as_json(call[1])}<|tool_call_end|>"


def harmony(call: Call) -> str:
    """The commentary channel of gpt-oss."""
    return f"<|channel|>commentary to=functions.{call[0]} <|constrain|>json<|message|>{as_json(call[1])}<|call|>"


def gemma(call: Call, mark: str = '<|"|>') -> str:
    """Gemma 4, and FunctionGemma with another mark: a text is raw between two marks, a key is a bare word."""
    return f"call:{call[0]}{_gemma_value(call[1], mark)}"


def _gemma_value(value: Any, mark: str) -> str:
    if isinstance(value, str):
        return f"{mark}{value}{mark}"
    if isinstance(value, list):
        return f"[{','.join(_gemma_value(each, mark) for each in value)}]"
    if isinstance(value, dict):
        keys = {key: key if key.isidentifier() else f"{mark}{key}{mark}" for key in value}
        return f"{{{','.join(f'{keys[key]}:{_gemma_value(each, mark)}' for key, each in value.items())}}}"
    return as_json(value)


def kimi_k3(call: Call) -> str:
    """Kimi K3: each argument with its type."""
    inner = "".join(
        _xtml(f'argument key="{html.escape(key)}" type="{_kind(value)}"', "argument", _raw(value))
        for key, value in call[1].items()
    )
    return _xtml(f'call tool="{call[0]}" index="1"', "call", inner)


def _xtml(opener: str, closer: str, text: str) -> str:
    return f"<|open|>{opener}<|sep|>{text}<|close|>{closer}<|sep|>"


def _raw(value: Any) -> str:
    return value if isinstance(value, str) else as_json(value)


def _kind(value: Any) -> str:
    kinds = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return kinds.get(type(value), "null")


def solar(call: Call) -> str:
    """Solar Open."""
    return f"<|tool_call:begin|>c1<|tool_call:name|>{call[0]}<|tool_call:args|>{as_json(call[1])}<|tool_call:end|>"


def hunyuan(call: Call) -> str:
    """Hunyuan A13B: the name, then a fence."""
    return f"<tool_call>{call[0]}\n{fenced('json', as_json(call[1]))}\n</tool_call>"


def qwen_agent(call: Call) -> str:
    """Qwen-Agent's own template."""
    return f"✿FUNCTION✿: {call[0]}\n✿ARGS✿: {as_json(call[1])}"


def tool_use(call: Call) -> str:
    """Clients of MCP that prompt for elements."""
    return f"<tool_use>\n<name>{call[0]}</name>\n<arguments>{as_json(call[1])}</arguments>\n</tool_use>"
