"""The engine with a real model: SmolLM2-135M-Instruct on the CPU, or any GGUF file.

What the small model can do, measured on requests of our own: simple questions of general knowledge mostly (9 of 12);
answers from facts in the prompt mostly when the question comes first, then an empty line, "Text:" and the facts (13 of
16; by LlamaIndex's usual prompt 7; otherwise it invents); the arguments of one named tool or the fields of one object
often (18 of 25). It does not choose among tools. It sees no pictures: a file is read by OCR, and it gets the text.
"""

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from dynaspark_core.errors import ConfigError
from dynaspark_core.messages import Usage
from dynaspark_core.server.engines import Answer, Asked
from dynaspark_core.server.local import few_shot, phrasing, request_kind, turns, weights
from dynaspark_core.server.local.model import MAX_CONTEXT_TOKENS, MAX_REPLY_TOKENS, Model
from dynaspark_core.server.local.ocr import Ocr
from dynaspark_core.server.local.phrasing import Phrased
from dynaspark_core.server.local.turns import Turn


class Local:
    """Answers with the model of `file`, by default SmolLM2, whose weights it fetches on first use.

    It takes one request at a time, on one thread of its own; the others wait in the order in which they came. A reply
    ends after `max_tokens` at the latest, and when the model only repeats itself; the same prompt gets the same reply.
    Answers carry the tokens counted by the model's tokenizer and, after a file, what the model was told of it. Raises
    `ConfigError` when a package, the weights or a file is missing, and for fewer than 1 of `threads` or `max_tokens`.

    The prompt's turns become messages of the model's chat template, and a call or value that must come is bound to its
    schema. With `one_message` the whole prompt is one user message and the reply is free, as with the public service.
    """

    context_window = MAX_CONTEXT_TOKENS
    """Tokens of prompt and reply together."""

    def __init__(
        self,
        file: Path | None = None,
        *,
        threads: int = 1,
        max_tokens: int = MAX_REPLY_TOKENS,
        one_message: bool = False,
    ) -> None:
        for name, number in (("threads", threads), ("max_tokens", max_tokens)):
            if number < 1:
                raise ConfigError(f"{name} must be at least 1: {number}")
        self._phrase = phrasing.phrase if file else few_shot.phrase
        self._is_one_message = one_message
        self._ocr = Ocr()
        name = "" if file else weights.NAME
        self._model = Model(file or weights.fetch(), name=name, threads=threads, max_tokens=max_tokens)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="dynaspark-model")

    async def answer(self, asked: Asked) -> Answer:
        loop = asyncio.get_running_loop()
        facts = await loop.run_in_executor(self._worker, self._ocr.read, asked.file) if asked.file else None
        seen = facts.describe() if facts else ""
        phrased = self._phrased(asked, seen)
        metadata: dict[str, object] = {}
        if seen:
            metadata["file"] = f"The model saw no picture, but this text:\n{seen}"
        if ignored := [*asked.sampling, *(["json"] if asked.wants_json else [])]:
            metadata["ignored"] = ignored
        return Answer(self._reply(phrased), model=self._model.name, metadata=metadata)

    async def close(self) -> None:
        await asyncio.to_thread(self._worker.shutdown)

    def _phrased(self, asked: Asked, seen: str) -> Phrased:
        system = (Turn("system", asked.system),) if asked.system else ()
        if self._is_one_message:
            return Phrased((*system, Turn("user", f"{asked.prompt}\n\n{seen}" if seen else asked.prompt)))
        conversation = turns.read_conversation(asked.prompt)
        conversation = replace(conversation, turns=(*system, *conversation.turns))
        return self._phrase(conversation, request_kind.read_kind(conversation.opening, conversation.closing), seen)

    async def _reply(self, phrased: Phrased) -> AsyncIterator[str | Usage]:
        """The pieces as the model makes them, then the usage; closing it ends the model's work at its next token."""
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[str | None] = asyncio.Queue()
        gone = threading.Event()

        def emit(piece: str) -> bool:
            if not gone.is_set():
                loop.call_soon_threadsafe(pieces.put_nowait, piece)
            return not gone.is_set()

        work = loop.run_in_executor(self._worker, self._model.generate, phrased, emit)
        work.add_done_callback(lambda _: pieces.put_nowait(None))
        try:
            before = phrased.before
            while (piece := await pieces.get()) is not None:
                yield before + piece
                before = ""
            generation = await work
            if generation.is_whole:
                yield phrased.after
            yield generation.usage
        finally:
            gone.set()
            work.cancel()
