"""The front ends of `examples`, each through its own package's test client, with the service behind it."""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from dynaspark_core.server import Answer, LocalService, Pieces, Script

FOLDER = Path(__file__).parent.parent / "examples"
pytestmark = pytest.mark.filterwarnings("default")  # of packages that are not ours


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    with LocalService(script := Script(Pieces("Hel", "lo."), "Again.")) as service:
        monkeypatch.setenv("DYNASPARK_BASE_URL", service.url)
        monkeypatch.setenv("DYNASPARK_MAX_RETRIES", "0")
        monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
        yield script


def program(name: str) -> ModuleType:
    """The example as a module of its own, made after the environment names the service."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def package(name: str) -> Any:
    return pytest.importorskip(name, reason=f"{name} is not installed: pip install --group front-ends")


def events(text: str) -> list[tuple[str, str]]:
    """Each server-sent event: its name and its data."""
    found = []
    for event in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in event.splitlines())
        found.append((fields.get("event", "message"), json.loads(fields["data"])))
    return found


def test_fastapi_sends_the_pieces_as_events(script: Script) -> None:
    package("fastapi.sse")
    testing = package("fastapi.testclient")
    with testing.TestClient(program("web_fastapi").app) as client:
        response = client.get("/ask", params={"question": "Hi"})
        assert response.headers["content-type"].startswith("text/event-stream")
        *pieces, end = events(response.text)
        assert (end, {name for name, _ in pieces}) == (("end", "\n"), {"message"})
        assert "".join(text for _, text in pieces) == "Hello."
        assert 'new EventSource("/ask?"' in client.get("/").text
    assert [asked.prompt for asked in script.asked] == ["Hi"]


def test_fastapi_tells_a_failure_in_the_last_event(script: Script) -> None:
    package("fastapi.sse")
    testing = package("fastapi.testclient")
    script.answers = [Answer("no", status=500)]
    with testing.TestClient(program("web_fastapi").app) as client:
        ((name, said),) = events(client.get("/ask", params={"question": "Hi"}).text)
    assert name == "end"
    assert "500" in said


def test_gradio_answers_with_the_picture_and_the_history(script: Script) -> None:
    package("gradio")
    client_package = package("gradio_client")
    demo = program("web_gradio").demo
    _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True)
    try:
        client = client_package.Client(url, verbose=False)
        picture = client_package.handle_file(str(FOLDER / "receipt.png"))
        job = client.submit({"text": "Hi", "files": [picture]}, api_name="/reply")
        assert "Hello." in str(job.result(30))
        assert len(job.outputs()) > 1
        assert "Again." in str(client.predict({"text": "And now?", "files": []}, api_name="/reply"))
    finally:
        demo.close()
    assert script.asked[0].file == (FOLDER / "receipt.png").read_bytes()
    assert "Hello." in script.asked[1].prompt


def test_streamlit_keeps_the_conversation(script: Script) -> None:
    package("streamlit")
    testing = package("streamlit.testing.v1")
    page = testing.AppTest.from_file(str(FOLDER / "web_streamlit.py"), default_timeout=30).run()
    page.chat_input[0].set_value("Hi").run()
    page.chat_input[0].set_value("And now?").run()
    assert not page.exception
    assert [message.markdown[0].value for message in page.chat_message] == ["Hi", "Hello.", "And now?", "Again."]
    assert "Hello." in script.asked[1].prompt


def test_streamlit_shows_a_failure(script: Script) -> None:
    package("streamlit")
    testing = package("streamlit.testing.v1")
    script.answers = [Answer("no", status=500)]
    page = testing.AppTest.from_file(str(FOLDER / "web_streamlit.py"), default_timeout=30).run()
    page.chat_input[0].set_value("Hi").run()
    assert "500" in page.error[0].value
