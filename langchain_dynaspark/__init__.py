"""Dynaspark as a LangChain chat model."""

from dynaspark_core import __version__

try:
    from langchain_dynaspark.chat_models import ChatDynaspark
except ModuleNotFoundError as exc:
    if (exc.name or "").partition(".")[0] != "langchain_core":
        raise
    message = 'langchain_dynaspark needs langchain-core: pip install "dynaspark-llm[langchain]"'
    raise ModuleNotFoundError(message, name=exc.name) from exc

__all__ = ["ChatDynaspark", "__version__"]
