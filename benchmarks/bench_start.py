"""What it costs to begin: each package's import over its framework's base class, and constructing a model."""

import importlib
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from time import process_time
from typing import Any

from harness import US, Goal, Row, Sizes, Table, compare, in_child, main, sync_sample
from peers import PEERS

BASES = {"LangChain": "langchain_core.language_models.chat_models", "LlamaIndex": "llama_index.core.llms"}
"""Where each framework's base class is."""
PACKAGES = {
    "langchain_dynaspark": "LangChain",
    "langchain_openai": "LangChain",
    "langchain_anthropic": "LangChain",
    "langchain_ollama": "LangChain",
    "llama_index_dynaspark": "LlamaIndex",
    "llama_index.llms.openai": "LlamaIndex",
    "llama_index.llms.ollama": "LlamaIndex",
}
OURS = ("langchain_dynaspark", "llama_index_dynaspark")
EMPTY = {"ChatDynaspark": "LangChain's own share", "Dynaspark": "LlamaIndex's own share"}
"""Our class → the row of an empty model of its framework."""
LATE = ("PIL", "dynaspark_core.server", "openvino_genai", "rapidocr")
"""What is imported only when it is used."""
FOREIGN = {"langchain_dynaspark": "llama_index", "llama_index_dynaspark": "langchain_core"}
URL = "http://127.0.0.1:9"
OVER = "µs over the framework's"


def resident() -> float:
    """Memory of this process in MB; not a number where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return float("nan")
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def child(base: str, module: str) -> dict[str, float]:
    """CPU milliseconds and MB that the import of `module` takes after that of `base`, and what came with it."""
    sys.dont_write_bytecode = False  # else every run compiles what is not installed anew
    if base:
        importlib.import_module(base)
    before = set(sys.modules)
    memory, begin = resident(), process_time()
    importlib.import_module(module)
    spent, grown = (process_time() - begin) * 1e3, resident() - memory
    added = set(sys.modules) - before
    unwanted = [name for name in (*LATE, FOREIGN.get(module, "-")) if name in added]
    return {"ms": spent, "MB": grown, "modules": len(added), "not yet needed": len(unwanted)}


def is_installed(module: str) -> bool:
    """Whether there is such a module; one that is missing is named."""
    parts = module.split(".")
    names = (".".join(parts[:end]) for end in range(1, len(parts) + 1))
    is_there = all(find_spec(name) is not None for name in names)
    if not is_there:
        print(f"{module} is not installed: skipped", file=sys.stderr)
    return is_there


def _measured(base: str, module: str, rounds: int) -> dict[str, float]:
    """The least of some runs, of which the first may compile."""
    runs = [in_child("bench_start.py", base, module) for _ in range(rounds)]
    return {key: min(run[key] for run in runs) for key in runs[0]}


def imports(sizes: Sizes) -> Iterator[Table]:
    """A table for each framework."""
    rounds = sizes.fewer(3)
    for framework, base in BASES.items():
        wire = _measured(base, "aiohttp", rounds)
        rows = [Row(base, _measured("", base, rounds)), Row("aiohttp over it", wire)]
        goals: dict[str, Goal] = {"ms": ("≤", round(wire["ms"] + 30)), "MB": ("≤", round(wire["MB"] + 5, 1))}
        goals["not yet needed"] = ("≤", 0)
        for module, of in PACKAGES.items():
            found = _measured(base, module, rounds) if of == framework and is_installed(module) else {}
            if found:
                rows.append(Row(f"{module} over it", found, goals if module in OURS else {}))
        yield Table(f"Import: {framework}", rows, "CPU time and resident memory; the goal is aiohttp + 30 ms, + 5 MB.")


def makers() -> dict[str, Callable[[], object]]:
    """The models that are constructed."""
    chain, index = importlib.import_module("langchain_dynaspark"), importlib.import_module("llama_index_dynaspark")
    empty = importlib.import_module("empty")
    found: dict[str, Callable[[], object]] = {
        "ChatDynaspark": lambda: chain.ChatDynaspark(base_url=URL),
        "Dynaspark": lambda: index.Dynaspark(base_url=URL),
        EMPTY["ChatDynaspark"]: empty.EmptyChat,
        EMPTY["Dynaspark"]: empty.EmptyLLM,
    }
    for name, (module, make) in {**PEERS["langchain"], **PEERS["llama_index"]}.items():
        try:
            found[name] = _bound(make, importlib.import_module(module))
        except ModuleNotFoundError:
            print(f"{name} is not installed: skipped", file=sys.stderr)
    return found


def _bound(make: Callable[[Any, str], object], made: Any) -> Callable[[], object]:
    return lambda: make(made, URL)


def constructing(sizes: Sizes) -> Table:
    """CPU time, and the threads and open files that a model brings before it is used."""
    made = makers()
    ours = ("ChatDynaspark", "Dynaspark")
    samples = {name: sync_sample(make, sizes.part(1 if name in ours else 0.01)) for name, make in made.items()}
    costs = compare(samples, sizes.rounds)
    rows = []
    for name, make in made.items():
        before = _opened(), threading.active_count()
        kept = [make() for _ in range(3)]
        opened = {"open files": _opened() - before[0], "threads": threading.active_count() - before[1]}
        goals: dict[str, Goal] = {OVER: ("≤", 50), "open files": ("≤", 0), "threads": ("≤", 0)}
        over = {OVER: (costs.cost(name) - costs.cost(EMPTY[name])) * 1e6} if name in ours else {}
        rows.append(Row(name, {US: costs.cost(name) * 1e6} | over | opened, goals if name in ours else {}))
        del kept
    return Table("Constructing a model", rows, "A framework's own share is what its empty model costs.")


def _opened() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def questions(sizes: Sizes) -> Iterator[Table]:
    """Imports and constructors."""
    yield from imports(sizes)
    yield constructing(sizes)


if __name__ == "__main__":
    if "--child" in sys.argv:
        print(json.dumps(child(*sys.argv[-2:])))
    else:
        main(questions)
