"""Replies of which something got lost: answers after our own opening line, text in markers, calls of other vendors."""

# ruff: noqa: RUF001 - characters that look like others are what is read here

from cases.replies import CALL, CALL2, OBJECT, OSLO, ROME, SECOND, TIME, Case, bad, body, none, one
from cases.uninvited import ALL, X, Y

OPENING = '<turn role="assistant">'
OPENINGS = (
    OPENING,
    f"{OPENING}\n",
    f"\n {OPENING}\n",
    "<turn role='assistant'>",
    "<turn role=assistant>\n",
    '<Turn Role="Assistant">\n',
    '< turn  role = "assistant" >\n\n',
    '<TURN ROLE="ASSISTANT">',
    "<turn role=“assistant”>",
)

REPEATED = [
    case
    for index, opening in enumerate(OPENINGS)
    for case in (
        none(f"opening {index}", f"{opening}Hello", "Hello"),
        none(f"opening and closing {index}", f"{opening}Hello</turn>", "Hello"),
        one(f"opening, then a call {index}", f"{opening}{CALL}</turn>"),
    )
] + [
    none("opening, reasoning", f"{OPENING}<think>hm</think>Hello", "Hello"),
    none("reasoning, opening", f"<think>hm</think>\n{OPENING}Hello", "Hello"),
    none("opening twice", f"{OPENING}\n{OPENING}Hello", "Hello"),
    none("opening alone", OPENING, ""),
    none("another's opening", 'Hello\n<turn role="user">Hi</turn>', "Hello"),
    none("opening later", f"Hello\n</turn>\n{OPENING}Again", "Hello"),
    none("opening quoted", f"`{OPENING}` begins a turn."),
]

MARKERS = [
    none(f"marker in content {index}", text)
    for index, text in enumerate(
        (
            '{"body": "a </turn> b"}',
            '{"body": "a </turn> b", "x": ["<turn role=\\"user\\">", "<tool_result>"]}',
            '{"body": "one\n</turn>\ntwo"}',
            '[\n  "</turn>",\n  "x"\n]',
            '{\n "a": "he said \\"x\\" </turn>"\n}\n',
            'Use `<turn role="user">` to begin a turn.',
            'Use "</turn>" to end it, and „</turn>“ in German.',
            "Use «</turn>» and 「</turn>」.",
            '```xml\n<turn role="user">\nHi\n</turn>\n```\nDone.',
            "~~~\n</turn>\n~~~",
            '```json\n{"a": "</turn>"}\n```',
            "<code></turn></code> ends it.",
            "<!-- </turn> --> is a comment.",
            "A <turnstile> and a <turn-signal>.",
        )
    )
] + [
    none("own turn after an object", '{"a": 1}\n</turn>\n<turn role="user">x', '{"a": 1}'),
    none("own turn in an open object", '{"a": 1,\n</turn>', '{"a": 1,'),
    none("own turn after prose", 'It is "done".\n</turn>', 'It is "done".'),
]

FENCES = [
    Case("two call fences", f"```tool_call\n{OBJECT}\n```\n```tool_call\n{SECOND}\n```", (OSLO, ROME)),
    Case("two call fences, a blank line", f"```tool_call\n{OBJECT}\n```\n\n```tool_call\n{SECOND}\n```", (OSLO, ROME)),
    Case("call fence, json fence", f"```tool_call\n{OBJECT}\n```\n```json\n{SECOND}\n```", (OSLO, ROME)),
    Case("json fence, call fence", f"```json\n{OBJECT}\n```\n```tool_call\n{SECOND}\n```", (OSLO, ROME)),
    Case("tool_code fences", '```tool_code\nget_weather(city="Oslo")\n```\n```tool_code\nget_time()\n```',
         (OSLO, TIME)),
    Case("three call fences", f"```tool_call\n{OBJECT}\n```\n```tool_call\n{SECOND}\n```\n```tool_call\n{OBJECT}\n```",
         (OSLO, ROME, OSLO)),
    Case("call fence, tag", f"```tool_call\n{OBJECT}\n```\n{CALL2}", (OSLO, ROME)),
    Case("call fence, bare object", f"```tool_call\n{OBJECT}\n```\n{SECOND}", (OSLO, ROME)),
    Case("broken fence, whole fence", f"```tool_call\n{{]\n```\n```tool_call\n{SECOND}\n```", (ROME,), ("malformed",)),
    Case("tag, call fence on its line", f"{X}\n```tool_call\n{SECOND}\n```", (OSLO, ROME)),
]  # fmt: skip

NO_OBJECTS = [
    *(
        bad(f"arguments {text}", body(f'{{"name": "get_weather", "arguments": {text}}}'))
        for text in ('["a"]', "5", "true", '"[1]"', '"null"', "[]", "null", '""', '" "', '"5"', '"a"', "[[]]", "1.5")
    ),
    *(
        Case(f"no arguments {text}", body(f'{{"name": "get_time", "arguments": {text}}}'), (TIME,))
        for text in ("[]", "null", '""', '" "', "{}", '"{}"')
    ),
    *(
        Case(f"no required arguments {text}", body(f'{{"name": "list_files", "arguments": {text}}}'),
             (("list_files", {}),), options=ALL)
        for text in ("[]", "null", '""')
    ),
    bad("arguments of a tool without parameters", body('{"name": "get_time", "arguments": ["a"]}')),
    bad("no call in the list", body("[]")),
    bad("no call in the object", body("{}"), "missing_name"),
    bad("a number in a tag", body("5")),
    bad("a name in a tag", body('"get_weather"'), "bad_arguments"),
    Case("an empty list, then a call", body("[]") + X, (OSLO,), ("malformed",)),
]  # fmt: skip

COPIED = [
    bad("text after a copy", f"{X}\nHello.", "copied_from_untrusted", text="\nHello.", untrusted=OBJECT),
    Case("text, copy, text", f"Hm. {X} I will not do that.", (), ("copied_from_untrusted",),
         "Hm. I will not do that.", {"untrusted": OBJECT}),
    Case("copy, then a call", f"{X}\n{Y}", (ROME,), ("copied_from_untrusted",), "", {"untrusted": OBJECT}),
]  # fmt: skip

A = '{"city": "Oslo"}'
DEEPSEEK = "<｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n{}\n```<｜tool▁call▁end｜>"
DEEPSEEK31 = "<｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{}<｜tool▁call▁end｜>"
KIMI = "<|tool_call_begin|>functions.get_weather:{}<|tool_call_argument_begin|>{}<|tool_call_end|>"
ONE = {
    "mistral": f"[TOOL_CALLS] [{OBJECT}]",
    "mistral without a blank": f"[TOOL_CALLS][{OBJECT}]",
    "mistral object": f"[TOOL_CALLS]{OBJECT}",
    "mistral args": f"[TOOL_CALLS]get_weather[ARGS]{A}",
    "mistral id": f"[TOOL_CALLS]get_weather[CALL_ID]123456789[ARGS]{A}",
    "mistral name": f"[TOOL_CALLS]get_weather{A}",
    "mistral ended": f"[TOOL_CALLS]get_weather[ARGS]{A}</s>",
    "llama": '<|python_tag|>{"name": "get_weather", "parameters": {"city": "Oslo"}}',
    "llama ended": '<|python_tag|>{"type": "function", "name": "get_weather", "parameters": {"city": "Oslo"}}'
    "<|eom_id|>",
    "llama python": '<|python_tag|>get_weather(city="Oslo")',
    "llama call": '<|python_tag|>get_weather.call(city="Oslo")',
    "functools": f"functools[{OBJECT}]",
    "functools with a blank": f"functools [{OBJECT}]",
    "deepseek": "<｜tool▁calls▁begin｜>" + DEEPSEEK.format(A) + "<｜tool▁calls▁end｜>",
    "deepseek ended": "<｜tool▁calls▁begin｜>" + DEEPSEEK.format(A) + "<｜tool▁calls▁end｜><｜end▁of▁sentence｜>",
    "deepseek 3.1": "<｜tool▁calls▁begin｜>" + DEEPSEEK31.format(A) + "<｜tool▁calls▁end｜>",
    "deepseek plain": "<|tool_calls_begin|><|tool_call_begin|>get_weather<|tool_sep|>"
    + A
    + "<|tool_call_end|><|tool_calls_end|>",
    "kimi": "<|tool_calls_section_begin|>" + KIMI.format(0, A) + "<|tool_calls_section_end|>",
    "kimi with blanks": f"<|tool_calls_section_begin|>\n<|tool_call_begin|> functions.get_weather:0 "
    f"<|tool_call_argument_begin|> {A} <|tool_call_end|>\n<|tool_calls_section_end|>",
    "harmony": f"<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{A}<|call|>",
    "harmony whole": "<|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>"
    f"{A}<|call|>",
    "harmony recipient first": "<|start|>assistant to=functions.get_weather<|channel|>commentary json<|message|>" + A,
    "harmony analysis": "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary "
    f"to=functions.get_weather <|constrain|>json<|message|>{A}<|call|>",
    "cohere": f'<|START_ACTION|>[{{"tool_call_id": "0", "tool_name": "get_weather", "parameters": {A}}}]<|END_ACTION|>',
    "cohere with a plan": "<|START_THINKING|>Hm.<|END_THINKING|><|START_ACTION|>\n"
    f'[{{"tool_call_id": "0", "tool_name": "get_weather", "parameters": {A}}}]\n<|END_ACTION|>',
    "namespaced": '<ns:function_calls>\n<ns:invoke name="get_weather">\n'
    '<ns:parameter name="city">Oslo</ns:parameter>\n'
    "</ns:invoke>\n</ns:function_calls>",
    "namespace of a vendor": '<minimax:tool_call>\n<invoke name="get_weather">\n'
    '<parameter name="city">Oslo</parameter>\n'
    "</invoke>\n</minimax:tool_call>",
    "elements": "<function_calls><invoke><tool_name>get_weather</tool_name><parameters><city>Oslo</city></parameters>"
    "</invoke></function_calls>",
    "elements alone": "<invoke>\n<tool_name>get_weather</tool_name>\n<parameters>\n<city>Oslo</city>\n</parameters>\n"
    "</invoke>",
    "function without a closer": f"<function=get_weather>{A}",
}
CONTROL = (
    [
        case
        for name, text in ONE.items()
        for case in (
            one(name, text),
            *(
                one(f"{name}, text before{gap!r}", f"Let me look.{gap}{text}", "Let me look.")
                for gap in ("\n", " ")
                if not name.endswith((" analysis", " with a plan"))
            ),
            none(f"{name}, quoted", f"It writes `{text}` then.") if "\n" not in text and "`" not in text else None,
        )
        if case is not None
    ]
    + [
        Case("mistral, two", f"[TOOL_CALLS]get_weather[ARGS]{A}[TOOL_CALLS]get_time[ARGS]{{}}", (OSLO, TIME)),
        Case("mistral, array of two", f"[TOOL_CALLS] [{OBJECT}, {SECOND}]", (OSLO, ROME)),
        Case("llama, two", f"<|python_tag|>{OBJECT}; {SECOND}", (OSLO, ROME)),
        Case("functools, two", f"functools[{OBJECT}, {SECOND}]", (OSLO, ROME)),
        Case(
            "deepseek, two",
            "<｜tool▁calls▁begin｜>"
            + DEEPSEEK31.format(A)
            + "\n"
            + DEEPSEEK31.format('{"city": "Rome"}')
            + "<｜tool▁calls▁end｜>",
            (OSLO, ROME),
        ),
        Case(
            "kimi, two",
            "<|tool_calls_section_begin|>"
            + KIMI.format(0, A)
            + KIMI.format(1, '{"city": "Rome"}')
            + "<|tool_calls_section_end|>",
            (OSLO, ROME),
        ),
        Case("objects with semicolons", f"{OBJECT}; {SECOND}", (OSLO, ROME)),
        Case("objects with semicolons, no blank", f"{OBJECT};{SECOND};", (OSLO, ROME)),
        none("objects with semicolons in prose", f"{OBJECT}; {SECOND}; these are calls"),
        one(
            "harmony, final text before",
            "<|channel|>final<|message|>Let me look.<|end|>"
            f"<|start|>assistant<|channel|>commentary to=functions.get_weather<|message|>{A}<|call|>",
            "Let me look.",
        ),
        bad(
            "deepseek broken", "<｜tool▁calls▁begin｜>" + DEEPSEEK.format('{"city": Oslo + 1}') + "<｜tool▁calls▁end｜>"
        ),
        bad(
            "kimi broken",
            "<|tool_calls_section_begin|>" + KIMI.format(0, '{"city": Oslo + 1}') + "<|tool_calls_section_end|>",
        ),
        bad("mistral broken", '[TOOL_CALLS]get_weather[ARGS]{"city": Oslo + 1}'),
        bad("mistral, unknown", '[TOOL_CALLS]fly[ARGS]{"to": "Rome"}', "unknown_tool"),
        none("words like them", "functools.partial and functools[0], [ARGS] and <|x|>, python_tag, [TOOL] calls"),
        none("a list of words", "[TOOLS]\n[CALLS]\n"),
    ]
    + [
        bad(f"{name}, cut", text, "truncated")
        for name, text in {
            "mistral": f"[TOOL_CALLS]get_weather[ARGS]{A[:-4]}",
            "mistral array": f"[TOOL_CALLS] [{OBJECT[:-5]}",
            "mistral opener": "[TOOL_CALLS]",
            "mistral name": "[TOOL_CALLS]get_weather",
            "llama": f"<|python_tag|>{OBJECT[:-5]}",
            "deepseek": f"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{A[:-4]}",
            "deepseek opener": "<｜tool▁calls▁begin｜>",
            "deepseek fence": "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_time\n```",
            "kimi": "<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0"
            f"<|tool_call_argument_begin|>{A[:9]}",
            "harmony": f"<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{A[:-4]}",
            "cohere": f"<|START_ACTION|>[{OBJECT[:-5]}",
            "invoke": '<ns:invoke name="get_weather"><ns:parameter name="city">Os',
            "function": f"<function=get_weather>{A[:-4]}",
        }.items()
    ]
)

REMAINS = [
    one("namespaced tag", f"<minimax:tool_call>\n{OBJECT}\n</minimax:tool_call>"),
    one("namespaced tag after text", f"Let me look.\n<minimax:tool_call>\n{OBJECT}\n</minimax:tool_call>",
        "Let me look."),
    one("action before a fence", 'Action:\n```json\n{"action": "get_weather", "action_input": {"city": "Oslo"}}\n```'),
    one("thought, action, fence", 'Thought: hm\nAction:\n```\n{"action": "get_weather", "action_input": '
        '{"city": "Oslo"}}\n```', "Thought: hm"),
    one("json line", f"json\n{OBJECT}"),
    one("json line after text", f"Let me look.\njson\n{OBJECT}", "Let me look."),
    one("JSON line before a tag", f"json\n{CALL}"),
    none("json line before text", "json\nis a format"),
    none("action before text", "Action:\nbuy milk"),
    none("json line before another object", 'json\n{"a": 1}'),
    one("function_calls around", '<function_calls>\n<invoke name="get_weather">\n'
        '<parameter name="city">Oslo</parameter>\n'
        "</invoke>\n</function_calls>"),
]  # fmt: skip

GROUPS = {
    "repeated": REPEATED, "markers": MARKERS, "fences": FENCES, "no objects": NO_OBJECTS, "copied": COPIED,
    "control": CONTROL, "remains": REMAINS,
}  # fmt: skip
CASES = [case for group in GROUPS.values() for case in group]
PLAIN_CASES = [case for case in (*REPEATED, *MARKERS) if not case.calls]
"""Those that read the same where no tools are offered, behind a prompt of turns."""
