"""Packages around LangChain and LlamaIndex, run as they are; `make company` installs them beside the tests."""
