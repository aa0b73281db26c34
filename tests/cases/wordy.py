"""Control tokens that are read by what their words say, and other forms of vendors that have no row of their own."""

# ruff: noqa: RUF001 - DeepSeek's joints are what is read here

from cases.replies import ADD, OBJECT, OSLO, ROME, SECOND, TIME, Case, bad, none, one

A = '{"city": "Oslo"}'
PARAMETERS = f'{{"name": "get_weather", "parameters": {A}}}'
KIMI = (
    '<|open|>call tool="get_weather" index="1"<|sep|><|open|>argument key="city" type="string"<|sep|>Oslo'
    "<|close|>argument<|sep|><|close|>call<|sep|>"
)
KIMI_VALUE = KIMI[KIMI.index("<|open|>argument") : KIMI.index("<|close|>call")]
SOLAR = f"<|tool_call:begin|>c1<|tool_call:name|>get_weather<|tool_call:args|>{A}<|tool_call:end|>"
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
    "Gemma 4": '<|tool_call>call:get_weather{city:<|"|>Oslo<|"|>}<tool_call|>',
    "Gemma 4, invented result": '<|tool_call>call:get_weather{city:<|"|>Oslo<|"|>}<tool_call|><|tool_response>sun',
    "FunctionGemma": "<start_function_call>call:get_weather{city:<escape>Oslo<escape>}<end_function_call>",
    "FunctionGemma, invented result": "<start_function_call>call:get_weather{city:<escape>Oslo<escape>}"
    "<end_function_call><start_function_response>response:get_weather{sky:<escape>sun<escape>}",
    "Kimi K3": f"<|open|>tools<|sep|>{KIMI}<|close|>tools<|sep|>",
    "Kimi K3, end of message": f"<|open|>tools<|sep|>{KIMI}<|close|>tools<|sep|><|close|>message<|sep|>",
    "Solar": f"<|tool_calls|>{SOLAR}<|calls|>",
    "Solar alone": SOLAR,
    "Hunyuan": f"<tool_calls>\n<tool_call>get_weather\n```json\n{A}\n```\n</tool_call>\n</tool_calls>",
    "name, fence in a tag": f"<tool_call>get_weather\n```\n{A}\n```</tool_call>",
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
    "Gemma 4": '<|tool_call>call:get_weather{city:<|"|>Os',
    "Gemma 4, text ended": '<|tool_call>call:get_weather{city:<|"|>Oslo<|"|>',
    "FunctionGemma": "<start_function_call>call:get_weather{city:<escape>Os",
    "FunctionGemma opener": "<start_function_call>call:get_weather",
    "Kimi K3": KIMI[:-50],
    "Kimi K3, values ended": KIMI.removesuffix("<|close|>call<|sep|>"),
    "Solar": f"<|tool_calls|>{SOLAR[:-30]}",
    "Hunyuan": f"<tool_calls>\n<tool_call>get_weather\n```json\n{A[:-4]}",
    "Hunyuan, fence": "<tool_call>get_weather\n```",
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
    "<start_function_call> begins a call of FunctionGemma, <end_function_call> ends it.",
    "Kimi's tokens are <|open|>tools<|sep|> and <|close|>tools<|sep|> around the calls.",
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
    one("FunctionGemma, a line of its own", '<start_function_call>\ncall:get_weather{city:<escape>Oslo<escape>}\n'
        "<end_function_call>"),
    one("FunctionGemma, JSON", f"<start_function_call>{OBJECT}<end_function_call>"),
    Case("Gemma 4, values of other types", '<|tool_call>call:add{a:1,b:2}<tool_call|>', (ADD,)),
    Case("Gemma 4, no values", "<|tool_call>call:get_time{}<tool_call|>", (TIME,)),
    one("Kimi K3 without a list", KIMI),
    one("Kimi K3, a value without a type", KIMI.replace(' type="string"', "")),
    Case("Kimi K3, no values", '<|open|>call tool="get_time" index="1"<|sep|><|close|>call<|sep|>', (TIME,)),
    *(
        none(f"Kimi K3 in a list, shown {index}", text.format(f"<|open|>tools<|sep|>{KIMI}<|close|>tools<|sep|>"))
        for index, text in enumerate(("For example:\n{}\nSo.", "Never write {} please.", "- Wrong: {}\n- Right: none"))
    ),
    Case("Kimi K3, two", KIMI + KIMI.replace("Oslo", "Rome") + "<|close|>tools<|sep|>", (OSLO, ROME)),
    bad("Kimi K3, a value given twice", KIMI.replace("<|close|>call", f"{KIMI_VALUE}<|close|>call")),
    bad("Kimi K3, more than the value", KIMI.replace("string", "number").replace("Oslo", "1 2")),
    bad("Gemma 4, a text goes on", '<|tool_call>call:get_weather{city:<|"|>Os<|"|>lo<|"|>}<tool_call|>'),
    bad("LongCat, pairs", "<longcat_tool_call>get_weather\n<longcat_arg_key>city</longcat_arg_key>\n"
        "<longcat_arg_value>Oslo</longcat_arg_value>\n</longcat_tool_call>"),
    bad("GigaChat", f"get_weather<|message_sep|>{A}", "missing_name", text="get_weather"),
    *(bad(f"{name}, cut", text, "truncated") for name, text in CUT.items()),
    *(none(text, text) for text in PROSE),
]  # fmt: skip
