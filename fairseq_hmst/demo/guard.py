"""Whom the server answers and what it takes: names of the host, origins of pages, routes, and bytes of a request.

A page of a foreign site that is open in a user's browser can send requests to this server, also under a name of its
own that it lets point here (DNS rebinding). So a request must name a host that is this server's, and come from no other
page. Gradio's routes that this page does not need are closed: some fetch addresses or run code.
"""

import ipaddress
import json
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from .options import LOCAL_NAMES

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_REQUEST_BYTES = 8_000_000  # of all but uploads: text that is far too long is still answered in words
MULTIPART_BYTES = 20_000  # of an upload, around its file
PAGE = ("/", "/config", "/theme.css", "/favicon.ico", "/manifest.json", "/robots.txt", "/login", "/logout")
STATE = ("info", "startup-events", "app_id", "user", "login_check", "theme.css", "cancel", "reset")
WORK = ("upload", "upload_progress", "queue/join", "queue/data")
UPLOAD = "/gradio_api/upload"
ROUTES = frozenset((*PAGE, *(f"/gradio_api/{name}" for name in (*STATE, *WORK))))
FOLDERS = ("/assets/", "/static/", "/svelte/", "/pwa_icon", "/gradio_api/heartbeat/", "/gradio_api/file=")
# Gradio's page has scripts and styles of its own within it; whatever else it may show is of this server
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
SAFETY_HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


class Refusal(Exception):
    """The answer to a request that is not let in: its status and words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


class Guard:
    """ASGI middleware that lets in what the page itself asks for, and nothing else.

    Args:
        app: of Gradio.
        names: of the host, that requests may use.
        any_address: whether they may use any IP address; a foreign site cannot make it a name of its own.
        max_upload_bytes: of one recording.
        has_room: whether there is room on the disk for so many bytes more.
    """

    def __init__(
        self,
        app: "ASGIApp",
        names: Collection[str],
        any_address: bool,
        max_upload_bytes: int,
        has_room: Callable[[int], bool],
    ) -> None:
        self._app, self._names, self._any_address = app, frozenset(names), any_address
        self._max_upload_bytes, self._has_room = max_upload_bytes, has_room
        self._uploading = 0  # bytes that are on their way

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer a request, or hand it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: "Message") -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *SAFETY_HEADERS]
            await send(message)

        try:
            self._check(scope)
            if scope["path"].rstrip("/") == UPLOAD:
                await self._take_upload(scope, receive, send_safely)
                return
            if scope["method"] in ("POST", "PUT", "PATCH"):
                receive = await _read_body(receive)
        except Refusal as refusal:
            await PlainTextResponse(refusal.words, refusal.status)(scope, receive, send)
        else:
            await self._app(scope, receive, send_safely)

    def _check(self, scope: "Scope") -> None:
        """Refuse foreign hosts and pages, and routes that the page does not use."""
        if scope["type"] != "http":
            raise Refusal(403, "This page has no websockets.")
        headers = Headers(scope=scope)
        for name in ("host", "x-forwarded-host"):
            hosts = headers.getlist(name)
            if len(hosts) > 1 or (name == "host" and not hosts):
                raise Refusal(400, f"Expected one header {name}.")
            for host in hosts:
                self._check_host(host)
        self._check_origin(headers, scope["method"])
        path = scope["path"].rstrip("/") or "/"
        if path not in ROUTES and not path.startswith(FOLDERS):
            raise Refusal(404, "This page has no such address.")
        if path.startswith("/gradio_api/file=") and "://" in path:
            raise Refusal(403, "This page fetches nothing from elsewhere.")

    def _check_host(self, host: str) -> None:
        name = host_name(host)
        if name is None or not (name in self._names or (self._any_address and _is_address(name))):
            raise Refusal(
                403,
                f"This page is not served under the name {host!r}; hmst demo --allow-host NAME serves it under more.",
            )

    def _check_origin(self, headers: Headers, method: str) -> None:
        """Refuse what another page sends; one behind a proxy is at a name of `--allow-host`."""
        for origin in headers.getlist("origin"):
            is_own = urlsplit(origin).netloc.lower() == headers["host"].lower()
            name = host_name(urlsplit(origin).netloc)
            if not is_own and (name in LOCAL_NAMES or name not in self._names):
                raise Refusal(403, f"Requests of pages at {origin!r} are not answered.")
        is_foreign = headers.get("sec-fetch-site") in ("cross-site", "same-site")
        is_a_visit = method == "GET" and headers.get("sec-fetch-dest") == "document"
        if is_foreign and not is_a_visit and "origin" not in headers:
            raise Refusal(403, "Requests of other pages are not answered.")

    async def _take_upload(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        if not length.isdecimal() or "transfer-encoding" in headers:
            raise Refusal(411, "An upload must say its length.")
        if int(length) > self._max_upload_bytes + MULTIPART_BYTES:
            raise Refusal(413, f"This is too large: the page takes at most {self._max_upload_bytes / 1e6:g} MB.")
        if not self._has_room(self._uploading + int(length)):
            raise Refusal(507, "The page holds too many recordings at the moment; try again in some minutes.")
        self._uploading += int(length)
        try:
            await self._app(scope, receive, send)
        finally:
            self._uploading -= int(length)


def host_name(host: str) -> str | None:
    """The name of `NAME:PORT` in lower case, without the brackets of IPv6; None where it is none."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


async def _read_body(receive: "Receive") -> "Receive":
    """A `receive` that gives the whole body at once.

    Raises:
        Refusal: it is too large, or names the address of a file.
    """
    body, is_whole = b"", False
    while not is_whole:
        message = await receive()
        body += message.get("body", b"")
        is_whole = not message.get("more_body", False)
        if len(body) > MAX_REQUEST_BYTES:
            raise Refusal(413, f"This is too large: the page takes at most {MAX_REQUEST_BYTES / 1e6:g} MB.")
    _check_no_addresses(body)
    is_given = False

    async def replay() -> "Message":
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _check_no_addresses(body: bytes) -> None:
    """Refuse input whose file is an address: Gradio would fetch it."""
    try:
        waiting = [json.loads(body)]
    except (ValueError, RecursionError):
        return  # Gradio refuses it
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            waiting.extend(value.values())
            if "://" in str(value.get("path", "")):
                raise Refusal(403, "This page fetches nothing from elsewhere.")
