"""A GGUF model in this process, run by openvino-genai. Everything here blocks; the engine calls it in a thread."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dynaspark_core.errors import ConfigError
from dynaspark_core.messages import Usage
from dynaspark_core.server.engines import RefusedError
from dynaspark_core.server.local.control_tokens import ControlTokens
from dynaspark_core.server.local.packages import openvino_genai
from dynaspark_core.server.local.phrasing import Phrased

MAX_CONTEXT_TOKENS = 8192
"""Tokens of prompt and reply together: SmolLM2's own figure; openvino's tokenizer counts no further either."""
PROMPT_TOO_LONG = "context_length_exceeded"
"""The error's code for a prompt that the context does not hold, as OpenAI's service has it."""
MAX_REPLY_TOKENS = 1024
MIN_REPLY_TOKENS = 128
"""A prompt that leaves less room than this is refused."""
FREQUENCY_PENALTY = 0.3
"""Against endless repetition. Of 12 open questions 9 came out right (8 without), of 10 with given facts 6 to 8 either
way. openvino's `repetition_penalty` punishes the prompt's words, too: at 1.1 only 1 to 4 of those 10 came out."""
MIN_LOOP_CHARACTERS = 80
MAX_UNIT_CHARACTERS = 200
"""Characters. A small model that has lost its way repeats words or sentences without end; a table's ruler is short."""


@dataclass(frozen=True, slots=True)
class Generation:
    """A finished reply: what it cost, and whether the model came to its end (if not, it was cut or stopped)."""

    usage: Usage
    is_whole: bool


class Model:
    """One loaded model; one reply at a time."""

    def __init__(self, file: Path, *, name: str = "", threads: int = 1, max_tokens: int = MAX_REPLY_TOKENS) -> None:
        genai = openvino_genai()
        try:
            self._pipeline = genai.LLMPipeline(str(file), "CPU", INFERENCE_NUM_THREADS=threads)
        except RuntimeError as exc:
            reason = str(exc).strip().rpartition("\n")[2]
            raise ConfigError(f"{file} is not a GGUF model that openvino-genai can load: {reason}") from exc
        self._genai, self._tokenizer = genai, self._pipeline.get_tokenizer()
        self._control_tokens = ControlTokens(self._tokenizer.get_vocab())
        self._max_tokens = max_tokens
        self.name = name or file.stem

    def generate(self, phrased: Phrased, emit: Callable[[str], bool]) -> Generation:
        """The reply, given to `emit` in pieces as the model makes them.

        It ends early when `emit` gives False, and when the model only repeats itself.

        Raises `RefusedError`: 413 for a prompt too long for the context, 422 for a schema that cannot bind a reply.
        """
        tokens = self._encode(phrased)
        count = int(tokens.input_ids.shape[1])
        longest = MAX_CONTEXT_TOKENS - MIN_REPLY_TOKENS
        if count > longest:
            message = f"the prompt is longer than the {longest} tokens that {self.name} takes"
            raise RefusedError(413, message, code=PROMPT_TOO_LONG)
        limit = min(self._max_tokens, MAX_CONTEXT_TOKENS - count)
        text, status = "", self._genai.StreamingStatus
        is_stopped = False

        def pass_on(piece: str) -> object:
            nonlocal text, is_stopped
            text += piece
            is_stopped = not emit(piece) or is_stopped or is_loop(text)
            return status.CANCEL if is_stopped else status.RUNNING

        try:
            result = self._pipeline.generate(tokens, self._config(phrased, limit), pass_on)
        except RuntimeError as exc:
            if text or phrased.schema is None:
                raise
            raise RefusedError(422, f"the JSON Schema cannot bind a reply: {_reason(exc)}") from exc
        made = int(result.perf_metrics.get_num_generated_tokens())
        return Generation(Usage(count, made, count + made), is_whole=made < limit and not is_stopped)

    def _encode(self, phrased: Phrased) -> Any:
        """The prompt's tokens: control tokens only where the template has them, text is text."""
        import numpy as np  # noqa: PLC0415  # these two come with openvino-genai, of the extra `local`
        from openvino import Tensor  # noqa: PLC0415

        begun = phrased.before if phrased.is_begun else ""
        mark = self._control_tokens.mark([*(turn.text for turn in phrased.messages), begun])
        messages = [
            {"role": turn.role, "content": self._control_tokens.marked(turn.text, mark)} for turn in phrased.messages
        ]
        text = self._tokenizer.apply_chat_template(messages, add_generation_prompt=True)
        pieces = (text + self._control_tokens.marked(begun, mark)).split(mark)
        encoded = [self._tokenizer.encode(piece, add_special_tokens=False).input_ids.data for piece in pieces]
        ids = np.concatenate(encoded, axis=1)
        return self._genai.TokenizedInputs(Tensor(ids), Tensor(np.ones_like(ids)))

    def _config(self, phrased: Phrased, limit: int) -> Any:
        """Greedy decoding: the same prompt gives the same reply."""
        config = self._pipeline.get_generation_config()
        config.update_generation_config(max_new_tokens=limit, do_sample=False, frequency_penalty=FREQUENCY_PENALTY)
        if phrased.schema is not None:
            bound = self._genai.StructuredOutputConfig(json_schema=json.dumps(phrased.schema))
            config.update_generation_config(structured_output_config=bound)
        return config


def is_loop(text: str) -> bool:
    """Whether the text ends in one unit again and again: three times at least, and `MIN_LOOP_CHARACTERS` of text."""
    return any(
        _is_made_of(text[-max(MIN_LOOP_CHARACTERS, 3 * unit) :], unit) for unit in range(1, MAX_UNIT_CHARACTERS + 1)
    )


def _is_made_of(tail: str, unit: int) -> bool:
    return len(tail) >= max(MIN_LOOP_CHARACTERS, 3 * unit) and tail[unit:] == tail[:-unit]


def _reason(exc: RuntimeError) -> str:
    """What the library says, without the source file of its own that it names."""
    return re.sub(r"^(\[[^\]]*\] )?\S+:\d+: ", "", str(exc).strip())
