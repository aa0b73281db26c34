"""Dynaspark as a LangChain chat model."""

from dynaspark_core import __version__
from langchain_dynaspark.chat_models import ChatDynaspark

__all__ = ["ChatDynaspark", "__version__"]
