"""The main job, all of it real: a local service with a small model; a chain, RAG, a picture, an agent, an object.

With `--upstream URL --model NAME` the same runs on the model of any OpenAI-compatible server.
"""

import argparse
import os
import runpy
import sys
from pathlib import Path

from dynaspark_core.errors import DynasparkError
from dynaspark_core.server import LocalService, OpenAI
from dynaspark_core.server.local.engine import Local

HERE = Path(__file__).parent
PARTS = (
    ("langchain_streaming.py", "LangChain: a chain (prompt | ChatDynaspark | parser) streams its answer.",
     "Write one sentence about the sea."),
    ("llama_index_rag.py", "LlamaIndex: BM25 finds a passage in real documents, and Dynaspark answers from it.",
     "What does the text say about holidays and working hours?"),
    ("client_image.py", "A picture, without a framework: examples/receipt.png.",
     "What does the image say?"),
    ("AGENT", "LangChain: an agent reads the picture, calls a Python function with what it read, and answers.",
     "How many dollars is the total of this receipt? It is in euros."),
    ("langchain_structured.py", "Structured output: the picture becomes an instance of a class.",
     "What is the name of the shop, and the total?"),
)  # fmt: skip
SMALL = """\
The model is SmolLM2 with 135 million parameters, on this machine's processor. It is often wrong; its answers are
printed as they are. It does not choose tools: the agent's first call is required of it. It sees a picture only as the
text that OCR finds. After a tool's result it gets the question and the result alone, without the picture's text."""


def main(upstream: str | None, model: str | None) -> None:
    """Print each part: what it shows, the question, the answer."""
    engine = OpenAI(upstream, model=model) if upstream else Local(Path(model) if model else None)
    agent = "langchain_agent.py" if upstream or model else "langchain_agent_required.py"
    with LocalService(engine) as service:
        os.environ["DYNASPARK_BASE_URL"] = service.url
        print(f"The local service listens on {service.url}.")
        print(f"The model is {model or 'the one that the server chooses'}." if upstream or model else SMALL)
        for number, (file, shown, question) in enumerate(PARTS, 1):
            print(f"\n{number}. {shown}\n   Question: {question}", flush=True)
            runpy.run_path(str(HERE / file.replace("AGENT", agent)))


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--upstream", metavar="URL", help="an OpenAI-compatible server, such as http://localhost:11434/v1")
parser.add_argument("--model", metavar="NAME", help="its model; without --upstream: a GGUF file")
options = parser.parse_args()
try:
    main(options.upstream, options.model)
except DynasparkError as error:
    sys.exit(f"The demo cannot go on: {error}")
except KeyboardInterrupt:
    sys.exit("\nStopped.")
