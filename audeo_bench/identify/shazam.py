"""Shazam, through shazamio: one answered query a segment, slowly and politely.

A fingerprint is made on this machine and only the fingerprint is sent. Shazam looks at the middle 12 of a
segment's 20 seconds (seconds 4 to 16) whatever it is given, so a segment is sent whole, once. It names
*recordings*: a synthesised performance of a piece that it knows by heart is often nobody's recording, so
expect low rates.

shazamio's own retries are switched off: on a refusal they send 20 requests for one segment and ignore
``Retry-After``. Here a query is repeated only where no answer came: after a dropped connection, a time-out or
a gateway's 502-504 (twice), and after 429 (three times) when the service says so, or 60, 120 and 240 seconds
later. An answer, *no match* included, is final.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import soundfile
import stamina
from aiohttp_retry import ExponentialRetry
from aiolimiter import AsyncLimiter
from shazamio import HTTPClient, Shazam
from shazamio.exceptions import RateLimited

from audeo_bench.api import SAMPLE_RATE
from audeo_bench.identify.segments import Segment
from audeo_bench.identify.service import Reply, ServiceFault, ServiceUnreachable
from audeo_bench.identify.titles import Answer

# Retries are expected here: without a log of its own, a program prints nothing about each.
logging.getLogger("stamina").addHandler(logging.NullHandler())

LANGUAGE, COUNTRY = "en-US", "GB"
"""Fixed, since they change the titles that come back; part of the version that answers are kept under."""


@dataclass(frozen=True)
class Pacing:
    """How often and how long; every duration in seconds.

    Attributes
    ----------
    per_minute : float
        Requests a minute, repeated ones included. Users report refusals somewhere between 5 and 20.
    jitter : float
        Up to so much is added to every gap.
    time_limit, connect_limit : float
        For one request as a whole, and for reaching the service.
    transport_pauses : tuple of float
        Before each repetition after a fault of the connection.
    refusal_pauses : tuple of float
        Before each repetition after 429 without ``Retry-After``.
    longest_pause : float
        The most that ``Retry-After`` can ask for.
    """

    per_minute: float = 4
    jitter: float = 2
    time_limit: float = 30
    connect_limit: float = 8
    transport_pauses: tuple[float, ...] = (2, 5)
    refusal_pauses: tuple[float, ...] = (60, 120, 240)
    longest_pause: float = 600

    @property
    def seconds_per_query(self) -> float:
        return 60 / self.per_minute + self.jitter / 2


class _Refused(ServiceFault):
    def __init__(self, retry_after: float | None) -> None:
        super().__init__("refused: too many requests (429)")
        self.retry_after = retry_after


class _TransportFault(ServiceFault):
    """No answer came through; asking again is not a second try."""


class _NoConnection(_TransportFault, ServiceUnreachable):
    pass


class _PacedClient(HTTPClient):
    """shazamio's client without its retries, with a time limit, noting the status and ``Retry-After``."""

    def __init__(self, pacing: Pacing, base_url: str | None) -> None:
        super().__init__(ExponentialRetry(attempts=1))
        self.pacing, self.base_url = pacing, base_url
        self.status: int | None = None
        self.retry_after: str | None = None
        self.trace_config.on_request_end.append(self._note_response)

    async def _note_response(self, _session: Any, _context: Any, done: aiohttp.TraceRequestEndParams) -> None:
        self.status, self.retry_after = done.response.status, done.response.headers.get("Retry-After")

    async def request(self, method: str, url: str, **options: Any) -> list[Any] | dict[str, Any]:
        if self.base_url is not None:
            parts = urlsplit(url)
            url = f"{self.base_url.rstrip('/')}{parts.path}?{parts.query}"
        self.status = self.retry_after = None
        limits = aiohttp.ClientTimeout(total=None, connect=self.pacing.connect_limit)
        async with asyncio.timeout(self.pacing.time_limit):
            return await super().request(method, url, timeout=limits, **options)


class ShazamService:
    """Asks Shazam; use as ``async with``.

    Parameters
    ----------
    pacing : Pacing
    base_url : str, optional
        Another server than Shazam's, such as a test's.
    """

    name = "shazam"

    def __init__(self, pacing: Pacing | None = None, base_url: str | None = None) -> None:
        self.pacing = pacing or Pacing()
        self.version = f"shazamio {version('shazamio')} {LANGUAGE} {COUNTRY}"
        self._base_url = base_url

    async def __aenter__(self) -> ShazamService:
        self._client = _PacedClient(self.pacing, self._base_url)
        self._shazam = Shazam(language=LANGUAGE, endpoint_country=COUNTRY, http_client=self._client)
        await self._shazam.__aenter__()
        self._limiter = AsyncLimiter(1, 60 / self.pacing.per_minute)
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._shazam.__aexit__(None, None, None)
        await self._client.close()

    async def ask(self, segment: Segment) -> Reply:
        """One answered query.

        Raises
        ------
        ServiceFault
            If no answer came: refused, unreachable, too slow, or an answer that makes no sense.
        """
        wav = io.BytesIO()
        soundfile.write(wav, segment.pcm, SAMPLE_RATE, format="WAV", subtype="PCM_16")
        retries = _Retries(self.pacing)
        response: dict[str, Any] = {}
        async for attempt in stamina.retry_context(on=retries, attempts=None, timeout=None):
            with attempt:
                if retries.costs_quota:
                    await self._limiter.acquire()
                    await asyncio.sleep(random.uniform(0, self.pacing.jitter))
                response = await self._send(wav.getvalue())
        return Reply(read_answer(response), response)

    async def _send(self, wav: bytes) -> dict[str, Any]:
        client = self._client
        try:
            response = await self._shazam.recognize(wav)
        except RateLimited as fault:
            raise _Refused(parse_retry_after(client.retry_after)) from fault
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as fault:
            raise _NoConnection(str(fault)) from fault
        except TimeoutError as fault:
            reached = client.status is not None
            said = f"no answer within {self.pacing.time_limit:g} s" + (
                " (it began to answer)" if reached else ""
            )
            raise _TransportFault(said) from fault
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as fault:
            raise _TransportFault(f"the connection broke ({fault or type(fault).__name__})") from fault
        except Exception as fault:
            self._raise_for_gateway()
            kind = "is not JSON" if isinstance(fault, json.JSONDecodeError) else f"cannot be used: {fault}"
            raise ServiceFault(f"the answer (status {client.status}) {kind}") from fault
        self._raise_for_gateway()
        if client.status != 200 or not isinstance(response, dict):
            raise ServiceFault(f"status {client.status}: {json.dumps(response)[:200]}")
        return response

    def _raise_for_gateway(self) -> None:
        if self._client.status in (502, 503, 504):
            raise _TransportFault(f"status {self._client.status} from a gateway")


class _Retries:
    """Tells stamina how long to wait after a fault, or that it is final.

    ``costs_quota`` is false after a connection that was never made: trying again needs no pacing.
    """

    def __init__(self, pacing: Pacing) -> None:
        self._longest = pacing.longest_pause
        self._transport = iter(pacing.transport_pauses)
        self._refusals = iter(pacing.refusal_pauses)
        self.costs_quota = True

    def __call__(self, fault: Exception) -> bool | float:
        self.costs_quota = not isinstance(fault, _NoConnection)
        if isinstance(fault, _Refused):
            pause = next(self._refusals, None)
            if pause is None:
                return False
            return min(self._longest, pause if fault.retry_after is None else fault.retry_after)
        pause = next(self._transport, None) if isinstance(fault, _TransportFault) else None
        return False if pause is None else pause


def parse_retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds to wait by a ``Retry-After`` header (seconds or a date); None where it says nothing."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())


def read_answer(response: dict[str, Any]) -> Answer:
    """Title, artist and album from Shazam's answer; an empty answer where it knows no match.

    Raises
    ------
    ServiceFault
        If it is no answer at all: JSON without ``matches``, or matches without a title.
    """
    matches = response.get("matches")
    if not isinstance(matches, list):
        raise ServiceFault(f"JSON without matches: {json.dumps(response)[:200]}")
    if not matches:
        return Answer()
    track = response.get("track")
    title = track.get("title") if isinstance(track, dict) else None
    if not isinstance(track, dict) or not isinstance(title, str) or not title.strip():
        raise ServiceFault("matches without a track's title")
    return Answer(title, str(track.get("subtitle") or ""), _album(track))


def _album(track: dict[str, Any]) -> str:
    for section in track.get("sections") or ():
        if not isinstance(section, dict):
            raise ServiceFault(f"a section that is {json.dumps(section)[:80]}")
        for entry in (section.get("metadata") or ()) if section.get("type") == "SONG" else ():
            if not isinstance(entry, dict):
                raise ServiceFault(f"metadata that are {json.dumps(entry)[:80]}")
            if entry.get("title") == "Album":
                return str(entry.get("text", ""))
    return ""
