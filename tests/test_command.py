"""`python -m dynaspark_core ask`: the answer on stdout, an error as one line on stderr."""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dynaspark_core import __version__
from dynaspark_core.__main__ import main
from dynaspark_core.server import Answer, LocalService, Pieces, Script

RECEIPT = Path(__file__).parent.parent / "examples/receipt.png"


@pytest.fixture
def script() -> Script:
    return Script(lambda asked: Answer("why", status=400) if asked.prompt == "fail" else Pieces("Hel", "lo é"))


@pytest.fixture
def url(script: Script) -> Iterator[str]:
    with LocalService(script) as service:
        yield service.url


def test_ask_streams_the_answer(url: str, script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "Hi", "--model", "gemini-2.0-flash", "--base-url", url]) == 0
    assert capsys.readouterr() == ("Hello é\n", "")
    assert (script.asked[0].prompt, script.asked[0].model) == ("Hi", "gemini-2.0-flash")


def test_without_a_question_it_reads_stdin(
    url: str, script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("from stdin\n"))
    assert main(["ask", "--base-url", url]) == 0
    assert script.asked[0].prompt == "from stdin\n"
    assert capsys.readouterr().out == "Hello é\n"


def test_stdin_that_is_no_text_is_one_line(
    url: str, script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\x89PNG\xff"), "utf-8"))
    assert main(["ask", "--base-url", url]) == 1
    assert capsys.readouterr().err == "ConfigError: the question on stdin is not text in utf-8: invalid start byte\n"
    assert script.asked == []


@pytest.mark.parametrize("command", [["ask", "Hi"], ["doctor", "--quick"], ["doctor", "--quick", "--json"]])
def test_what_the_terminal_has_no_letters_for_is_replaced(
    url: str, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(shown, "ascii", write_through=True))
    assert main([*command, "--base-url", url]) == 0
    assert b"Hello ?" in shown.getvalue()


def test_without_stdin_a_missing_question_is_one_line(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert main(["ask", "--base-url", url]) == 1
    assert capsys.readouterr().err.startswith("ConfigError: there is no question")


def test_at_a_terminal_it_says_how_a_question_ends(
    url: str, script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal, keyboard = os.openpty()
    os.write(terminal, b"Hi\n\x04")
    with os.fdopen(keyboard, encoding="utf-8") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        assert main(["ask", "--base-url", url]) == 0
    os.close(terminal)
    assert script.asked[0].prompt == "Hi\n"
    assert "Ctrl-D" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["ask", "Hi"], ["doctor", "--quick"]])
def test_a_reader_that_has_enough_is_no_error(
    url: str, command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as stdout:
        monkeypatch.setattr("sys.stdout", stdout)
        assert main([*command, "--base-url", url]) == 1
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", [str(RECEIPT), RECEIPT.as_uri()])
def test_an_image_file_is_sent(name: str, url: str, script: Script) -> None:
    assert main(["ask", "What?", "--image", name, "--base-url", url]) == 0
    assert (script.asked[0].file_name, script.asked[0].file) == ("receipt.png", RECEIPT.read_bytes())


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["fail"], "why"),
        ([""], "empty"),
        (["x", "--image", "missing.png"], "missing.png"),
        (["x", "--image", ""], "--image is empty"),
        (["x", "--image", "HTTP://127.0.0.1/x.png"], "127.0.0.1 is no public"),
        (["x", "--base-url", "nope"], "nope"),
    ],
)
def test_an_error_is_one_line_and_exit_code_1(
    url: str, arguments: list[str], shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", "--base-url", url, *arguments]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert shown in err


def test_wrong_usage_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["ask", "--wrong"])
    assert caught.value.code == 2
    assert "--wrong" in capsys.readouterr().err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert (caught.value.code, capsys.readouterr().out) == (0, f"dynaspark-llm {__version__}\n")


def test_serve_tells_the_defaults_of_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "default: 1000000" in said
    assert "default: DYNASPARK_SERVICE_KEY" in said


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--host", "", "host is empty"),
        ("--api-key", "s3cret\n", "api_key is not printable text (its value is not shown); does a line break end it?"),
        ("--grace", "nan", "--grace is nan; it must be a number of seconds"),
        ("--grace", "-1", "--grace is -1"),
        ("--allow-host", "https://llm.example", "allow_hosts holds 'https://llm.example'"),
        ("--allow-host", "*.example", "allow_hosts holds '*.example'"),
        ("--allow-host", "", "allow_hosts holds ''"),
        ("--allow-origin", "*", "allow_origins holds '*'; it must be one page's origin, such as https://app.example"),
        ("--allow-origin", "app.example", "allow_origins holds 'app.example'"),
        ("--allow-origin", "https://*.example", "allow_origins holds 'https://*.example'"),
    ],
)
def test_what_serve_could_not_heed_is_refused(
    option: str, value: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is no port 99999, so that it ends in any case."""
    assert main(["serve", "--engine", "script", "--port", "99999", option, value]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert f"ConfigError: {said}" in err


@pytest.mark.parametrize("threads", ["0", "-1"])
def test_fewer_threads_than_one_are_refused_before_anything_is_fetched(
    threads: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--threads", threads, "--model", "missing.gguf"]) == 1
    assert capsys.readouterr() == ("", f"ConfigError: threads must be at least 1: {threads}\n")
