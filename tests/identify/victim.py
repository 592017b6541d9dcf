"""A run against the loopback service, to be killed; fingerprints are stubbed, all else is real."""

import asyncio
import hashlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from audeo_bench.api import Work
from audeo_bench.identify.asking import ask_all
from audeo_bench.identify.ledger import Ledger
from audeo_bench.identify.segments import Segment
from audeo_bench.identify.shazam import Pacing, ShazamService

WORK = Work(
    "Johann Sebastian Bach", "Prelude and Fugue No. 1", "The Well-Tempered Clavier, Book I", 1, 846, "C major"
)
PACING = Pacing(per_minute=600_000, jitter=0)


def segments(count: int) -> list[Segment]:
    return [Segment(index, 20.0 * index, np.full(64, index, np.int16)) for index in range(count)]


class QuickService(ShazamService):
    async def __aenter__(self):
        await super().__aenter__()

        async def fingerprint(value: bytes, options: object = None):
            name = hashlib.sha256(value).hexdigest()
            return SimpleNamespace(
                timezone="Europe/Berlin", timestamp=0, signature=SimpleNamespace(uri=name, samples=12_000)
            )

        self._shazam.core_recognizer = SimpleNamespace(recognize_bytes=fingerprint)
        return self


def run(url: str, ledger_path: str, count: int) -> None:
    pieces = segments(count)
    with Ledger(Path(ledger_path)) as ledger:
        ledger.add_recording("truth", "wtc1-01", "wtc1-variants", "title", WORK, pieces)
        asyncio.run(ask_all(QuickService(PACING, url), pieces, ledger))
