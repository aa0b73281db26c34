"""The control tokens of other vendors' models, one row each: the opener, what it begins, the closer.

Whoever puts an open model behind the local service meets them. Sources: the chat templates of Mistral, Llama 3.1,
Phi-4, DeepSeek V3 and V3.1, Kimi K2, gpt-oss (harmony), Command R, LFM2, InternLM2, Apertus and Qwen-Agent, as
published with the models. Tokens that no row names are read by what their words say: `WORDY`, `BRACKETED`.
"""

# ruff: noqa: RUF001 - DeepSeek's tokens are written with full-width bars

import re
from dataclasses import dataclass
from typing import Literal

from dynaspark_core.reply import xtml
from dynaspark_core.reply.atoms import END, Atom, Sign, ahead, chars, either, group, maybe, plain, seq, word, words
from dynaspark_core.reply.vendor_words import BAR, BODY, BRACKETED, NAME, SPACE, WORDY, WORDY_END, tokens

Meaning = Literal["call", "section", "turn", "nothing"]
"""A call; a list of calls, each with an opener of its own; somebody else's turn; a token that says nothing."""


@dataclass(frozen=True, slots=True)
class Row:
    """`opener` begins it; `closer` ends a call's body, None where nothing does but the next token."""

    meaning: Meaning
    opener: Sign
    closer: re.Pattern[str]


_ANY = re.compile(r"(?=<[|｜][A-Za-z_▁]{2,40}[|｜]>|</s>|\[TOOL_CALLS\])")


def _begins(first: str, rest: Atom) -> str:
    return f"{re.escape(first)}(?={rest.whole}|{rest.begun})"


TRIGGER = "|".join(
    (
        _begins(
            "<",
            either(
                seq(BAR, chars("[A-Za-z]", 1, 1)),
                words(
                    *("s>", "/s>", "start_of", "end_of", "start_function_", "end_function_"),
                    *("tool_use>", "use_mcp_tool>", "/use_mcp_tool>"),
                ),
            ),
        ),
        _begins(
            "[",
            words(
                "INST]",
                "/INST]",
                *(
                    f"{mark}{subject}_"
                    for mark in ("", "/", "END_")
                    for subject in ("TOOL", "FUNCTION", "ACTION", "PLUGIN")
                ),
            ),
        ),
        _begins("✿", words("FUNCTION✿", "RESULT✿", "RETURN✿")),
        _begins("f", seq(word("unctools"), chars(r"\s", 0, 2), word("["))).replace("f", r"f(?<!\wf)", 1),
    )
)
"""Where one of these may begin, as a part of one search."""
MAY_BEGIN = re.compile(rf"{TRIGGER}|to=")
_TO = seq(word("to="), NAME)
RECIPIENT = Sign(seq(word("to="), NAME, chars(r"\s", 0, 2), word("<|channel|>")), "to=f<|channel|>", "to=5")
_CHANNEL = seq(word("<|channel|>"), words("commentary", "analysis"))
_ENDINGS = ("calls", "call", "eom_id", "end", "return", "END_ACTION", "END_RESPONSE")
ENDING = Sign(
    either(
        seq(word("<|"), either(
            seq(words(*_ENDINGS), word("|>")), seq(word("close|>"), words("tools", "message"), word("<|sep|>")))),
        WORDY_END, words("</use_mcp_tool>", "<end_function_call>"),
    ),
    "<|eom_id|>", "<|eot_id|>",
)  # fmt: skip
"""A token that ends a call or a message."""
ROWS = (
    Row(
        "call",
        Sign(
            seq(
                word("[TOOL_CALLS]"), SPACE,
                maybe(seq(NAME, maybe(seq(word("[CALL_ID]"), chars(r"\w", 1, 40))), maybe(word("[ARGS]")), SPACE,
                    ahead(word("{")))),
            ),
            "[TOOL_CALLS]f[ARGS]{", "[TOOL_RESULTS]", "[TOOLS]",
        ),
        _ANY,
    ),
    Row("call", Sign(seq(word("<|python_"), words("tag", "start"), word("|>")), "<|python_tag|>", "<|python|>"), _ANY),
    Row(
        "call",
        Sign(seq(word("functools"), chars(r"\s", 0, 2), ahead(seq(word("["), SPACE, word("{")))), "functools[{",
            "functools[0]", "functools.partial"),
        _ANY,
    ),
    Row(
        "call",
        Sign(
            seq(
                tokens("tool_call_begin"), SPACE, maybe(seq(word("function"), tokens("tool_sep"))), NAME,
                SPACE, either(tokens("tool_sep", "tool_call_argument_begin"), ahead(words("{", "```"))),
            ),
            "<｜tool▁call▁begin｜>f<｜tool▁sep｜>", "<|tool_calls_begin|>",
        ),
        re.compile(r"<[|｜]tool[▁_]call[▁_]end[|｜]>"),
    ),
    Row(
        "section",
        Sign(tokens("tool_calls_begin", "tool_calls_section_begin"), "<|tool_calls_begin|>", "<|tool_call_begin|>"),
        re.compile(r"<[|｜]tool[▁_]calls(?:[▁_]section)?[▁_]end[|｜]>"),
    ),
    Row(
        "call",
        Sign(
            seq(
                maybe(word("<|start|>assistant")), chars(r"\s", 0, 2),
                either(seq(_CHANNEL, chars(r"\s", 1, 2), _TO), seq(word("to="),
                    group("first", chars(r"[\w.\-/:]", 1, 128)),
                    chars(r"\s", 0, 2), _CHANNEL)),
                chars("[ a-z]", 0, 16), maybe(seq(word("<|constrain|>"), chars("[a-z]", 1, 8))), chars(r"\s", 0, 2),
                word("<|message|>"),
            ),
            "<|channel|>commentary to=functions.f <|constrain|>json<|message|>", "<|channel|>final<|message|>",
        ),
        re.compile(r"<\|(?:call|end|return|start)\|>"),
    ),
    Row("call", xtml.OPENER, xtml.CLOSER),
    Row(
        "call",
        Sign(
            seq(word("<start_function_call>"), SPACE, either(word("call:"), ahead(word("{")))),
            "<start_function_call>call:", "<start_function_call> begins",
        ),
        re.compile("<end_function_call>"),
    ),
    Row(
        "call",
        Sign(
            seq(
                word("<|tool_call"), maybe(seq(word("s|>"), SPACE, word("<|tool_call"))), word(":begin|>"),
                chars(r"[\w\-]", 0, 64), word("<|tool_call:name|>"), NAME, word("<|tool_call:args|>"),
            ),
            "<|tool_call:begin|>c1<|tool_call:name|>f<|tool_call:args|>", "<|tool_call:begin|>{",
        ),
        re.compile(r"<\|tool_call:end\|>"),
    ),
    Row("call", Sign(word("<|START_ACTION|>"), "<|START_ACTION|>", "<|START_RESPONSE|>"),
        re.compile(r"<\|END_ACTION\|>")),
    Row(
        "call",
        Sign(
            seq(
                word("✿FUNCTION✿"), chars(" ", 0, 1), word(":"), chars(" ", 0, 1), NAME,
                either(seq(chars(r"\s", 1, 4), word("✿ARGS✿"), chars("[: ]", 0, 2)), seq(chars(r"\s", 0, 4), END)),
            ),
            "✿FUNCTION✿: f\n✿ARGS✿:", "✿RESULT✿: x",
        ),
        re.compile("(?=✿)"),
    ),
    Row(
        "call",
        Sign(
            seq(
                word("<"), words("tool_use", "use_mcp_tool"), word(">"), chars(r"\s", 0, 24),
                maybe(seq(word("<server_name>"), chars("[^<>]", 0, 128), word("</server_name>"), chars(r"\s", 0, 24))),
                words("<name>", "<tool_name>"), chars(r"\s", 0, 4), NAME, chars(r"\s", 0, 4),
                words("</name>", "</tool_name>"), chars(r"\s", 0, 24), word("<arguments>"),
            ),
            "<tool_use>\n<name>f</name>\n<arguments>", "<tool_use>{", "<use_mcp_tool> is a tag",
        ),
        re.compile("</arguments>"),
    ),
    Row(
        "turn",
        Sign(
            either(
                seq(word("<|"), words("eot_id", "start_header_id", "im_start", "im_end", "im_sep", "user",
                    "observation", "endoftext", "START_TOOL_RESULT", "START_OF_TURN_TOKEN", "END_OF_TURN_TOKEN",
                    "tool_response", "system"), word("|>")),
                seq(word("<|start|>"), words("functions", "user", "system", "developer", "tool")),
                seq(word("<"), words("start_of_turn", "end_of_turn", "start_function_response"), word(">")),
                seq(word("["), maybe(word("/")), words("TOOL_RESULTS", "TOOL_RESULT", "INST", "TOOL_CONTENT"),
                    word("]")),
                seq(word("✿"), words("RESULT", "RETURN"), word("✿")),
                tokens("tool_outputs_begin", "tool_output_begin", "User", "end_of_sentence"), words("</s>", "<s>"),
            ),
            "<|eot_id|>", "<|eot|>", "[TOOL_CALLS]",
        ),
        _ANY,
    ),
    Row(
        "nothing",
        Sign(
            either(
                ENDING.atom,
                seq(word("<|"), words("open", "close"), word("|>"), words("tools", "response", "think", "message"),
                    word("<|sep|>")),
                seq(maybe(word("<|start|>assistant")), _CHANNEL, word("<|message|>")),
            ),
            "<|tool_calls_section_end|>", "<|tool_calls_section_begin|>",
        ),
        _ANY,
    ),
    Row(
        "call",
        Sign(
            seq(either(seq(WORDY, maybe(seq(SPACE, word("<|plugin|>")))), BRACKETED), BODY),
            "<|tool_call_start|>[f(", "<|tool_call_start|> begins a call", "<|tool_call|>{", "[TOOL_RESULT]{",
            "<|action_end|>{", "[TOOL_CALL] is one",
        ),
        re.compile(WORDY_END.whole),
    ),
)  # fmt: skip
"""In the order in which they are tried."""
TOKEN = Sign(
    either(*(Atom(f"({plain(row.opener.atom.whole)})", row.opener.atom.cut) for row in ROWS)),
    "<|python_tag|>",
    "<|x|>",
)
"""The opener of any row; its only group that matches is the row's number, from 1."""
