"""A real Chromium without a window, driven by its own chromedriver over plain HTTP (W3C WebDriver)."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage",
)  # fmt: skip
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass
class Browser:
    """One session. `messages` and `requests` are what the page said and asked for since last read."""

    address: str

    def call(self, path: str, body: dict[str, Any] | None = None, method: str = "POST") -> Any:
        data = json.dumps(body or {}).encode() if method == "POST" else None
        request = urllib.request.Request(self.address + path, data, method=method)
        try:
            with _DIRECT.open(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from error

    def open(self, page: Path) -> None:
        self.call("/url", {"url": page.as_uri()})

    def run(self, script: str) -> Any:
        """What a script returns; the page's own policy doesn't hold for it."""
        return self.call("/execute/sync", {"script": script, "args": []})

    def command(self, name: str, **parameters: Any) -> Any:
        """A command of the DevTools protocol."""
        return self.call("/goog/cdp/execute", {"cmd": name, "params": parameters})

    def resize(self, width: int, height: int = 900, scale: float = 1, mobile: bool = False) -> None:
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=scale, mobile=mobile,
        )  # fmt: skip

    def color_scheme(self, name: str) -> None:
        feature = {"name": "prefers-color-scheme", "value": name}
        self.command("Emulation.setEmulatedMedia", media="screen", features=[feature])

    def messages(self) -> list[str]:
        return [entry["message"] for entry in self.call("/se/log", {"type": "browser"})]

    def requests(self) -> list[str]:
        """The addresses that were asked for."""
        entries = self.call("/se/log", {"type": "performance"})
        events = [json.loads(entry["message"])["message"] for entry in entries]
        return [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]

    def screenshot(self, target: Path, *, whole: bool = True) -> None:
        data = self.command("Page.captureScreenshot", captureBeyondViewport=whole)["data"]
        target.write_bytes(base64.b64decode(data))


@contextlib.contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A browser with a fresh profile. Without one tests are skipped.

    They fail where GUNILINT_BROWSER says "required", as `.ci/run` does.
    """
    if CHROMIUM is None or DRIVER is None:
        missing = "needs chromium and chromedriver (Debian: chromium, chromium-driver)"
        if os.environ.get("GUNILINT_BROWSER") == "required":
            pytest.fail(missing)
        pytest.skip(missing)
    log = profile.with_suffix(".log")
    with log.open("w") as output:
        driver = subprocess.Popen([DRIVER, "--port=0"], stdout=output, stderr=output)
        try:
            root = f"http://127.0.0.1:{_port(driver, log)}"
            options = {
                "binary": CHROMIUM,
                "args": [*FLAGS, f"--user-data-dir={profile}"],
            }
            wanted = {
                "browserName": "chrome",
                "goog:chromeOptions": options,
                "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            }
            start = {"capabilities": {"alwaysMatch": wanted}}
            session = Browser(root).call("/session", start)["sessionId"]
            found = Browser(f"{root}/session/{session}")
            try:
                found.call("/url", {"url": "about:blank"})
                found.requests()
                yield found
            finally:
                found.call("", method="DELETE")
        finally:
            driver.terminate()
            driver.wait(10)


def _port(driver: subprocess.Popen[bytes], log: Path) -> int:
    """The port that the driver says it has taken."""
    until = time.monotonic() + 30
    while time.monotonic() < until and driver.poll() is None:
        _, found, rest = log.read_text().partition("successfully on port ")
        if found and "." in rest:
            return int(rest.partition(".")[0])
        time.sleep(0.05)
    raise AssertionError(f"chromedriver didn't start:\n{log.read_text()}")
