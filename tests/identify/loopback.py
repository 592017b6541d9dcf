"""A server on this machine that speaks Shazam's answers by script, so that tests need no network.

It decodes no audio. Every request takes the next case of the script; when the script is used up,
``default`` answers.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable
from email.utils import format_datetime

from aiohttp import web

Case = Callable[[web.Request], Awaitable[web.StreamResponse]]


def match(title: str, artist: str = "Glenn Gould", album: str = "") -> Case:
    track = {
        "title": title,
        "subtitle": artist,
        "sections": [{"type": "SONG", "metadata": [{"title": "Album", "text": album}]}, {"type": "RELATED"}],
    }
    body = {"matches": [{"id": "1", "offset": 3.2, "timeskew": 0.0, "frequencyskew": 0.0}], "track": track}
    return _json(body)


def no_match() -> Case:
    return _json({"matches": [], "tagid": "0"})


def refusal(retry_after: object = None) -> Case:
    if hasattr(retry_after, "tzinfo"):
        retry_after = format_datetime(retry_after, usegmt=True)
    return _text(
        "slow down", status=429, headers={} if retry_after is None else {"Retry-After": str(retry_after)}
    )


def server_error(status: int = 500) -> Case:
    return _text("<h1>error</h1>", status=status, content_type="text/html")


def html() -> Case:
    return _text("<html>welcome</html>", content_type="text/html")


def invalid_json() -> Case:
    return _text('{"matches": [', content_type="application/json")


def forbidden_json() -> Case:
    return _json({"error": "forbidden"}, status=403)


def json_without_matches() -> Case:
    return _json({"status": "ok"})


def drop() -> Case:
    async def case(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    return case


def hang(seconds: float = 60) -> Case:
    async def case(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return web.Response()

    return case


def drip(seconds_a_byte: float = 0.05) -> Case:
    """Begins to answer and never comes to an end."""

    async def case(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(seconds_a_byte)

    return case


def slowly(case: Case, seconds: float) -> Case:
    async def slow(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return await case(request)

    return slow


def _json(body: object, status: int = 200) -> Case:
    async def case(_: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status)

    return case


def _text(text: str, **options) -> Case:
    async def case(_: web.Request) -> web.StreamResponse:
        return web.Response(text=text, **options)

    return case


class Loopback:
    """The server, in a thread of its own; a context manager.

    Attributes
    ----------
    url : str
    asked : list of str
        The fingerprint of every request, in order.
    answered : list of str
        Those whose response was written to the end.
    """

    def __init__(self, script: Iterable[Case] = (), default: Case | None = None) -> None:
        self._script = iter(script)
        self._default = default or no_match()
        self.asked: list[str] = []
        self.answered: list[str] = []
        self.countries: set[str] = set()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        fingerprint = body["signature"]["uri"]
        self.asked.append(fingerprint)
        self.countries.add("/".join(request.path.split("/")[3:5]))
        response = await next(self._script, self._default)(request)
        self.answered.append(fingerprint)
        return response

    def __enter__(self) -> Loopback:
        started = threading.Event()

        async def serve() -> None:
            application = web.Application()
            application.router.add_route("POST", "/{path:.*}", self._handle)
            runner = web.AppRunner(application, shutdown_timeout=0.1)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            self._stop = asyncio.Event()
            self._loop = asyncio.get_running_loop()
            started.set()
            await self._stop.wait()
            await runner.cleanup()

        self._thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(self, *exception: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
