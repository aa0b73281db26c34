"""A headless Chromium for tests, driven over the WebDriver protocol (W3C) by the standard library alone."""

import base64
import json
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Self

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
)  # fmt: skip
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The name of an element's reference in the protocol."""
PATIENCE_SECONDS = 30


class Browser:
    """One window; a context manager. Elements are named by their `id`."""

    def __init__(self) -> None:
        self._profile = tempfile.mkdtemp(prefix="chromium-")
        self._driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._driver.stdout is not None
        line = next(line for line in self._driver.stdout if "started successfully on port" in line)
        self._url = f"http://127.0.0.1:{int(line.rsplit(maxsplit=1)[1].strip('.'))}"
        options = {"binary": shutil.which("chromium"), "args": [*FLAGS, f"--user-data-dir={self._profile}"]}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        session = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"/session/{session['sessionId']}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._call("DELETE", self._session)
        finally:
            self._driver.terminate()
            self._driver.communicate()
            shutil.rmtree(self._profile, ignore_errors=True)

    def open(self, url: str) -> None:
        """Load the address."""
        self._post("/url", url=url)

    def type(self, name: str, text: str) -> None:
        """Write into the empty field."""
        self._post(f"/element/{self._find(name)}/value", text=text)

    def choose(self, name: str, file: Path) -> None:
        """Choose a file."""
        self.type(name, str(file))

    def click(self, name: str) -> None:
        """Click the element."""
        self._post(f"/element/{self._find(name)}/click")

    def text(self, name: str) -> str:
        """The element's text, as it stands in the document."""
        return str(self._call("GET", f"{self._session}/element/{self._find(name)}/property/textContent"))

    def run(self, script: str, *arguments: object) -> Any:
        """What the script returns."""
        return self._post("/execute/sync", script=script, args=list(arguments))

    def wait_for(self, name: str, text: str) -> None:
        """Wait until the element has exactly this text."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (found := self._text_or_none(name)) != text:
            assert time.monotonic() < deadline, f"{name} is {found!r}, not {text!r}"

    def wait_until(self, script: str) -> None:
        """Wait until the script returns something true."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.run(script):
            assert time.monotonic() < deadline, script

    def size(self, width: int, height: int) -> None:
        """Make the page this wide and high, in CSS pixels, as on a phone."""
        self._devtools(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    def prefer(self, scheme: str) -> None:
        """Prefer the colour scheme `light` or `dark`."""
        self._devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def set_javascript(self, *, enabled: bool) -> None:
        """Switch JavaScript on or off for pages that are loaded from now on."""
        self._devtools("Emulation.setScriptExecutionDisabled", value=not enabled)

    def screenshot(self) -> bytes:
        """The window as a PNG."""
        return base64.b64decode(self._call("GET", f"{self._session}/screenshot"))

    def complaints(self) -> list[str]:
        """What the browser has logged since the last time: errors of scripts, broken policies, failed loads."""
        return [entry["message"] for entry in self._post("/se/log", type="browser")]

    @staticmethod
    def encoded(file: Path) -> str:
        """The file's bytes in base64, for a script."""
        return base64.b64encode(file.read_bytes()).decode()

    def _find(self, name: str) -> str:
        return str(self._post("/element", using="css selector", value=f"#{name}")[_ELEMENT])

    def _text_or_none(self, name: str) -> str | None:
        """The element's text; None while another page is being loaded."""
        try:
            return self.text(name)
        except LookupError:
            return None

    def _devtools(self, command: str, **parameters: object) -> None:
        self._post("/goog/cdp/execute", cmd=command, params=parameters)

    def _post(self, path: str, **body: object) -> Any:
        return self._call("POST", self._session + path, body)

    def _call(self, method: str, path: str, body: object = None) -> Any:
        """The value that the driver answers. Raises `LookupError` for an error of the protocol."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as exc:
            value = json.load(exc)["value"]
            raise LookupError(f"{method} {path}: {value['error']}: {value['message']}") from None
