"""`serve --model hf:OWNER/REPO/FILE.gguf`: the file comes from a server here that speaks the hub's protocol."""

import asyncio
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from aiohttp import web
from serving import listening_app

from dynaspark_core.errors import ConfigError
from dynaspark_core.server.local import hub

CONTENT = bytes(range(256)) * 50_000
"""More than the 10 MB that the package writes at a time."""
COMMIT = "a" * 40
NAME = "hf:some-owner/A.Repo/models/tiny-Q4_0.gguf"


class Hub:
    """Answers for one file of one repository, with ranges, as the hub documents them; `asked` are the ranges."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.cut = False

    async def file(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.method, request.headers.get("Range")))
        start = int((request.headers.get("Range") or "bytes=0-").removeprefix("bytes=").partition("-")[0])
        etag = f'"{hashlib.sha256(CONTENT).hexdigest()}"'
        headers = {"X-Repo-Commit": COMMIT, "ETag": etag, "Accept-Ranges": "bytes"}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
        if request.method == "HEAD":
            return web.Response(headers=headers | {"Content-Length": str(len(CONTENT))})
        response = web.StreamResponse(status=206 if start else 200, headers=headers)
        response.content_length = len(CONTENT) - start
        await response.prepare(request)
        if self.cut:
            self.cut = False
            await response.write(CONTENT[start:-100])
            assert request.transport is not None
            request.transport.close()
        else:
            await response.write(CONTENT[start:])
        return response


@pytest.fixture
async def served() -> AsyncIterator[tuple[Hub, str]]:
    if find_spec("huggingface_hub") is None:
        pytest.skip("the extra `local` is not installed: no huggingface_hub")
    app, answers = web.Application(), Hub()
    app.router.add_route("*", "/some-owner/A.Repo/resolve/{revision}/models/tiny-Q4_0.gguf", answers.file)
    async with listening_app(app) as url:
        yield answers, url


async def fetched(url: str, folder: Path, name: str = NAME, **environment: str) -> tuple[str, str]:
    """What a process of its own prints that fetches the file: the package reads the environment at its import."""
    code = f"from dynaspark_core.server.local import hub; print(hub.fetch({name!r}))"
    fresh = {"HF_ENDPOINT": url, "HF_HOME": str(folder), "HF_HUB_DISABLE_TELEMETRY": "1"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, env=os.environ | fresh | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    printed, errors = await process.communicate()
    return printed.decode().strip(), errors.decode()


async def test_the_file_is_fetched_once_and_found_without_the_hub(served: tuple[Hub, str], tmp_path: Path) -> None:
    answers, url = served
    printed, errors = await fetched(url, tmp_path)
    assert await asyncio.to_thread(Path(printed).read_bytes) == CONTENT, errors
    gets = [method for method, _ in answers.asked].count("GET")
    assert (await fetched(url, tmp_path))[0] == printed
    assert [method for method, _ in answers.asked].count("GET") == gets == 1
    asked = len(answers.asked)
    assert (await fetched(url, tmp_path, HF_HUB_OFFLINE="1"))[0] == printed
    assert len(answers.asked) == asked


async def test_a_broken_download_goes_on_where_it_ended(served: tuple[Hub, str], tmp_path: Path) -> None:
    answers, url = served
    answers.cut = True
    printed, errors = await fetched(url, tmp_path)
    assert await asyncio.to_thread(Path(printed).read_bytes) == CONTENT, errors
    assert [wanted and wanted != "bytes=0-" for method, wanted in answers.asked if method == "GET"] == [None, True]


@pytest.mark.parametrize("offline", ["0", "1"])
async def test_a_file_that_cannot_be_had_is_a_clear_error(
    served: tuple[Hub, str], tmp_path: Path, offline: str
) -> None:
    _, url = served
    name = "hf:some-owner/A.Repo/missing.gguf"
    printed, errors = await fetched(url, tmp_path, name, HF_HUB_OFFLINE=offline)
    assert printed == ""
    assert f"ConfigError: cannot fetch {name} from the hub: " in errors.splitlines()[-1]


@pytest.mark.parametrize("name", ["hf:file.gguf", "hf:owner/repo", "hf:owner/repo/file.bin", "hf:a/b/c.gguf?x", "hf:"])
def test_another_form_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=re.escape("hf:OWNER/REPO/FILE.gguf")):
        hub.fetch(name)
