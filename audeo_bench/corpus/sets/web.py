"""Films from the web through yt-dlp: YouTube, any other site it knows, and plain files at an address."""

from __future__ import annotations

import errno
import logging
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path, PurePosixPath
from time import time
from typing import Any, cast

import stamina

from audeo_bench.corpus.sets.check import Refused
from audeo_bench.corpus.sets.film import FILM_SUFFIXES, Film
from audeo_bench.corpus.sets.manifest import FilmSet
from audeo_bench.corpus.sets.spelling import YOUTUBE, Moved, spelled, spelled_label, unlisted
from audeo_bench.errors import AudeoBenchError

__all__ = ["Web"]

logging.getLogger("stamina").addHandler(logging.NullHandler())

OLDEST = "2025.11.12"
"""The release since which YouTube's films are had with a JavaScript runtime; older ones find no formats."""
EXTRA = "run `pip install 'audeo-bench[fetch]'`"
CUTS = 40
"""How often a connection may break within one film; each time the film goes on where it stopped."""
TRIES = 4
LABEL_LIMIT = 16 << 20
LONGEST_WAIT_S = 900.0

AGAIN = "check network and address, then run the same command again: it goes on where it stopped"
GONE = "look for a copy and give it with --source, other films are used without it"
SAYINGS = (
    (r"private", "private", "its owner has closed it; other films are used without it"),
    (r"not a bot", "refused", "YouTube wants an account; give --cookies-from-browser, or wait a day"),
    (
        r"sign in|your age|log ?in",
        "locked",
        "needs an account; give --cookies-from-browser firefox, or chrome",
    ),
    (r"members", "locked", "for the channel's members; give --cookies-from-browser of one"),
    (r"country|geo.?restrict", "locked", "not shown in your country; fetch it from a mirror, --source"),
    (r"live event|premieres?", "not yet there", "try again after it"),
    (r"removed|terminated|unavailable|not available", "gone", GONE),
    (r"file:// urls", "a play list came instead of the film", "give the address of the film itself"),
    (r"data blocks", "an empty answer", "look whether the address is right, or give a mirror with --source"),
    (r"unsupported url", "not a film", "a web page came instead; check the address"),
    (r"no video formats|requested format", "no film can be had", "run `pip install -U 'yt-dlp[default]'`"),
    (r"resolve|timed out|connect|connection|network", "no connection", AGAIN),
)
"""What yt-dlp says -> what it means, what to do; the first that fits counts."""
STATUSES = {
    401: ("locked (401)", "needs an account; give --cookies-from-browser firefox, or a mirror with --source"),
    402: ("locked (402)", "is to be paid for; fetch it from elsewhere or from a mirror, --source"),
    403: ("refused (403)", "wait an hour and run the same command again, or give --cookies-from-browser"),
    404: ("gone (404)", GONE),
    410: ("gone (410)", GONE),
    429: ("too many requests (429)", "run the same command again later, it goes on where it stopped"),
    451: ("locked (451)", "not shown in your country; fetch it from elsewhere or from a mirror, --source"),
}


class Web:
    """Films at addresses made from a template.

    Parameters
    ----------
    template : str
        With ``{id}`` or ``{youtube}``, or an address below which the set's own layout lies.
    cookies : str or None
        A browser's name.
    """

    def __init__(self, template: str, cookies: str | None = None) -> None:
        self.stop = threading.Event()
        self.template = template
        self.cookies = cookies
        self.common = _common_options(javascript=template == YOUTUBE)
        # yt-dlp knows 1,800 other sites, whose patterns take seconds to compile.
        plain = template.endswith(FILM_SUFFIXES) or "{" not in template
        sites = "youtube" if template == YOUTUBE else "generic" if plain else "default"
        self.common["allowed_extractors"] = [sites]

    def size(self, film: Film) -> int | None:
        return None

    def rows(self, films: FilmSet, work: Path) -> tuple[Film, ...]:
        raise unlisted(films)

    def film(self, film: Film, work: Path, moved: Moved) -> Path:
        places = spelled(self.template, film, web=True)
        for place in places:
            try:
                return self._downloaded(place, film, work, moved)
            except Refused as fault:
                if place == places[-1] or "404" not in str(fault):
                    raise
        raise AssertionError

    def label(self, film: Film, work: Path) -> Path | None:
        from yt_dlp import YoutubeDL

        for place in spelled_label(self.template, film, web=True):
            target = work / f"{film.id}{PurePosixPath(film.labels or '.mid').suffix or '.mid'}"
            try:
                with YoutubeDL(cast(Any, self._options(film, work, None))) as downloader:
                    data = self._small(downloader, place)
            except _Failed as failed:
                raise _told(failed.fault) from failed.fault
            if data is not None:
                part = target.with_name(target.name + ".part")
                part.write_bytes(data)
                part.replace(target)
                return target
        return None

    def _small(self, downloader: Any, place: str) -> bytes | None:
        data = b""
        for attempt in self._attempts(lambda note: None):
            with attempt:
                try:
                    data = downloader.urlopen(place).read(LABEL_LIMIT + 1)
                except Exception as fault:
                    if _status(fault) == 404:
                        return None
                    raise _Failed(fault) from fault
        if len(data) > LABEL_LIMIT:
            raise Refused(
                f"labels: {place} is no MIDI file (more than {LABEL_LIMIT >> 20} MiB); check the address"
            )
        return data

    def _downloaded(self, place: str, film: Film, work: Path, moved: Moved) -> Path:
        from yt_dlp import YoutubeDL

        info: dict[str, Any] = {}
        try:
            for attempt in self._attempts(lambda note: moved(0.0, f"{film.id}, {note}")):
                with attempt, YoutubeDL(cast(Any, self._options(film, work, moved))) as downloader:
                    try:
                        info = dict(downloader.extract_info(place, download=True) or {})
                    except Exception as fault:
                        raise _Failed(fault) from fault
        except _Failed as failed:
            raise _told(failed.fault) from failed.fault
        brought = info.get("requested_downloads") or [{}]
        if "entries" in info or "filepath" not in brought[0]:
            live = info.get("live_status") in ("is_live", "is_upcoming")
            what = (
                "a live stream, no film yet; try again when it has ended"
                if live
                else "no film at that address"
            )
            raise Refused(f"{what}: {place}")
        return Path(brought[0]["filepath"])

    def _attempts(self, tell: Callable[[str], None]) -> Iterator[Any]:
        def again(failed: Exception) -> bool | float:
            """Whether to try again; first it waits as long as a server asks for, unless all is stopped."""
            if not isinstance(failed, _Failed):
                return False
            status = _status(failed.fault)
            if status in (429, 503):
                seconds = min(_asked_for(failed.fault), LONGEST_WAIT_S)
                tell(f"asked to wait {seconds:.0f} s")
                return 0.0 if not self.stop.wait(seconds) else False
            # An address of YouTube's for one stream lapses after some hours: asking anew brings another.
            return status == 403 or (status is not None and status >= 500)

        return iter(
            stamina.retry_context(again, attempts=TRIES, timeout=None, wait_initial=0.5, wait_jitter=0.3)
        )

    def _options(self, film: Film, work: Path, moved: Moved | None) -> dict[str, Any]:
        height = film.picture[1] if film.picture else 1080

        def hook(state: dict[str, Any]) -> None:
            total = state.get("total_bytes") or state.get("total_bytes_estimate")
            if moved is not None and total and state.get("status") == "downloading":
                moved(state["downloaded_bytes"] / total, f"{film.id}, {total / 1e6:.1f} MB")

        return self.common | {
            "outtmpl": {"default": f"{str(work).replace('%', '%%')}/{film.id}.%(format_id)s.%(ext)s"},
            "format": "bv*+ba/b",
            # The height that the set's crop was measured in, and a codec that every machine decodes fast.
            "format_sort": [f"res:{height}", "vcodec:h264", "acodec:m4a"],
            "progress_hooks": [hook],
            "cookiesfrombrowser": (self.cookies, None, None, None) if self.cookies else None,
        }


def _common_options(javascript: bool) -> dict[str, Any]:
    try:
        import imageio_ffmpeg
        import yt_dlp.version
        from yt_dlp.utils import match_filter_func
    except ImportError as missing:
        raise AudeoBenchError(
            f"films from the web need {missing.name}, which is not installed; {EXTRA}."
        ) from None
    found = yt_dlp.version.__version__
    if [int(part) for part in found.split(".")[:3]] < [int(part) for part in OLDEST.split(".")]:
        raise AudeoBenchError(
            f"yt-dlp {found} is too old for YouTube; {EXTRA}, which brings {OLDEST} or newer."
        )
    runtimes: dict[str, Any] = {}
    if javascript:
        runtimes = {"deno": {"path": _deno()}}
    return {
        "quiet": True,
        "no_warnings": True,
        "noprogress": True,
        "logger": _Silent(),
        "js_runtimes": runtimes,
        "ffmpeg_location": imageio_ffmpeg.get_ffmpeg_exe(),
        "merge_output_format": "mp4/mkv",
        "noplaylist": True,
        "playlist_items": "1",
        "overwrites": False,
        "continuedl": True,
        "updatetime": False,
        "retries": CUTS,
        "fragment_retries": CUTS,
        "retry_sleep_functions": {kind: lambda n: min(0.1 * 1.35**n, 15.0) for kind in ("http", "fragment")},
        "socket_timeout": 30,
        "match_filter": match_filter_func("!is_live & live_status!=?is_upcoming"),
    }


def _deno() -> str:
    """The JavaScript runtime without which YouTube tells yt-dlp no formats."""
    try:
        import yt_dlp_ejs  # noqa: F401
        from deno import find_deno_bin

        return str(find_deno_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("deno")
    if found is None:
        raise AudeoBenchError(
            f"YouTube's films need the JavaScript runtime deno, which is not installed; {EXTRA}."
        )
    return found


class _Silent:
    """yt-dlp's words; what goes wrong comes as an exception as well."""

    def debug(self, message: str) -> None: ...

    def info(self, message: str) -> None: ...

    def warning(self, message: str) -> None: ...

    def error(self, message: str) -> None: ...


class _Failed(Exception):
    """A request that failed, so that retrying sees nothing else."""

    def __init__(self, fault: Exception) -> None:
        super().__init__(str(fault))
        self.fault = fault


def _chain(fault: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    todo = [fault]
    while todo:
        one = todo.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        told = getattr(one, "exc_info", None)
        todo += [one.__context__, one.__cause__, getattr(one, "cause", None), told[1] if told else None]


def _status(fault: BaseException) -> int | None:
    statuses = (getattr(one, "status", None) for one in _chain(fault))
    return next((status for status in statuses if isinstance(status, int)), None)


def _asked_for(fault: BaseException) -> float:
    for one in _chain(fault):
        asked = getattr(getattr(one, "response", None), "headers", {}).get("Retry-After")
        if asked is None:
            continue
        try:
            return max(0.0, float(asked))
        except ValueError:
            try:
                return max(0.0, parsedate_to_datetime(asked).timestamp() - time())
            except ValueError:
                break
    return 30.0


def _told(fault: Exception) -> Refused | OSError:
    """The fault in one line: what it means and what to do. A full disk stays what it is."""
    for one in _chain(fault):
        if isinstance(one, Refused):
            return one
    words = " ".join(str(fault).split())
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        if f"Errno {number}]" in words or os.strerror(number) in words:
            return OSError(number, os.strerror(number))
    status = _status(fault)
    if status in STATUSES:
        return Refused("; ".join(STATUSES[status]))
    if status is not None and status >= 500:
        return Refused(f"the server fails ({status}); run the same command again later, or give --source")
    for saying, meaning, remedy in SAYINGS:
        if re.search(rf"\b({saying})", words, re.IGNORECASE):
            return Refused(f"{meaning}; {remedy}")
    return Refused(f"{words.removeprefix('ERROR: ')[:200]}; run the same command again")
