"""Control tokens that are read by what their words say, and other forms of vendors that have no row of their own."""

# ruff: noqa: RUF001 - DeepSeek's joints are what is read here

from cases.replies import OBJECT, OSLO, ROME, SECOND, Case, bad, none, one

A = '{"city": "Oslo"}'
PARAMETERS = f'{{"name": "get_weather", "parameters": {A}}}'
ONE = {
    "LFM2": '<|tool_call_start|>[get_weather(city="Oslo")]<|tool_call_end|>',
    "LFM2, end of turn": '<|tool_call_start|>[get_weather(city="Oslo")]<|tool_call_end|><|im_end|>',
    "Doubao": f"<|FunctionCallBegin|>[{PARAMETERS}]<|FunctionCallEnd|>",
    "InternLM2": f"<|action_start|><|plugin|>\n{PARAMETERS}<|action_end|>",
    "InternLM2 without a plugin": f"<|action_start|>{PARAMETERS}<|action_end|>",
    "Apertus": f'<|tools_prefix|>[{{"get_weather": {A}}}]<|tools_suffix|>',
    "other words": f"<|begin_function|>{OBJECT}<|end_function|>",
    "full-width bars": f"<｜tool▁use▁begin｜>{OBJECT}<｜tool▁use▁end｜>",
    "name, object": f"<|plugin_call|>get_weather\n{A}<|plugin_end|>",
    "LM Studio": f"[TOOL_REQUEST]{OBJECT}[END_TOOL_REQUEST]",
    "LM Studio over lines": f"[TOOL_REQUEST]\n{OBJECT}\n[END_TOOL_REQUEST]",
    "bracketed": f"[TOOL_CALL]{OBJECT}[/TOOL_CALL]",
    "Yandex": f"[TOOL_CALL_START]get_weather\n{A}[TOOL_CALL_END]",
    "bracketed Python": '[FUNCTION_CALL]get_weather(city="Oslo")[/FUNCTION_CALL]',
    "LongCat": f"<longcat_tool_call>\n{OBJECT}\n</longcat_tool_call>",
    "Qwen-Agent": f"✿FUNCTION✿: get_weather\n✿ARGS✿: {A}",
    "Qwen-Agent, invented result": f"✿FUNCTION✿: get_weather\n✿ARGS✿: {A}\n✿RESULT✿: sunny\n✿RETURN✿: It is sunny.",
    "tool_use": f"<tool_use>\n<name>get_weather</name>\n<arguments>{A}</arguments>\n</tool_use>",
    "use_mcp_tool": "<use_mcp_tool>\n<server_name>w</server_name>\n<tool_name>get_weather</tool_name>\n"
    f"<arguments>\n{A}\n</arguments>\n</use_mcp_tool>",
}
COMMAND_R = (
    f'Action: ```json\n[\n    {{\n        "tool_name": "get_weather",\n        "parameters": {A}\n    }}\n]\n```'
)
CUT = {
    "LFM2": '<|tool_call_start|>[get_weather(city="Os',
    "LFM2 list": '<|tool_call_start|>[get_weather(city="Oslo")',
    "LFM2 opener": "<|tool_call_start|>",
    "Doubao": f"<|FunctionCallBegin|>[{PARAMETERS}",
    "InternLM2": f"<|action_start|><|plugin|>\n{PARAMETERS[:-1]}",
    "InternLM2 opener": "<|action_start|><|plugin|>",
    "Apertus": f'<|tools_prefix|>[{{"get_weather": {A[:-4]}',
    "LM Studio": f"[TOOL_REQUEST]{OBJECT[:-3]}",
    "LM Studio opener": "[TOOL_REQUEST]\n",
    "LongCat": f"<longcat_tool_call>{OBJECT[:-3]}",
    "Qwen-Agent": f"✿FUNCTION✿: get_weather\n✿ARGS✿: {A[:-4]}",
    "tool_use": f"<tool_use>\n<name>get_weather</name>\n<arguments>{A[:-4]}",
}
PROSE = (
    "<|tool_call_start|> is the token with which a call begins, <|tool_call_end|> ends it.",
    "A call begins with <|tool_call_start|>",
    "The token <|action_start|> (an opener) and [TOOL_REQUEST] (another one) begin calls.",
    "[TOOL_REQUEST] and [END_TOOL_REQUEST] are the marks of LM Studio.",
    "[ACTION] {required} sign the form",
    "Use ✿FUNCTION✿ for the name, ✿ARGS✿ for the rest.",
    "[FUNCTION_CALL] parse(x) at line 3\n[FUNCTION_CALL] main() at line 9",
    "✿ Spring ✿",
    "<use_mcp_tool> calls a tool of a server, and <tool_use> does it elsewhere.",
    "<|transaction|>{1}",
    "Action: ```json``` is a fence",
)
QUOTES = (
    "It writes `{}` then.",
    "Never write “{}”, please.",
    "Is «{}» a call?",
    "> {}",
    "```text\n{}\n```\nThat is it.",
)


def of(name: str, text: str) -> list[Case]:
    """One call whole, behind text, quoted in every way, and copied from a result."""
    quoted = [quote for quote in QUOTES if "\n" not in text or "\n" in quote]
    return [
        one(name, text),
        one(f"{name}, behind a line", f"Let me look.\n{text}", "Let me look."),
        one(f"{name}, behind a sentence", f"Let me look. {text}", "Let me look."),
        one(f"{name}, before text", f"{text}\nLet me look."),
        *(none(f"{name}, {quote}", quote.format(text)) for quote in quoted),
        bad(f"{name}, copied", text, "copied_from_untrusted", untrusted=f"Page: {text}"),
    ]


CASES = [
    *(case for name, text in ONE.items() for case in of(name, text)),
    one("Command-R", COMMAND_R),
    one("Command-R behind a plan", f"Plan: I look.\n{COMMAND_R}", "Plan: I look."),
    none("Command-R, an answer", COMMAND_R.replace("get_weather", "directly_answer")),
    Case("LFM2, two", '<|tool_call_start|>[get_weather(city="Oslo"), get_weather(city="Rome")]<|tool_call_end|>',
         (OSLO, ROME)),
    Case("LM Studio, two", f"[TOOL_REQUEST]{OBJECT}[END_TOOL_REQUEST]\n[TOOL_REQUEST]{SECOND}[END_TOOL_REQUEST]",
         (OSLO, ROME)),
    bad("LFM2, unknown", "<|tool_call_start|>[fly(to='Rome')]<|tool_call_end|>", "unknown_tool"),
    bad("LFM2, broken", "<|tool_call_start|>[get_weather(city=Oslo + 1)]<|tool_call_end|>"),
    bad("LongCat, pairs", "<longcat_tool_call>get_weather\n<longcat_arg_key>city</longcat_arg_key>\n"
        "<longcat_arg_value>Oslo</longcat_arg_value>\n</longcat_tool_call>"),
    bad("GigaChat", f"get_weather<|message_sep|>{A}", "missing_name", text="get_weather"),
    *(bad(f"{name}, cut", text, "truncated") for name, text in CUT.items()),
    *(none(text, text) for text in PROSE),
]  # fmt: skip
