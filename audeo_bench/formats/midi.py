"""MIDI files: the one reader, which gives what a player would play, and the writer.

The reader has its own parser. mido refuses a whole file for things that no note depends on (a key signature
of 8 flats, a time signature of 2 bytes, an undefined status), and RMID, unknown chunks and long exclusive
messages; it reads an SMPTE division as a negative resolution, and takes 25 microseconds and 300 bytes an
event. pretty_midi stands on mido, obeys tempo on track 0 only, and lets one note-off end every strike of its
key. Where they are right, both check this reader in its tests.

What is read, where files leave a choice:

Tempo
    Changes on any track count for all; one of 0 microseconds or of other than three bytes is read past. Under
    an SMPTE division tempo says nothing.
Strikes
    Within one track and channel a second note-on of a key strikes it again: the earlier note ends there, and
    the first note-off ends what sounds, as in FluidSynth. A note-off on the very tick of a second strike
    belongs to the earlier note, whichever of the two is written first.
Several tracks and channels
    A key is on as long as any of them holds it, the union of their spans. Each strike begins a note, so notes
    of one key touch but never overlap: C4 held for 0-4 s and struck elsewhere at 1-1.5 s gives 0-1 and 1-4 s.
Pedal
    ``ignore`` gives the keys as they were pressed. With ``hold``, a note that is released while the sustain
    pedal (controller 64, down from 64) of its channel is down, whatever track set it, lasts until that pedal
    goes up or its key is struck again. Controller 121 lifts the pedal, 123 to 127 release the channel's keys,
    120 ends all that sounds on it. Sostenuto and soft pedal are not looked at.
Ends
    A track ends with its end-of-track event, the file with its last track; what is held then ends there.
Frames
    A tick is no frame: a roll written as MIDI comes back with times that were rounded or cut to ticks beside
    its frames' edges. Where every onset and every offset of a file lies at most a tick before an edge or half
    a tick behind it (but a quarter of a frame), and no note loses its length by it, the file is a roll, and
    its times are those edges. A performance is not: with ticks of 1 ms, one of its times in twenty lies so.
Left out
    Notes on channel 10 (drums), of no length, and outside the piano's 88 keys.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from audeo_bench.errors import AudeoBenchError
from audeo_bench.formats.midi_events import (
    ALL_NOTES_OFF,
    CONTROL,
    NOTE_ON,
    RESET,
    SOUND_OFF,
    SUSTAIN,
    Events,
    Unreadable,
    parse,
)
from audeo_bench.formats.regular import regular_file
from audeo_bench.roll import FRAMES_PER_SECOND, KEYS, LOWEST_PITCH, Notes

__all__ = ["MidiFile", "PedalRule", "read_midi", "write_midi"]

LARGEST_FILE = 32 * 2**20
LONGEST_SECONDS = 12 * 3600

PedalRule = Literal["ignore", "hold"]

DRUMS = 9
"""Channel 10, counted from 0."""
_DEFAULT_TEMPO = 500_000


@dataclass(frozen=True)
class MidiFile:
    """What a MIDI file plays.

    Attributes
    ----------
    notes : Notes
        Of all tracks and channels but drums, on the piano's 88 keys; notes of one key never overlap.
    pedal : np.ndarray, shape (m, 2), float64
        Seconds in which the sustain pedal of any channel that has notes is down, sorted, not overlapping.
    seconds : float
        When the last track ends.
    remarks : tuple of str
        What was dropped, closed or read past, in words; empty for most files.
    """

    notes: Notes
    pedal: np.ndarray
    seconds: float
    remarks: tuple[str, ...]


def read_midi(path: Path, pedal: PedalRule = "ignore") -> MidiFile:
    """Read a standard MIDI file of format 0 or 1, or one in a RIFF wrapper (RMID).

    Parameters
    ----------
    path : Path
        Of at most 32 MiB, 2,000,000 events and 12 hours.
    pedal : 'ignore' or 'hold'
        Whether notes end with their keys, or are held by the sustain pedal; see the module.

    Raises
    ------
    AudeoBenchError
        No such file, no regular file, one beyond these limits, of format 2, or damaged; its name, what was
        found and what to do are in the message.
    """
    path = regular_file(path, "give a MIDI file", LARGEST_FILE)
    try:
        return _play(parse(path.read_bytes()), pedal)
    except OSError as fault:
        raise AudeoBenchError(f"{path}: cannot be read ({fault.strerror}); give a MIDI file.") from None
    except Unreadable as fault:
        raise AudeoBenchError(f"{path}: not a readable MIDI file ({fault}); {fault.remedy}.") from None


def write_midi(notes: Notes, path: Path, tempo: float = 80, program: int = 0) -> None:
    """Write a MIDI file of one instrument.

    One tick is exactly one millisecond, so that frames (40 ms) survive a round trip; the tempo is what 60,000
    divided by a whole number of ticks a beat comes closest to (80 is met exactly).

    Parameters
    ----------
    notes : Notes
    path : Path
        Replaced atomically.
    tempo : float
        Beats a minute, 2..60,000. The authors' release writes 80.
    program : int
        General MIDI program, 0 = grand piano.
    """
    from audeo_bench.files import atomic_write
    from audeo_bench.formats.pretty import pretty_midi

    if not 2 <= tempo <= 60_000:
        raise AudeoBenchError(f"{path}: found tempo {tempo}; give 2 to 60000 beats a minute.")
    resolution = round(60_000 / tempo)
    instrument = pretty_midi.Instrument(program)
    for (onset, offset), pitch, velocity in zip(
        notes.intervals, notes.pitches, notes.velocities, strict=True
    ):
        # A note whose two ends round to the same tick would be read back as none.
        end = max(float(offset), float(onset) + 0.001)
        instrument.notes.append(pretty_midi.Note(int(velocity), int(pitch), float(onset), end))
    # pretty_midi cuts the microseconds a beat to a whole number; float error may leave them just short of it.
    midi = pretty_midi.PrettyMIDI(resolution=resolution, initial_tempo=60_000 / resolution * (1 - 1e-9))
    midi.instruments.append(instrument)
    with atomic_write(Path(path)) as temporary:
        midi.write(str(temporary))


class _Clock:
    """Ticks to seconds, through every change of tempo."""

    def __init__(self, events: Events) -> None:
        changes = {0: events.fixed_tempo or _DEFAULT_TEMPO}
        if events.fixed_tempo is None:
            # The sort is stable: of several on one tick the last track's counts.
            changes |= dict(sorted(events.tempi, key=lambda change: change[0]))
        begins, tempi, passed = [0], [changes.pop(0)], [0]
        # Whole numbers of any size, until the length is known to be sane.
        for tick, tempo in changes.items():
            passed.append(passed[-1] + (tick - begins[-1]) * tempi[-1])
            begins.append(tick)
            tempi.append(tempo)
        last = bisect_right(begins, events.end) - 1
        total = passed[last] + (events.end - begins[last]) * tempi[last]
        self.seconds = total / events.scale
        if self.seconds > LONGEST_SECONDS:
            raise Unreadable(
                f"it lasts {self.seconds:,.0f} s", f"give one of at most {LONGEST_SECONDS / 3600:.0f} hours"
            )
        self._scale = events.scale
        self._begins = np.array(begins, np.int64)
        self._tempi = np.array(tempi, np.int64)
        self._passed = np.array(passed, np.int64)

    def __call__(self, ticks: np.ndarray) -> np.ndarray:
        part = np.searchsorted(self._begins, ticks, side="right") - 1
        return (self._passed[part] + (ticks - self._begins[part]) * self._tempi[part]) / self._scale

    def tick_seconds(self, ticks: np.ndarray) -> np.ndarray:
        """How long a tick lasts there."""
        return self._tempi[np.searchsorted(self._begins, ticks, side="right") - 1] / self._scale


def _play(events: Events, pedal: PedalRule) -> MidiFile:
    clock = _Clock(events)
    players = _Players(pedal == "hold")
    ticks = np.frombuffer(events.ticks, np.int64) if events.ticks else np.zeros(0, np.int64)
    for index in np.argsort(ticks, kind="stable").tolist():
        players.take(events.ticks[index], events.messages[index])
    players.stop(events.end)
    notes = _snapped(_on_one_keyboard(np.array(players.notes, np.int64).reshape(-1, 4)), clock)
    down = _union([span for channel in sorted(players.used) for span in players.pedals[channel]])
    remarks = events.remarks + players.remarks()
    if illegal := [f"{count} {what}" for what, count in sorted((+events.illegal).items())]:
        remarks.append(f"illegal events read past: {', '.join(illegal)}")
    return MidiFile(notes, clock(down), clock.seconds, tuple(remarks))


class _Players:
    """Sixteen channels that take events in the order of time.

    ``notes`` holds (pitch, on, off, velocity) and ``pedals``, by channel, (down, up), in ticks.
    """

    def __init__(self, hold: bool) -> None:
        self._hold = hold
        self.notes: list[tuple[int, int, int, int]] = []
        self.pedals: list[list[tuple[int, int]]] = [[] for _ in range(16)]
        self.used: set[int] = set()
        # By channel: (track, pitch) -> onset, velocity, whether the earlier stroke's note-off may still come.
        self._pressed: list[dict[tuple[int, int], tuple[int, int, bool]]] = [{} for _ in range(16)]
        self._held: list[list[tuple[int, int, int]]] = [[] for _ in range(16)]
        self._down: list[int | None] = [None] * 16
        self._dropped: Counter[str] = Counter()
        self._unended = 0

    def take(self, tick: int, message: int) -> None:
        track, kind, channel = message >> 24, message >> 20 & 0xF, message >> 16 & 0xF
        number, value = message >> 8 & 0x7F, message & 0x7F
        if kind == CONTROL:
            self._control(tick, channel, number, value)
        elif channel == DRUMS or not LOWEST_PITCH <= number < LOWEST_PITCH + KEYS:
            if kind == NOTE_ON and value:
                where = "on channel 10 (drums)" if channel == DRUMS else "beyond the piano's 88 keys"
                self._dropped[where] += 1
        else:
            key = track, number
            pressed = self._pressed[channel].get(key)
            if kind == NOTE_ON and value:
                self.used.add(channel)
                again = False
                if pressed is not None:
                    onset, velocity, again = pressed
                    if onset < tick:
                        self._add(number, onset, tick, velocity)
                        again = True
                    else:
                        value = max(value, velocity)
                self._pressed[channel][key] = tick, value, again
            elif pressed is not None and pressed[2] and pressed[0] == tick:
                self._pressed[channel][key] = tick, pressed[1], False
            elif pressed is not None:
                self._release(tick, channel, key)

    def stop(self, tick: int) -> None:
        """End what is still on."""
        for channel in range(16):
            self._unended += len(self._pressed[channel])
            self._end_all(tick, channel)
            self._lift(tick, channel)

    def remarks(self) -> list[str]:
        said = [f"{_notes(count)} {what} left out" for what, count in sorted(self._dropped.items())]
        if self._unended:
            said.append(f"{_notes(self._unended)} without an end closed at the end of the file")
        return said

    def _control(self, tick: int, channel: int, number: int, value: int) -> None:
        if number == SUSTAIN and value >= 64:
            if self._down[channel] is None:
                self._down[channel] = tick
        elif number in (SUSTAIN, RESET):
            self._lift(tick, channel)
        elif number == SOUND_OFF:
            self._end_all(tick, channel)
        elif number >= ALL_NOTES_OFF:
            for key in list(self._pressed[channel]):
                self._release(tick, channel, key)

    def _release(self, tick: int, channel: int, key: tuple[int, int]) -> None:
        onset, velocity, _ = self._pressed[channel].pop(key)
        if self._hold and self._down[channel] is not None:
            self._held[channel].append((key[1], onset, velocity))
        else:
            self._add(key[1], onset, tick, velocity)

    def _lift(self, tick: int, channel: int) -> None:
        """The pedal goes up."""
        down, self._down[channel] = self._down[channel], None
        if down is not None and down < tick:
            self.pedals[channel].append((down, tick))
        for pitch, onset, velocity in self._held[channel]:
            self._add(pitch, onset, tick, velocity)
        self._held[channel].clear()

    def _end_all(self, tick: int, channel: int) -> None:
        for (_, pitch), (onset, velocity, _) in self._pressed[channel].items():
            self._add(pitch, onset, tick, velocity)
        for pitch, onset, velocity in self._held[channel]:
            self._add(pitch, onset, tick, velocity)
        self._pressed[channel].clear()
        self._held[channel].clear()

    def _add(self, pitch: int, onset: int, end: int, velocity: int) -> None:
        if end > onset:
            self.notes.append((pitch, onset, end, velocity))
        else:
            self._dropped["of no length"] += 1


def _notes(count: int) -> str:
    return f"{count:,} note{'s' * (count != 1)}"


def _on_one_keyboard(notes: np.ndarray) -> np.ndarray:
    """Notes (pitch, on, off, velocity) of any players as one keyboard's, which never overlap on a key.

    A key is on while anyone holds it; each onset begins a note. Of several at once the loudest counts.
    """
    if not len(notes):
        return notes
    notes = notes[np.lexsort((notes[:, 1], notes[:, 0]))]
    strikes = np.flatnonzero(np.any(np.diff(notes[:, :2], axis=0, prepend=-1), axis=1))
    velocities = np.maximum.reduceat(notes[:, 3], strikes)
    ends = np.maximum.reduceat(notes[:, 2], strikes)
    notes = notes[strikes]
    for pitch in np.unique(notes[:, 0]):
        own = slice(*np.searchsorted(notes[:, 0], (pitch, pitch + 1)))
        until = np.maximum.accumulate(ends[own])
        until[:-1] = np.minimum(until[:-1], notes[own, 1][1:])
        ends[own] = until
    notes = np.stack([notes[:, 0], notes[:, 1], ends, velocities], axis=1)
    return notes[np.lexsort((notes[:, 0], notes[:, 1]))]


def _snapped(notes: np.ndarray, clock: _Clock) -> Notes:
    """Into seconds; a roll's times are its frames' edges again (see the module)."""
    ticks = notes[:, 1:3]
    seconds = clock(ticks)
    edges = np.round(seconds * FRAMES_PER_SECOND)
    behind = seconds * FRAMES_PER_SECOND - edges
    tick = np.minimum(clock.tick_seconds(ticks) * FRAMES_PER_SECOND, 0.25) + 1e-6
    near = (-tick <= behind) & (behind <= tick / 2)
    if near.all() and (edges[:, 0] < edges[:, 1]).all():
        seconds = edges / FRAMES_PER_SECOND
    return Notes(seconds, notes[:, 0].copy(), notes[:, 3].copy())


def _union(spans: list[tuple[int, int]]) -> np.ndarray:
    """Sorted spans that do not overlap, shape (m, 2), int64."""
    joined: list[list[int]] = []
    for down, up in sorted(spans):
        if joined and down < joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], up)
        else:
            joined.append([down, up])
    return np.array(joined, np.int64).reshape(-1, 2)
