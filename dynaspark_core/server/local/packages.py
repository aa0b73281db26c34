"""The packages of the extra `local`: imported only when they are needed, and kept from reporting their use."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dynaspark_core.errors import ConfigError

_REPORTER = "openvino_telemetry"


@contextmanager
def require_packages() -> Iterator[None]:
    """A block that imports packages of the extra; raises `ConfigError` with the command that installs them."""
    try:
        yield
    except ImportError as exc:
        what = exc.name or str(exc)
        raise ConfigError(f'the local engine needs {what}: pip install "dynaspark-llm[local]"') from exc


def openvino_genai() -> Any:
    """The module openvino_genai.

    Its import would report to its makers' statistics server, by the package `openvino_telemetry`. That one is kept
    out of reach meanwhile: openvino then takes a stub of its own that sends nothing.
    """
    is_hidden = _REPORTER not in sys.modules
    if is_hidden:
        sys.modules[_REPORTER] = None  # type: ignore[assignment]  # "None makes the import fail", language reference 5.3.1
    try:
        with require_packages():
            import openvino_genai as genai  # noqa: PLC0415  # of the extra `local`
    finally:
        if is_hidden:
            del sys.modules[_REPORTER]
    return genai


def rapidocr() -> Any:
    """The module rapidocr, which is to use openvino.

    Its other runtime, onnxruntime, reports to its makers' statistics server (seen with 1.31 on Linux).
    """
    openvino_genai()
    with require_packages():
        import rapidocr as ocr  # noqa: PLC0415  # of the extra `local`
    return ocr
