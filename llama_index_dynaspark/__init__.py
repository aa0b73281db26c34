"""Dynaspark as a LlamaIndex LLM."""

from dynaspark_core import __version__
from llama_index_dynaspark.llm import Dynaspark

__all__ = ["Dynaspark", "__version__"]
