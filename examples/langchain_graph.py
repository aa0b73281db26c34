"""LangGraph: a graph writes a text and has it shortened while it is too long, three times at most."""

from operator import add
from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph

from langchain_dynaspark import ChatDynaspark


class State(TypedDict):
    drafts: Annotated[list[str], add]


def write(state: State) -> State:
    return {"drafts": [ChatDynaspark().invoke("What is a lighthouse?").text]}


def shorten(state: State) -> State:
    return {"drafts": [ChatDynaspark().invoke(f"Shorten this to one short sentence: {state['drafts'][-1]}").text]}


def judge(state: State) -> str:
    return END if len(state["drafts"][-1].split()) <= 25 or len(state["drafts"]) > 3 else "shorten"


graph = StateGraph(State).add_node("write", write).add_node("shorten", shorten).add_edge(START, "write")
graph.add_conditional_edges("write", judge).add_conditional_edges("shorten", judge)
for draft in graph.compile().invoke({"drafts": []})["drafts"]:
    print(f"{len(draft.split())} words: {draft}")
