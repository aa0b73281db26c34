"""Dynaspark as a LlamaIndex LLM."""

from dynaspark_core import __version__

try:
    from llama_index_dynaspark.llm import Dynaspark
except ModuleNotFoundError as exc:
    if (exc.name or "").partition(".")[0] != "llama_index":
        raise
    message = 'llama_index_dynaspark needs llama-index-core: pip install "dynaspark-llm[llama-index]"'
    raise ModuleNotFoundError(message, name=exc.name) from exc

__all__ = ["Dynaspark", "__version__"]
