"""FastAPI: the answer arrives as server-sent events. Run `fastapi dev web_fastapi.py`, open http://127.0.0.1:8000."""

from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from dynaspark_core import DynasparkClient, DynasparkError

app, client = FastAPI(), DynasparkClient()
PAGE = """<form><input name=question><button>Ask</button></form><pre></pre><script>
document.forms[0].onsubmit = asked => {
  const source = new EventSource("/ask?" + new URLSearchParams(new FormData(asked.target)))
  const show = piece => document.querySelector("pre").textContent += JSON.parse(piece.data)
  source.onmessage = show, source.addEventListener("end", end => (show(end), source.close()))
  asked.preventDefault()
}</script>"""
app.get("/", response_class=HTMLResponse)(lambda: PAGE)


@app.get("/ask", response_class=EventSourceResponse)
async def ask(question: str) -> AsyncIterator[ServerSentEvent]:
    end = "\n"
    try:
        async for text in client.stream(question):
            yield ServerSentEvent(data=text)
    except DynasparkError as error:
        end = f"\n{error}\n"
    yield ServerSentEvent(data=end, event="end")
