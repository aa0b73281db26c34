"""What an error says to somebody who makes a beginner's mistake: the cause, where it is, and the way out."""

import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytest
from llama_index.core.llms import AudioBlock, ChatMessage

from dynaspark_core import DynasparkClient
from dynaspark_core.errors import ConfigError, ConnectError, DynasparkError, ImageError, ReplyError
from dynaspark_core.server import Answer, LocalService, Script
from llama_index_dynaspark import Dynaspark

START = "Start it with: python -m dynaspark_core serve"


def asked(**settings: Any) -> Callable[[], object]:
    return lambda: DynasparkClient(max_retries=0, **settings).sync.complete("Hi.")


def shown(*images: object) -> Callable[[], object]:
    return lambda: DynasparkClient().sync.preview("Hi.", images=images)


MISTAKES: dict[str, tuple[Callable[[], object], type[DynasparkError], list[str]]] = {
    "text as bytes": (shown(b"a path or base64"), ImageError, ["the bytes look like text, not an image"]),
    "a path as text": (shown(b"", "image.png"), ImageError, ["images[1] is a path", "pathlib.Path"]),
    "a path as text, with a name": (shown(("a.png", "image.png")), ImageError, ["images[0] is a path", "pathlib.Path"]),
    "a number": (shown(7), ConfigError, ["images[0]: cannot read an image from int", "pathlib.Path"]),
    "no service, by address": (asked(base_url="http://127.0.0.1:9"), ConnectError, [START]),
    "no service, by name": (asked(base_url="http://localhost:9"), ConnectError, [START]),
    "no service, IPv6": (asked(base_url="http://[::1]:9"), ConnectError, [START]),
    "no proxy": (
        asked(proxy="http://127.0.0.1:9", base_url="http://example.com"),
        ConnectError,
        ["no connection to the proxy 127.0.0.1:9", "check the setting proxy"],
    ),
    "no proxy, TLS": (
        asked(proxy="http://127.0.0.1:9", base_url="https://example.com"),
        ConnectError,
        ["no connection to the proxy 127.0.0.1:9"],
    ),
    "a message for complete": (
        lambda: Dynaspark().complete(ChatMessage("Hi.")),
        ConfigError,
        ["complete takes a text, not ChatMessage; use chat"],
    ),
    "sound": (
        lambda: Dynaspark().preview([ChatMessage(blocks=[AudioBlock(audio=b"RIFF", format="wav")])]),
        ConfigError,
        ["messages[0].blocks[0] is of type AudioBlock"],
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_with_the_way_out(name: str) -> None:
    make, kind, words = MISTAKES[name]
    with pytest.raises(kind) as caught:
        make()
    assert [part for part in words if part not in str(caught.value)] == []
    assert ("proxy 127" in str(caught.value)) <= (START not in str(caught.value))


@pytest.mark.skipif(find_spec("brotli") is not None or find_spec("brotlicffi") is not None, reason="it is read here")
def test_an_answer_compressed_as_a_copied_header_asks_names_the_header() -> None:
    with LocalService(Script(Answer(body=b"\x0b", headers={"Content-Encoding": "br"}))) as service:
        ask = asked(base_url=service.url, headers={"Accept-Encoding": "gzip, br"})
        with pytest.raises(ReplyError, match=r"compressed in a way that cannot be read here .*Accept-Encoding"):
            ask()


@pytest.mark.parametrize(
    ("package", "framework", "extra"),
    [
        ("langchain_dynaspark", "langchain_core", "dynaspark-llm[langchain]"),
        ("llama_index_dynaspark", "llama_index", "dynaspark-llm[llama-index]"),
    ],
)
def test_a_face_without_its_framework_names_the_extra(package: str, framework: str, extra: str) -> None:
    hidden = (
        "import sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] == {framework!r}:\n"
        "            raise ModuleNotFoundError('not installed', name=name)\n"
        "sys.meta_path.insert(0, Hidden())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{hidden}import {package}"], capture_output=True, text=True, check=False
    )
    assert done.stderr.splitlines()[-1].endswith(f'pip install "{extra}"')
