"""What is shown or stored of a model holds no password of its URLs, and the object still works."""

import pytest

from langchain_dynaspark import ChatDynaspark
from llama_index_dynaspark import Dynaspark

URLS = {
    "http://user:pa55word@host": "http://host",
    "https://user:pa55word@host:8443/x/y": "https://host:8443/x/y",
    "http://pa55word@[::1]:1": "http://[::1]:1",
    "http://user:pa55%40word@host/a@b": "http://host/a@b",
    "http://host/pa55/x": "http://host/pa55/x",
}


@pytest.mark.parametrize("kind", [ChatDynaspark, Dynaspark])
@pytest.mark.parametrize("url", URLS)
def test_a_password_in_base_url_is_neither_shown_nor_dumped(kind: type, url: str) -> None:
    model = kind(base_url=url, proxy="http://u:pa55word@proxy:1")
    shown = f"{model!r} {model} {model.model_dump()} {model.model_dump_json()}"
    assert "word" not in shown
    assert model.model_dump()["base_url"] == URLS[url]
    assert model.base_url == url


def test_a_base_url_that_is_not_given_is_none() -> None:
    assert ChatDynaspark().model_dump()["base_url"] is None
    assert Dynaspark().model_dump()["base_url"] is None
