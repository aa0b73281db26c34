"""Company networks: own authorities, client certificates, proxies of the environment, at the wire."""

import asyncio
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import trustme
from faults.rows import GOOD, SAID, sized
from faults.server import FaultServer, Listener, keeps, leaves, says
from faults.surfaces import SURFACES

from dynaspark_core import DynasparkClient
from dynaspark_core.errors import ConfigError, ConnectError, RejectedError
from dynaspark_core.transport import sessions
from dynaspark_core.transport.setting_checks import PROXY_VARIABLES
from dynaspark_core.transport.settings import settings_from
from dynaspark_core.transport.tls import tls_context
from dynaspark_core.wire.http import USER_AGENT
from langchain_dynaspark import ChatDynaspark
from llama_index_dynaspark import Dynaspark

Serve = Callable[..., Listener]
Ask = Callable[..., str]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def files(authority: trustme.CA, tmp_path: Path) -> dict[str, str]:
    """The authority's certificate, and a client's with its key."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    authority.issue_cert("user@example.org").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "me.pem"))
    return {"ca": str(tmp_path / "ca.pem"), "me": str(tmp_path / "me.pem")}


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


def _tls(authority: trustme.CA, *, demands: bool = False, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> Any:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(tls)
    tls.maximum_version = version
    if demands:
        authority.configure_trust(tls)
        tls.verify_mode = ssl.CERT_REQUIRED
    return tls


def _client(**settings: Any) -> str:
    return asyncio.run(DynasparkClient(**settings).complete("x")).text


def _langchain(**settings: Any) -> str:
    return str(ChatDynaspark(**settings).invoke("x").text)


def _llama_index(**settings: Any) -> str:
    return str(Dynaspark(**settings).complete("x").text)


@pytest.mark.parametrize("ask", [_client, _langchain, _llama_index])
def test_an_own_authority_is_trusted_by_all_surfaces(ask: Ask, authority: trustme.CA, files: dict[str, str]) -> None:
    with demanding(_tls(authority)) as url:
        with pytest.raises(ConnectError, match="set ca_file"):
            ask(base_url=url, max_retries=0)
        assert ask(base_url=url, ca_file=files["ca"]) == SAID


@pytest.mark.parametrize("name", ["ca_file", "client_cert"])
def test_the_environment_names_the_files(
    name: str, authority: trustme.CA, files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DYNASPARK_CA_FILE", files["ca"])
    monkeypatch.setenv("DYNASPARK_CLIENT_CERT", files["me"])
    assert getattr(settings_from(), name) == files["ca" if name == "ca_file" else "me"]
    with demanding(_tls(authority, demands=True)) as url:
        assert _client(base_url=url) == SAID


def test_openssls_variable_counts_also_when_it_is_set_late(
    authority: trustme.CA, files: dict[str, str], server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = server.open(keeps(GOOD), _tls(authority))
    monkeypatch.setenv("SSL_CERT_FILE", files["ca"])
    assert _client(base_url=listener.url, max_retries=0) == SAID


@contextmanager
def demanding(tls: ssl.SSLContext) -> Iterator[str]:
    """The URL of a server on blocking sockets, as those send the alert with which a handshake fails."""

    def serve() -> None:
        while True:
            connection, _ = listening.accept()
            if ending.is_set():
                connection.close()
                return
            with (
                suppress(OSError),
                tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False) as secure,
            ):
                try:
                    secure.do_handshake()
                except ssl.SSLError:  # what is closed with bytes unread sends a reset, which may overtake the alert
                    while socket.socket.recv(secure, 65536):
                        pass
                    continue
                while not secure.recv(65536).endswith(b"--\r\n"):
                    pass
                secure.sendall(GOOD)

    ending = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"
        ending.set()
        socket.create_connection(listening.getsockname()).close()
        thread.join()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_demanded_client_certificate_is_named(
    version: ssl.TLSVersion, authority: trustme.CA, files: dict[str, str]
) -> None:
    with demanding(_tls(authority, demands=True, version=version)) as url:
        with pytest.raises(ConnectError, match=r"client certificate.*set client_cert") as caught:
            _client(base_url=url, ca_file=files["ca"])
        assert caught.value.is_retryable is False
        assert _client(base_url=url, ca_file=files["ca"], client_cert=files["me"]) == SAID


def test_nginxs_page_about_a_client_certificate_is_named(server: FaultServer) -> None:
    page = b"<html><title>400 No required SSL certificate was sent</title></html>"
    listener = server.open(says(sized(page, status=b"400 Bad Request")))
    with pytest.raises(RejectedError, match="set client_cert"):
        _client(base_url=listener.url)


@pytest.mark.parametrize(
    ("name", "text"), [("ca_file", ""), ("ca_file", "no PEM"), ("client_cert", "no PEM"), ("client_cert", "ca")]
)
async def test_a_file_that_cannot_be_used_is_named_before_anything_is_sent(
    name: str, text: str, authority: trustme.CA, tmp_path: Path, server: FaultServer
) -> None:
    path = tmp_path / "x.pem"
    path.write_bytes(authority.cert_pem.bytes() if text == "ca" else text.encode())
    listener = server.open(keeps(GOOD), _tls(authority))
    given: Any = {name: str(path)}
    with pytest.raises(ConfigError, match=f"{name} is '.*x.pem'"):
        await DynasparkClient(base_url=listener.url, **given).complete("x")
    assert listener.requests == []


@pytest.mark.parametrize("name", ["ca_file", "client_cert"])
def test_a_file_that_is_not_there_is_named_at_once(name: str, tmp_path: Path) -> None:
    for wrong in (str(tmp_path / "none.pem"), str(tmp_path), "a\nb"):
        with pytest.raises(ConfigError, match=name):
            settings_from(**{name: wrong})


async def test_a_context_is_made_once_and_again_when_its_file_has_changed(files: dict[str, str]) -> None:
    first = await tls_context(files["ca"])
    assert await tls_context(files["ca"]) is first
    os.utime(files["ca"], ns=(1, 1))
    assert await tls_context(files["ca"]) is not first


PROXY_CASES = [
    ("http://service.test", {"HTTP_PROXY": "p"}, "http://p"),
    ("https://service.test", {"HTTP_PROXY": "p"}, None),
    ("https://service.test", {"HTTPS_PROXY": "http://u:w@p:1"}, "http://u:w@p:1"),
    ("https://service.test", {"https_proxy": "http://low", "HTTPS_PROXY": "http://up"}, "http://low"),
    ("https://service.test", {"ALL_PROXY": "http://all"}, "http://all"),
    ("https://service.test", {"HTTPS_PROXY": "http://p", "NO_PROXY": "service.test"}, None),
    ("https://a.service.test", {"HTTPS_PROXY": "http://p", "NO_PROXY": ".service.test"}, None),
    ("https://service.test:8443", {"HTTPS_PROXY": "http://p", "NO_PROXY": "service.test:8443"}, None),
    ("https://u:p@service.test", {"HTTPS_PROXY": "http://p", "NO_PROXY": "service.test"}, None),
    ("https://service.test", {"HTTPS_PROXY": "http://p", "NO_PROXY": "*"}, None),
    ("https://service.test", {"HTTPS_PROXY": "http://p", "NO_PROXY": "other.test"}, "http://p"),
]


@pytest.mark.parametrize(("url", "environment", "proxy"), PROXY_CASES)
def test_the_proxy_of_the_environment(
    url: str, environment: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert settings_from(base_url=url).proxy is None
    assert settings_from(base_url=url, trust_env=True).proxy == proxy
    assert settings_from(base_url=url, trust_env=True, proxy="http://own:1").proxy == "http://own:1"


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "ALL_PROXY"])
def test_a_proxy_of_another_kind_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for each in PROXY_VARIABLES:
        monkeypatch.delenv(each, raising=False)
        monkeypatch.delenv(each.lower(), raising=False)
    monkeypatch.setenv(name, "socks5://u:secret@p:1")
    with pytest.raises(ConfigError, match=name) as caught:
        settings_from(trust_env=True)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("ask", [_client, _langchain, _llama_index])
def test_the_request_goes_through_the_proxy_of_the_environment(
    ask: Ask, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = server.open(keeps(GOOD))
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    assert ask(base_url="http://service.test", trust_env=True) == SAID
    assert proxy.requests[0].startswith(b"POST http://service.test/generate_response HTTP/1.1")


def test_an_explicit_proxy_is_never_gone_around(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, service = server.open(leaves()), server.open(keeps(GOOD))
    monkeypatch.setenv("NO_PROXY", "*")
    with pytest.raises(Exception, match="connection"):
        _client(base_url=service.url, proxy=proxy.url, trust_env=True, max_retries=0)
    assert service.requests == []


async def test_the_address_of_a_host_is_forgotten_when_it_cannot_be_reached(server: FaultServer) -> None:
    listener = server.open(says(GOOD))
    at = listener.url.replace("127.0.0.1", "localhost")
    client = DynasparkClient(base_url=at, max_retries=0)
    await client.complete("x")
    pool = (await sessions.for_this_loop()).pool
    assert ("localhost", listener.port) in pool._cached_hosts
    server.close(listener)
    with pytest.raises(ConnectError):
        await client.complete("x")
    assert ("localhost", listener.port) not in pool._cached_hosts
    await sessions.close()


async def test_a_caller_replaces_any_header_whatever_its_case(server: FaultServer) -> None:
    listener = server.open(keeps(GOOD))
    await DynasparkClient(base_url=listener.url, headers={"user-agent": "mine", "X-Own": "1"}).complete("x")
    await DynasparkClient(base_url=listener.url).complete("x")
    own, plain = (head.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:] for head in listener.requests)
    ours = ["Accept: */*", "Accept-Language: en-US,en;q=0.9", f"Origin: {listener.url}", f"Referer: {listener.url}/"]
    ours += ["X-Requested-With: XMLHttpRequest"]
    assert {*ours, "X-Own: 1"} <= {*own}
    assert [line for line in own if line.lower().startswith("user-agent:")] == ["user-agent: mine"]
    assert {*ours, f"User-Agent: {USER_AGENT}"} <= {*plain}
    assert not [line for line in plain if line.startswith("X-Own")]
    await sessions.close()


async def test_connections_are_kept_alive(server: FaultServer) -> None:
    await DynasparkClient(base_url=server.open(keeps(GOOD)).url).complete("x")
    pool = (await sessions.for_this_loop()).pool
    ((protocol, _),) = next(iter(pool._conns.values()))
    opened = protocol.transport.get_extra_info("socket")  # type: ignore[union-attr]  # it is open
    assert opened.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0
    await sessions.close()


def test_the_surfaces_are_those_of_the_fault_table() -> None:
    assert {surface.make for surface in SURFACES.values()} == {DynasparkClient, ChatDynaspark, Dynaspark}
