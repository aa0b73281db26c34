"""The peers that are installed, pointed at the local service. `make bench` installs them; a line names the others."""

import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

PEERS: dict[str, dict[str, tuple[str, Callable[[Any, str], Any]]]] = {
    "langchain": {
        "ChatOpenAI": (
            "langchain_openai",
            lambda made, url: made.ChatOpenAI(base_url=f"{url}/v1", api_key="k", model="gpt-4o-mini", max_retries=0),
        ),
        "ChatAnthropic": (
            "langchain_anthropic",
            lambda made, url: made.ChatAnthropic(base_url=url, api_key="k", model="any", max_retries=0),
        ),
        "ChatOllama": ("langchain_ollama", lambda made, url: made.ChatOllama(base_url=url, model="m")),
    },
    "llama_index": {
        "LlamaIndex OpenAI": (
            "llama_index.llms.openai",
            lambda made, url: made.OpenAI(api_base=f"{url}/v1", api_key="k", model="gpt-4o-mini", max_retries=0),
        ),
        "LlamaIndex Ollama": (
            "llama_index.llms.ollama",
            lambda made, url: made.Ollama(base_url=url, model="m", context_window=8192),
        ),
    },
}


@cache
def peers(framework: str, url: str) -> Mapping[str, Any]:
    """Name → model of each installed peer of a framework; `url` may hold a number of pieces after the host."""
    found = {}
    for name, (module, make) in PEERS[framework].items():
        try:
            made = import_module(module)
        except ModuleNotFoundError:
            print(f"{name} is not installed: skipped", file=sys.stderr)
        else:
            found[name] = make(made, url)
    return found
