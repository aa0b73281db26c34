"""docs/deploy.md: its files are read as their programs read them, and every command in them is run.

`docker compose` itself cannot be run here. nginx and systemd-analyze are asked where they are installed.
"""

import argparse
import asyncio
import configparser
import io
import json
import os
import re
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme
import yaml
from aiohttp import web
from serving import listening_app

from dynaspark_core.server.cli import add_arguments

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
KEY = {"DYNASPARK_SERVICE_KEY": "a-key", "PYTHONPATH": str(ROOT)}
NGINX = shutil.which("nginx") or os.environ.get("NGINX")


def block(kind: str) -> str:
    found = re.search(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None, kind
    return found[1]


COMPOSE = yaml.safe_load(block("yaml"))["services"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def answers(request: web.Request) -> web.StreamResponse:
    """A model server: a first word at once, the second when the client has seen the first."""
    asked = await request.json()
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for text, reason in (("One ", None), (asked["model"], "stop")):
        choice = {"delta": {"content": text}, "finish_reason": reason}
        await response.write(b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n")
    return response


@asynccontextmanager
async def serving(command: list[str], *options: str) -> AsyncIterator[str]:
    """The URL of the service that the page's command starts, on a free port in front of a model server of the test."""
    app = web.Application(client_max_size=64 << 20)
    app.router.add_post("/v1/chat/completions", answers)
    async with listening_app(app) as upstream:
        words = [upstream + "/v1" if word.endswith(":11434/v1") else word for word in command[1:]]
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, "--host", "127.0.0.1", "--port", "0", *options,
            env=os.environ | KEY, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert process.stdout is not None
        yield (await process.stdout.readline()).decode().split()[2]
        process.send_signal(signal.SIGTERM)
        await process.communicate()
        assert process.returncode == 0


def test_the_compose_file_names_what_is_there() -> None:
    assert set(COMPOSE) == {"upstream", "redis", "dynaspark", "worker"}
    for service in COMPOSE.values():
        assert ("image" in service) != ("build" in service)
        assert set(service.get("depends_on", ())) <= set(COMPOSE)
    assert int(COMPOSE["dynaspark"]["stop_grace_period"].rstrip("s")) > int(COMPOSE["dynaspark"]["command"][-1])


@pytest.mark.skipif(os.name == "nt", reason="signals")
async def test_the_service_and_its_health_check_run() -> None:
    check = COMPOSE["dynaspark"]["healthcheck"]["test"]
    async with serving(COMPOSE["dynaspark"]["command"]) as url, aiohttp.ClientSession() as session:
        script = check[3].replace("http://127.0.0.1:8323", url)
        done = await asyncio.create_subprocess_exec(sys.executable, *check[2:3], script)
        assert await done.wait() == 0
        form = {"user_input": "Hi"}
        async with session.post(f"{url}/generate_response", data=form) as response:
            assert response.status == 401
        async with session.post(f"{url}/generate_response?api_key=a-key", data=form) as response:
            assert (await response.json())["response"] == "One qwen2.5:7b"


@pytest.mark.skipif(os.name == "nt" or shutil.which("redis-server") is None, reason="there is no redis-server here")
async def test_four_workers_share_one_limit(tmp_path: Path) -> None:
    (tmp_path / "worker.py").write_text(block("python"), encoding="utf-8")
    worker, port = COMPOSE["worker"], free_port()
    redis = await asyncio.create_subprocess_exec(
        *COMPOSE["redis"]["command"], "--port", str(port), "--dir", str(tmp_path), stdout=subprocess.PIPE
    )
    assert redis.stdout is not None
    while b"Ready to accept connections" not in await redis.stdout.readline():
        pass
    try:
        async with serving(COMPOSE["dynaspark"]["command"]) as url:
            values = {"http://dynaspark:8323": url, "redis://redis:6379": f"redis://127.0.0.1:{port}", "1000": "7"}
            environment = {name: values.get(value, "a-key") for name, value in worker["environment"].items()}
            workers = [
                await asyncio.create_subprocess_exec(
                    sys.executable,
                    *worker["command"][1:],
                    cwd=tmp_path,
                    stdout=subprocess.PIPE,
                    env=os.environ | KEY | environment,
                )
                for _ in range(worker["deploy"]["replicas"])
            ]
            lines = b"".join([(await each.communicate())[0] for each in workers]).decode().splitlines()
    finally:
        redis.terminate()
        await redis.communicate()
    assert (lines.count("One qwen2.5:7b"), sum(line.startswith("later: ") for line in lines)) == (7, 5)


def test_the_containers_command_and_extras_exist() -> None:
    found = re.search(r"^CMD (\[.*\])$", block("dockerfile"), re.MULTILINE)
    assert found is not None
    words = json.loads(found[1])
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert (words[:4], parser.parse_args(words[4:]).host) == (["python", "-m", "dynaspark_core", "serve"], "0.0.0.0")
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for extras in re.findall(r"/src\[(.*?)\]", PAGE):
        assert all(f"\n{extra} = [" in project for extra in extras.split(","))


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their case
    parser.read_string(block("ini"))
    return parser


@pytest.mark.skipif(os.name == "nt", reason="signals")
async def test_the_units_command_runs() -> None:
    words = shlex.split(unit()["Service"]["ExecStart"])
    async with serving(words) as url, aiohttp.ClientSession() as session:
        for host, status in (("llm.example", 200), ("other.example", 403)):
            async with session.get(f"{url}/health", headers={"Host": host}) as response:
                assert response.status == status


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")
def test_the_unit_is_one(tmp_path: Path) -> None:
    file = tmp_path / "dynaspark.service"
    file.write_text(block("ini").replace("/opt/dynaspark/bin/python", sys.executable), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True, check=False)
    assert "dynaspark.service" not in done.stderr


@pytest.mark.skipif(NGINX is None, reason="there is no nginx here (NGINX=PATH names another)")
async def test_nginx_passes_large_forms_and_the_pages_origin_on(tmp_path: Path) -> None:
    words, port = shlex.split(unit()["Service"]["ExecStart"]), free_port()
    authority = trustme.CA()
    certificate = authority.issue_cert("llm.example")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    async with serving(words) as url:
        site = block("nginx").replace("http://127.0.0.1:8323", url).replace("443", f"127.0.0.1:{port}")
        site = site.replace("/etc/ssl/llm.example.pem", str(tmp_path / "cert.pem"))
        site = site.replace("/etc/ssl/llm.example.key", str(tmp_path / "key.pem"))
        (tmp_path / "nginx.conf").write_text(_nginx(tmp_path, site), encoding="utf-8")
        command: list[Any] = [NGINX, "-p", tmp_path, "-c", tmp_path / "nginx.conf", "-e", tmp_path / "error.log"]
        nginx = await asyncio.create_subprocess_exec(*command)
        trust = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
        try:
            while not await _is_open(port):
                assert nginx.returncode is None, (tmp_path / "error.log").read_text()
            await _through(f"https://127.0.0.1:{port}", trust)
        finally:
            nginx.terminate()
            await nginx.wait()


def _nginx(folder: Path, site: str) -> str:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    main = f"daemon off; master_process off; pid {folder}/pid;\nevents {{}}\n"
    return f"{main}http {{\naccess_log off;\n{paths}{site}}}\n"


async def _is_open(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def _through(url: str, trust: ssl.SSLContext) -> None:
    """Ask with a large picture, under the public name, as our client and as a browser's page do."""
    connector = aiohttp.TCPConnector(ssl=trust)
    async with aiohttp.ClientSession(connector=connector) as session:
        for origin, status in (("https://llm.example", 200), ("https://evil.example", 403)):
            form = aiohttp.FormData({"user_input": "Hi"}, default_to_multipart=True)
            picture = io.BytesIO(b"\x89PNG\r\n\x1a\n" + bytes(10 << 20))
            form.add_field("file", picture, filename="a.png", content_type="image/png")
            headers = {"Host": "llm.example", "Origin": origin, "Authorization": "Bearer a-key"}
            posted = session.post(f"{url}/generate_response", data=form, headers=headers, server_hostname="llm.example")
            async with posted as response:
                assert response.status == status
                assert status != 200 or (await response.json())["response"] == "One qwen2.5:7b"
