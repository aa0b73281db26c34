"""LangChain: BM25, which needs no model, finds a passage of a real document, and a chain answers from it."""

from pathlib import Path
from typing import Any

import bm25s
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever

from langchain_dynaspark import ChatDynaspark


class BM25(BaseRetriever):
    index: Any

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        words = bm25s.tokenize(query, show_progress=False)
        return [Document(text) for text in self.index.retrieve(words, k=1, show_progress=False).documents[0]]


articles = (Path(__file__).parent / "documents/human_rights.md").read_text(encoding="utf-8").split("\n\n## ")[1:]
index = bm25s.BM25(corpus=articles)
index.index(bm25s.tokenize(articles, show_progress=False), show_progress=False)
question = "What does the text say about holidays and working hours?"
(found,) = BM25(index=index).invoke(question)
chain = ChatPromptTemplate.from_template("{article}\n\n{question}") | ChatDynaspark()
print(chain.invoke({"article": found.page_content, "question": question}).text)
print(f"   from {' '.join(found.page_content.split())[:60]}…")
