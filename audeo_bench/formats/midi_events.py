"""From the bytes of a MIDI file to its events: whatever notes depend on, and nothing else."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

__all__ = [
    "ALL_NOTES_OFF",
    "CONTROL",
    "NOTE_OFF",
    "NOTE_ON",
    "RESET",
    "SOUND_OFF",
    "SUSTAIN",
    "Events",
    "Unreadable",
    "parse",
]

MOST_EVENTS = 2_000_000
NOTE_OFF, NOTE_ON, CONTROL = 0x8, 0x9, 0xB
SUSTAIN, SOUND_OFF, RESET, ALL_NOTES_OFF = 64, 120, 121, 123
_META, _EXCLUSIVE, _EXCLUSIVE_GOES_ON = 0xFF, 0xF0, 0xF7
_END_OF_TRACK, _TEMPO, _TIME_SIGNATURE, _KEY_SIGNATURE = 0x2F, 0x51, 0x58, 0x59
_DATA_BYTES = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}
_SYSTEM_DATA_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1}


class Unreadable(Exception):
    """Why a file is refused, and what to do."""

    def __init__(self, found: str, remedy: str = "give a whole .mid file") -> None:
        super().__init__(found)
        self.remedy = remedy


@dataclass
class Events:
    """The events that matter, track after track, times in ticks.

    ``ticks`` and ``messages`` run beside each other; a message is ``track << 24 | status << 16 | data``.
    ``tempi`` holds (tick, microseconds a beat). A second has ``scale / tempo`` ticks.
    """

    scale: int
    fixed_tempo: int | None
    ticks: array[int] = field(default_factory=lambda: array("q"))
    messages: array[int] = field(default_factory=lambda: array("q"))
    tempi: list[tuple[int, int]] = field(default_factory=list)
    count: int = 0
    end: int = 0
    illegal: Counter[str] = field(default_factory=Counter)
    remarks: list[str] = field(default_factory=list)


def parse(data: bytes) -> Events:
    if data[:4] == b"RIFF" and data[8:12] == b"RMID":
        data = next((body for name, body in _chunks(data, 12, "little") if name == b"data"), b"")
    if data[:4] != b"MThd":
        raise Unreadable("no MThd at its beginning")
    chunks = _chunks(data, 0, "big")
    header = next(chunks)[1]
    if len(header) < 6:
        raise Unreadable(f"a header of {len(header)} bytes")
    kind, tracks, division = (int.from_bytes(header[i : i + 2], "big") for i in (0, 2, 4))
    if kind > 1:
        raise Unreadable(
            f"format {kind}: " + ("songs side by side, without one time" if kind == 2 else "unknown"),
            "save it as format 0 or 1",
        )
    events = Events(*_time_base(division))
    found = 0
    while found < tracks:
        name, body = next(chunks, (b"", b""))
        if not name:
            raise Unreadable(f"it ends after {found} of {tracks} tracks")
        if name == b"MTrk":
            _parse_track(body, found, events)
            found += 1
    if more := _tracks_left(chunks):
        events.remarks.append(f"{more} tracks beyond the {tracks} of its header left out")
    return events


def _tracks_left(chunks: Iterator[tuple[bytes, bytes]]) -> int:
    """How many whole tracks follow; behind its tracks a file may hold anything."""
    left = 0
    with suppress(Unreadable):
        for name, _ in chunks:
            left += name == b"MTrk"
    return left


def _chunks(data: bytes, at: int, order: Literal["little", "big"]) -> Iterator[tuple[bytes, bytes]]:
    """(name, content) of consecutive chunks; RIFF's are padded to an even length."""
    while at < len(data):
        size = int.from_bytes(data[at + 4 : at + 8], order)
        if at + 8 + size > len(data):
            raise Unreadable("it is cut off")
        yield data[at : at + 4], data[at + 8 : at + 8 + size]
        at += 8 + size + (size % 2 if order == "little" else 0)


def _time_base(division: int) -> tuple[int, int | None]:
    """``scale`` and ``fixed_tempo`` of :class:`Events`; a tick is a part of a beat or of an SMPTE frame."""
    if not division & 0x8000:
        if not division:
            raise Unreadable("a division of 0 ticks a beat")
        return 1_000_000 * division, None
    frames, parts = 256 - (division >> 8), division & 0xFF
    if frames not in (24, 25, 29, 30) or not parts:
        raise Unreadable(f"a division of {frames} frames a second by {parts}")
    # 29 stands for 30 drop frames: 30 / 1.001 a second.
    return (30_000 * parts, 1001) if frames == 29 else (frames * parts, 1)


def _parse_track(data: bytes, track: int, events: Events) -> None:
    at = tick = status = 0
    try:
        while at < len(data):
            delta, at = _variable_length(data, at)
            tick += delta
            events.count += 1
            if events.count > MOST_EVENTS:
                raise Unreadable(f"more than {MOST_EVENTS:,} events", "give a shorter one")
            byte = data[at]
            if byte == _META:
                size, start = _variable_length(data, at + 2)
                kind, at = data[at + 1], start + size
                if at > len(data):
                    raise IndexError
                if kind == _END_OF_TRACK:
                    break
                _read_meta(kind, data[start:at], tick, events)
                continue
            if byte in (_EXCLUSIVE, _EXCLUSIVE_GOES_ON):
                size, start = _variable_length(data, at + 1)
                at = start + size
                continue
            if byte > 0xF0:
                events.illegal["system messages"] += 1
                at += 1 + _SYSTEM_DATA_BYTES.get(byte, 0)
                continue
            # Running status outlives the events above, as in FluidSynth: strictly it does not, but many files
            # count on it.
            if byte >= 0x80:
                status = byte
                at += 1
            elif not status:
                raise Unreadable(f"track {track + 1} begins with data of no event")
            kind = status >> 4
            first, second = data[at], data[at + 1] if _DATA_BYTES[kind] == 2 else 0
            at += _DATA_BYTES[kind]
            if first | second >= 0x80:
                events.illegal["data beyond 127"] += 1
                if first >= 0x80:
                    continue
                second = min(second, 127)
            if kind in (NOTE_ON, NOTE_OFF) or (kind == CONTROL and _matters(first)):
                events.ticks.append(tick)
                events.messages.append(track << 24 | status << 16 | first << 8 | second)
        if at > len(data):
            raise IndexError
    except IndexError:
        raise Unreadable(f"track {track + 1} ends inside an event") from None
    if at < len(data):
        events.remarks.append(f"track {track + 1} goes on after its end; left out")
    events.end = max(events.end, tick)


def _matters(controller: int) -> bool:
    return controller == SUSTAIN or controller >= SOUND_OFF


def _variable_length(data: bytes, at: int) -> tuple[int, int]:
    """The number at ``at``, seven bits a byte, and where it ends."""
    number = data[at]
    if number < 0x80:
        return number, at + 1
    number &= 0x7F
    for place in range(at + 1, at + 4):
        byte = data[place]
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            return number, place + 1
    raise Unreadable("a length of more than four bytes")


def _read_meta(kind: int, data: bytes, tick: int, events: Events) -> None:
    """Keep tempo, count what is illegal, pass over the rest."""
    if kind == _TEMPO:
        tempo = int.from_bytes(data, "big") if len(data) == 3 else 0
        if tempo:
            events.tempi.append((tick, tempo))
        else:
            events.illegal["tempo"] += 1
    elif kind == _TIME_SIGNATURE:
        events.illegal["time signatures"] += len(data) != 4 or not data[0]
    elif kind == _KEY_SIGNATURE:
        flats = int.from_bytes(data[:1], "big", signed=True)
        events.illegal["key signatures"] += len(data) != 2 or abs(flats) > 7 or data[1] > 1
