"""LlamaIndex: BM25, which needs no model, finds a passage of real documents, and the LLM answers from it."""

from pathlib import Path

from llama_index.core import SimpleDirectoryReader
from llama_index.core.node_parser import MarkdownNodeParser
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.retrievers.bm25 import BM25Retriever

from llama_index_dynaspark import Dynaspark

here = Path(__file__).parent
files = [*here.glob("documents/*.md"), here.parent / "LICENSE"]
nodes = MarkdownNodeParser().get_nodes_from_documents(SimpleDirectoryReader(input_files=files).load_data())
for node in nodes:
    node.excluded_llm_metadata_keys = list(node.metadata)  # the model reads the text alone
retriever = BM25Retriever.from_defaults(nodes=nodes, similarity_top_k=1)
engine = RetrieverQueryEngine.from_args(retriever, llm=Dynaspark())

answer = engine.query("What does the text say about holidays and working hours?")
print(answer)
for source in answer.source_nodes:
    print(f"   from {source.metadata['file_name']}: {' '.join(source.text.split())[:60]}…")
