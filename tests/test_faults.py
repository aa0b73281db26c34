"""Every way in which a host breaks (`faults.rows`), met by the ways to ask: what the caller is told, and how often."""

import asyncio
import logging
import re
import ssl
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent
from urllib.parse import quote, quote_plus

import pytest
import trustme
from faults.rows import CUT, GOOD, KEY, PAGE, PASSWORD, PROMPT, ROWS, SHORT, Fault, answer, limited, sized
from faults.server import FaultServer, Talk, says
from faults.surfaces import BY_API, SURFACES, Meeting, Result, causes, expected, fits, found
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from llama_index.core import Document, SummaryIndex
from yarl import URL

from dynaspark_core import DynasparkClient
from dynaspark_core.errors import ConnectError, DynasparkError, ReplyError, RequestTimeoutError, StatusError
from dynaspark_core.transport import sessions
from langchain_dynaspark import ChatDynaspark
from llama_index_dynaspark import Dynaspark


def sent(secret: str) -> str:
    """The spelling in which aiohttp sends it in a query."""
    return URL("http://host").with_query({"": secret}).raw_query_string.removeprefix("=")


FACES = [name for name in SURFACES if not name.startswith("client.") and name not in BY_API]
SECRETS = [
    form
    for secret in (KEY, PASSWORD)
    for form in (secret, quote(secret, safe=""), quote(secret), quote_plus(secret), repr(secret)[1:-1], sent(secret))
]
QUESTION = [PROMPT, quote(PROMPT, safe=""), quote(PROMPT), quote_plus(PROMPT), sent(PROMPT), "pr1vate"]
"""The prompt in the spellings of a URL, and a part of it."""
SECRETS.append(b64encode(f"user:{PASSWORD}".encode("latin-1")).decode())


def names(fault: Fault) -> list[str]:
    """The client, whole and in pieces, and of the faces' ways two and of the query API's one (all: `make faults`)."""
    at = ROWS.index(fault)
    faces = [FACES[(at + step) % len(FACES)] for step in (0, 5)]
    if fault.is_heavy:
        return ["client.complete", faces[0]]
    return ["client.complete", "client.stream", *faces, *([list(BY_API)[at % len(BY_API)]] if fits(fault) else [])]


def _pairs(faults: Iterable[Fault]) -> Iterator[tuple[Fault, str]]:
    return ((fault, name) for fault in faults for name in names(fault))


class Met:
    """What all meetings gave, and what was logged meanwhile."""

    def __init__(self, results: dict[tuple[str, str], Result], logged: str, seen_behind: int) -> None:
        self.results, self.logged, self.seen_behind = results, logged, seen_behind


class Kept(logging.Handler):
    """Every record as text."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.getMessage()} {vars(record)}")


@pytest.fixture(scope="module")
def met() -> Iterator[Met]:
    """All faults, many at a time; those that cost much one by one."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    kept, log = Kept(), logging.getLogger("dynaspark_core")
    log.addHandler(kept)
    log.setLevel(logging.DEBUG)
    with FaultServer() as server:
        many, some, few = (Meeting(server, tls, at_a_time) for at_a_time in (32, 24, 1))
        results = many(_pairs(fault for fault in ROWS if not fault.is_heavy and fault.timeout > SHORT))
        results |= some(_pairs(fault for fault in ROWS if not fault.is_heavy and fault.timeout == SHORT))
        results |= few(_pairs(fault for fault in ROWS if fault.is_heavy))
        yield Met(results, "\n".join(kept.lines), many.behind.connections + some.behind.connections)
    log.removeHandler(kept)
    log.setLevel(logging.NOTSET)


@pytest.mark.parametrize("fault", ROWS, ids=str)
def test_a_fault_ends_as_the_table_says(fault: Fault, met: Met) -> None:
    results = {name: met.results[str(fault), name] for name in names(fault)}
    assert {name: found(name, fault, result) for name, result in results.items()} == {
        name: expected(name, fault) for name in results
    }


@pytest.mark.parametrize("fault", [fault for fault in ROWS if not isinstance(fault.outcome, str)], ids=str)
def test_a_message_is_short_plain_and_keeps_secrets(fault: Fault, met: Met) -> None:
    for name in names(fault):
        result = met.results[str(fault), name]
        message = str(result.error)
        assert 0 < len(message) <= 1000
        assert message.isprintable()
        assert not any(mark in message.lower() for mark in ("<html", "<!doctype"))
        assert [secret for secret in SECRETS if secret in result.told] == []


@pytest.mark.parametrize("fault", [fault for fault in ROWS if not isinstance(fault.outcome, str)], ids=str)
def test_a_tracer_keeps_no_secret(fault: Fault, met: Met) -> None:
    for name in names(fault):
        traces = met.results[str(fault), name].traces
        kept = "\n".join(traces.kept) if traces is not None else ""
        assert bool(kept) == name.startswith("Chat")
        assert [secret for secret in SECRETS if secret in kept] == []


@pytest.mark.parametrize("fault", [fault for fault in ROWS if not isinstance(fault.outcome, str)], ids=str)
def test_the_prompt_of_a_url_is_in_no_error(fault: Fault, met: Met) -> None:
    """Only where the host itself sends the request back, its words are quoted."""
    for name in [name for name in names(fault) if name in BY_API and "the request" not in fault.name]:
        result = met.results[str(fault), name]
        assert result.told
        assert [form for form in QUESTION if form in result.told] == []


@pytest.mark.parametrize("kind", [ConnectError, RequestTimeoutError])
def test_the_cause_is_kept(kind: type[DynasparkError], met: Met) -> None:
    errors = [result.error for result in met.results.values() if isinstance(result.error, kind)]
    assert errors
    assert [error for error in errors if isinstance(list(causes(error))[-1], DynasparkError)] == []


def test_no_cookie_comes_back_and_no_direct_connection_is_made(met: Met) -> None:
    requests = [request for result in met.results.values() for request in result.requests]
    assert [request for request in requests if b"\r\ncookie:" in request.lower()] == []
    assert met.seen_behind == 0


def test_the_log_holds_no_secret_and_no_prompt(met: Met) -> None:
    assert met.logged
    assert [secret for secret in [*SECRETS, *QUESTION] if secret in met.logged] == []


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_a_redirect_takes_the_prompt_nowhere(code: int) -> None:
    with FaultServer() as server:
        other = server.open(says(GOOD))
        first = server.open(says(sized(b"", b"Location: " + other.url.encode(), status=b"%d Moved" % code)))
        with pytest.raises(StatusError, match="set base_url"):
            await DynasparkClient(base_url=first.url).complete("x")
        assert (len(first.requests), other.connections) == (1, 0)


TRUSTING = """
import asyncio, sys
from dynaspark_core import DynasparkClient
from dynaspark_core.transport import sessions
from dynaspark_core.errors import ConnectError
client = DynasparkClient(base_url=sys.argv[1])
try:
    print(asyncio.run(client.complete("x")).text)
except ConnectError as error:
    print(error.is_retryable, error)
"""
"""A program of its own, as OpenSSL's trusted authorities are read when aiohttp is imported."""


@pytest.mark.parametrize(
    ("host", "days", "said"),
    [
        ("127.0.0.1", 1, "whole answer"),
        ("127.0.0.1", -1, "False no secure connection: .*certificate has expired"),
        ("example.org", 1, "False no secure connection: .*(IP address|Hostname) mismatch"),
    ],
    ids=["good", "expired", "another host's"],
)
def test_a_certificate_of_a_trusted_authority_is_checked(host: str, days: int, said: str, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host, not_after=datetime.now(UTC) + timedelta(days=days)).configure_cert(tls)
    with FaultServer() as server:
        listener = server.open(says(GOOD), tls)
        done = subprocess.run(
            [sys.executable, "-c", dedent(TRUSTING), listener.url],
            env={"SSL_CERT_FILE": str(tmp_path / "ca.pem")},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    assert len(listener.requests) == (said == "whole answer")
    assert re.search(said, done.stdout), done.stdout


async def test_a_hostile_answer_leaves_turns_to_others_on_the_loop() -> None:
    """The bomb's 8 MB of events take a second of computing; an answer is read piece by piece."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    bomb = next(fault for fault in ROWS if str(fault) == "compression: a bomb of events")
    with FaultServer() as server:
        client = DynasparkClient(base_url=server.open(bomb.talk).url)
        ticking = asyncio.create_task(other())
        with pytest.raises(ReplyError):
            await client.complete("x")
        ticking.cancel()
        await sessions.close()
    assert turns > 100


SENTENCES: dict[str, tuple[Talk, str]] = {
    "a wrong path": (
        says(sized(PAGE, status=b"404 Not Found")),
        "the service answered 404 (check base_url and path): an HTML page",
    ),
    "a wrong host": (
        says(sized(PAGE)),
        "an HTML page came instead of an answer: the host is waking up, or base_url is not the service's",
    ),
    "no key": (
        says(sized(b'{"error": {"message": "Invalid API key"}}', status=b"401 No")),
        "the service answered 401 (set api_key or DYNASPARK_API_KEY): Invalid API key",
    ),
    "a long wait": (
        says(limited(b"Retry-After: 2712", body=b'{"error": "Rate limit exceeded"}')),
        "the service answered 429 (it asks to wait 2712 s): Rate limit exceeded",
    ),
    "a cut answer": (
        says(answer(b"Content-Length: 500", body=CUT)),
        "the connection broke before the answer was whole, after 6 characters",
    ),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_what_a_user_reads_names_what_happened_and_the_way_out(name: str) -> None:
    """Through a chain of LangChain and a query of LlamaIndex."""
    talk, sentence = SENTENCES[name]
    with FaultServer() as server:
        url = server.open(talk).url
        chain = ChatPromptTemplate.from_template("{q}") | ChatDynaspark(base_url=url, max_retries=0) | StrOutputParser()
        index = SummaryIndex.from_documents([Document(text="x")])
        engine = index.as_query_engine(llm=Dynaspark(base_url=url, max_retries=0))
        for ask in (lambda: chain.invoke({"q": "x"}), lambda: engine.query("x")):
            with pytest.raises(DynasparkError) as caught:
                ask()
            assert str(caught.value) == sentence
