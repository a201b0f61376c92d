"""Open the built site in a real browser: an installed Chromium, driven by Playwright.

The site is served on loopback, and no request leaves it: the browser's own background
traffic is off, no other host's name resolves, and who asks for one is recorded.
"""

import contextlib
import functools
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
WIDTHS = {"desktop": 1280, "phone": 390}
HEIGHT = 900
SCHEMES = ("light", "dark")


def find_chromium() -> str | None:
    """Return the path of an installed Chromium, or None.

    The environment variable CHROMIUM comes first, then the usual names on PATH.
    """
    named = os.environ.get("CHROMIUM")
    if named:
        return shutil.which(named)
    found = (shutil.which(name) for name in NAMES)
    return next((path for path in found if path), None)


class _QuietHandler(SimpleHTTPRequestHandler):
    """Serve files without a line on stderr for each."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def serve(html: Path) -> Iterator[str]:
    """Serve a folder on a free port of loopback, and yield its address."""
    handler = functools.partial(_QuietHandler, directory=str(html))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def chromium(path: str) -> Iterator[Browser]:
    """Start the Chromium at `path` without a window, and end it in any case."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visit:
    """An open page, and what went wrong while it loaded."""

    page: Page
    complaints: list[str] = field(default_factory=list)


@contextlib.contextmanager
def window(browser: Browser, address: str, width: int, scheme: str) -> Iterator[Visit]:
    """Open a window of one width and colour scheme that records every trouble.

    Errors of scripts, error messages on the console, failed requests, and requests to
    another host than `address` (which fail) become complaints.
    """
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHT},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    visit = Visit(context.new_page())
    note = visit.complaints.append

    page = visit.page
    page.on("pageerror", lambda error: note(f"script error: {error}"))
    page.on(
        "console",
        lambda message: (
            note(f"console: {message.text}")
            if message.type in ("error", "warning")
            else None
        ),
    )
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((f"{address}/", "data:", "blob:"))
            else note(f"asks another host for {request.url}")
        ),
    )
    page.on(
        "response",
        lambda reply: (
            note(f"{reply.url} answers {reply.status}") if reply.status >= 400 else None
        ),
    )
    page.on(
        "requestfailed",
        lambda request: (
            None
            if request.failure == "net::ERR_ABORTED"  # the window went on to a new page
            else note(f"request fails: {request.url}: {request.failure}")
        ),
    )
    try:
        yield visit
    finally:
        context.close()


def open_page(visit: Visit, url: str) -> None:
    """Load a page in a window and wait until it is drawn, its formulas included."""
    visit.page.goto(url, wait_until="load")
    visit.page.evaluate(
        "async () => {"
        " if (window.MathJax && MathJax.startup) await MathJax.startup.promise;"
        " await document.fonts.ready;"
        "}"
    )
