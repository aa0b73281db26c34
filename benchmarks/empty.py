"""What everything is compared with, the frameworks' part: models that answer from memory."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    CompletionResponse,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
)
from llama_index.core.llms import CustomLLM
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from service import ANSWER, PIECE


class EmptyChat(BaseChatModel):
    """LangChain's floor: a chat model that answers from memory, in `pieces` chunks where it streams."""

    pieces: int = 0

    @property
    def _llm_type(self) -> str:
        return "empty"

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=ANSWER))])

    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        return self._generate(messages)


class EmptyStreamingChat(EmptyChat):
    """The same with a stream of its own, which LangChain notices."""

    async def _astream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        for _ in range(self.pieces):
            yield ChatGenerationChunk(message=AIMessageChunk(content=PIECE))
        yield ChatGenerationChunk(message=AIMessageChunk(content="", chunk_position="last"))


class EmptyLLM(CustomLLM):
    """LlamaIndex's floor: an LLM that answers from memory, in `pieces` responses where it streams."""

    pieces: int = 0

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(is_chat_model=True, model_name="empty")

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:  # noqa: FBT001, FBT002
        return CompletionResponse(text=ANSWER)

    @llm_completion_callback()
    async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:  # noqa: FBT001, FBT002
        return CompletionResponse(text=ANSWER)

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:  # noqa: FBT001, FBT002
        def pieces() -> Iterator[CompletionResponse]:
            yield CompletionResponse(text=ANSWER)

        return pieces()  # type: ignore[return-value]  # nobody sends into it

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        return ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=ANSWER))

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        return ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=ANSWER))

    @llm_chat_callback()
    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseAsyncGen:
        async def responses() -> ChatResponseAsyncGen:
            text = ""
            for _ in range(self.pieces):
                text += PIECE
                yield ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=text), delta=PIECE)

        return responses()
