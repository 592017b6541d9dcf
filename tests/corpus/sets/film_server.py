"""A server on this machine that stands for YouTube's films, the Hugging Face hub and a lab's mirror."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import sleep

import av
import numpy as np

from audeo_bench.formats.midi import write_midi
from audeo_bench.roll import Notes

Case = Callable[["Handler", bytes], None]


def make_film(path: Path, seconds: float = 3.0, seed: int = 0, sound: bool = False, fps: int = 5) -> Path:
    """A film of noise, about 15 kB a second, so that connections can break in its middle."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=fps, options={"crf": "30", "preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        video.thread_count = 1
        for index in range(round(seconds * fps)):
            frame = av.VideoFrame.from_ndarray(rng.integers(0, 255, (64, 96, 3), np.uint8), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, fps)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if sound:
            write_sound(container, seconds)
    return path


def write_sound(container: av.container.OutputContainer, seconds: float) -> None:
    stream = container.add_stream("aac", rate=16000, layout="mono")
    for start in range(0, int(seconds * 16000), 1024):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 16000, start
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def make_sound(path: Path, seconds: float = 3.0) -> Path:
    with av.open(str(path), "w", format="mp4") as container:
        write_sound(container, seconds)
    return path


def make_labels(path: Path, last: float = 2.0) -> Path:
    """Two notes, the second beginning at ``last`` seconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    notes = Notes(np.array([[0.5, 1.0], [last, last + 0.3]]), np.array([60, 64]), np.array([80, 90]))
    write_midi(notes, path)
    return path


def refuse(status: int, **headers: str) -> Case:
    def case(handler: Handler, body: bytes) -> None:
        handler.answer(status, b"no", {name.replace("_", "-"): value for name, value in headers.items()})

    return case


def page(text: str = "<!DOCTYPE html><html><body>Sorry, come back later.</body></html>") -> Case:
    def case(handler: Handler, body: bytes) -> None:
        handler.answer(200, text.encode(), {"Content-Type": "text/html"})

    return case


def cut(share: float = 0.5, at_least: int = 1) -> Case:
    """Promises all that was asked for and breaks off."""

    def case(handler: Handler, body: bytes) -> None:
        handler.serve(body, stop=max(at_least, int(len(body) * share)))

    return case


def slowly(seconds: float, pieces: int = 40) -> Case:
    def case(handler: Handler, body: bytes) -> None:
        handler.serve(body, pause=seconds / pieces, pieces=pieces)

    return case


@dataclass
class Hub:
    """Data set repositories by name: their files, and whether they are gated."""

    files: dict[str, bytes]
    gated: bool = False
    sha: str = "7" * 40


@dataclass
class FilmServer:
    """A context manager; ``files`` are served with ranges, ``script`` answers the next requests of a path.

    Attributes
    ----------
    asked : list of (method, path, range or None)
    sent : dict of str to int
        Bytes of content by path.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    script: dict[str, list[Case]] = field(default_factory=dict)
    always: Case | None = None
    hubs: dict[str, Hub] = field(default_factory=dict)
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)

    def __enter__(self) -> FilmServer:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.films = self  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def gets(self, path: str) -> int:
        return sum(method == "GET" and asked == path for method, asked, _ in self.asked)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def films(self) -> FilmServer:
        return self.server.films  # type: ignore[attr-defined]

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (BrokenPipeError, ConnectionResetError):  # whoever asked has gone
            self.close_connection = True

    def log_message(self, format: str, *_: object) -> None: ...

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.films.asked.append((self.command, path, self.headers.get("Range")))
        for name, hub in self.films.hubs.items():
            if path.startswith((f"/api/datasets/{name}/", f"/datasets/{name}/resolve/")):
                self.hub(hub, name, path)
                return
        body = self.films.files.get(path)
        queue = self.films.script.get(path)
        if self.command == "GET" and queue:
            queue.pop(0)(self, body or b"")
        elif body is None:
            self.answer(404, b"not here", {})
        elif self.films.always is not None and self.command == "GET":
            self.films.always(self, body)
        else:
            self.serve(body)

    def hub(self, hub: Hub, name: str, path: str) -> None:
        if hub.gated and self.headers.get("Authorization") != "Bearer hf_good":
            self.answer(403, b"{}", {"X-Error-Code": "GatedRepo", "X-Error-Message": "gated"})
            return
        if path.startswith("/api/"):
            siblings = [{"rfilename": file, "size": len(body)} for file, body in hub.files.items()]
            info = {"id": name, "sha": hub.sha, "siblings": siblings, "private": False, "tags": []}
            self.answer(200, json.dumps(info).encode(), {"Content-Type": "application/json"})
            return
        file = path.split("/resolve/")[1].partition("/")[2]
        body = hub.files.get(file)
        if body is None:
            self.answer(404, b"", {"X-Error-Code": "EntryNotFound"})
            return
        headers = {"X-Repo-Commit": hub.sha, "ETag": f'"{hashlib.sha256(body).hexdigest()}"'}
        queue = self.films.script.get(path)
        if self.command == "GET" and queue:
            queue.pop(0)(self, body)
        else:
            self.serve(body, headers=headers)

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def serve(
        self,
        body: bytes,
        stop: int | None = None,
        pause: float = 0.0,
        pieces: int = 1,
        headers: dict[str, str] | None = None,
    ) -> None:
        asked = self.headers.get("Range")
        start = int(asked.removeprefix("bytes=").partition("-")[0]) if asked else 0
        if start >= len(body) > 0:
            self.answer(416, b"", {"Content-Range": f"bytes */{len(body)}"})
            return
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        kind = "video/mp4" if self.path.endswith(".mp4") else "application/octet-stream"
        for name, value in ({"Content-Type": kind, "Accept-Ranges": "bytes"} | (headers or {})).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        if self.command != "GET":
            return
        end = len(body) if stop is None else min(len(body), start + stop)
        path = self.path.partition("?")[0]
        step = max(1, -(-(end - start) // pieces))
        try:
            for place in range(start, end, step):
                piece = body[place : min(end, place + step)]
                self.wfile.write(piece)
                self.wfile.flush()
                self.films.sent[path] = self.films.sent.get(path, 0) + len(piece)
                sleep(pause)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        if end < len(body):
            self.close_connection = True
