"""Sound from notes and piano rolls through FluidSynth, 16 kHz mono.

:func:`render_roll` keeps the paper's settings: 0.04 s a frame, velocity 100, pretty_midi's bundled sound
font. Its tempo of 80 only lays out bars in a MIDI file; it changes no sound, since every note is timed in
seconds.

The same notes always give the same samples: they are read as floats, so FluidSynth's dither plays no part.
"""

from __future__ import annotations

import ctypes
import difflib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from audeo_bench.api import SAMPLE_RATE, AudeoBenchError
from audeo_bench.formats.regular import regular_file
from audeo_bench.roll import FRAMES_PER_SECOND, KEYS, Notes, roll_to_notes
from audeo_bench.synth.loudness import at_level

if TYPE_CHECKING:
    import fluidsynth

__all__ = ["default_soundfont", "instrument", "render", "render_blocks", "render_roll"]

BLOCK = 30 * SAMPLE_RATE
"""Samples that are rendered at a time."""
RING_SECONDS = 1.0
"""Appended after the last note where no length is asked for, as pretty_midi does."""
SUSTAIN_PEDAL = 64


def default_soundfont() -> Path:
    """The General MIDI sound font that travels with pretty_midi, the one the paper's sound was made with."""
    from audeo_bench.formats.pretty import pretty_midi

    return Path(pretty_midi.__file__).with_name("TimGM6mb.sf2")


def instrument(name: str | int) -> int:
    """The General MIDI program 0..127 of an instrument.

    Parameters
    ----------
    name : str or int
        A General MIDI name such as ``koto`` or ``church organ``, in any case; a part of one that fits no
        other; or the program number itself.

    Raises
    ------
    AudeoBenchError
        If no instrument, or more than one, is called so.
    """
    from audeo_bench.formats.pretty import pretty_midi

    instruments = pretty_midi.constants.INSTRUMENT_MAP
    if str(name).isdecimal():
        if int(name) < len(instruments):
            return int(name)
        raise AudeoBenchError(f"instrument {name}: General MIDI numbers its programs 0 to 127.")
    programs = {title.casefold(): number for number, title in enumerate(instruments)}
    wanted = " ".join(str(name).split()).casefold()
    if wanted in programs:
        return programs[wanted]
    holding = [title for title in programs if wanted and wanted in title]
    if len(holding) == 1:
        return programs[holding[0]]
    close = holding[:4] or difflib.get_close_matches(wanted, programs, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(close)}?" if close else "use a General MIDI name such as koto."
    raise AudeoBenchError(f"instrument {str(name)!r}: {'which one' if holding else 'unknown'}; {hint}")


def render(
    notes: Notes,
    pedal: np.ndarray | None = None,
    program: int = 0,
    soundfont: Path | None = None,
    seconds: float | None = None,
    cents: float = 0.0,
) -> np.ndarray:
    """Render notes, with their velocities and the sustain pedal.

    Parameters
    ----------
    notes : Notes
    pedal : np.ndarray or None, shape (m, 2)
        Intervals in seconds with the sustain pedal down.
    program : int
        General MIDI program 0..127; see :func:`instrument`.
    soundfont : Path or None
        A ``.sf2`` file; None for the bundled one.
    seconds : float or None
        Length of the sound; None for one second after the last note. Notes after it are left out.
    cents : float
        How much too high the instrument is tuned, -200 to 200 hundredths of a semitone.

    Returns
    -------
    np.ndarray, shape (round(16000 * seconds),), float32
        Both channels averaged, at the level of :mod:`.loudness`; zeros where nothing sounds.

    Raises
    ------
    AudeoBenchError
        If FluidSynth is not installed, or the file is not a sound font, or has no such program.
    """
    blocks = list(render_blocks(notes, pedal, program, soundfont, seconds, cents))
    mono = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    return at_level(mono)


def render_blocks(
    notes: Notes,
    pedal: np.ndarray | None = None,
    program: int = 0,
    soundfont: Path | None = None,
    seconds: float | None = None,
    cents: float = 0.0,
) -> Iterator[np.ndarray]:
    """Render as :func:`render` does, half a minute at a time, so that memory does not grow with the length.

    Yields
    ------
    np.ndarray, shape (n,), float32
        Consecutive samples, both channels averaged, *not* scaled: the level of the whole is not yet known.
    """
    if seconds is None:
        seconds = float(notes.intervals[:, 1].max()) + RING_SECONDS if len(notes) else 0.0
    total = round(seconds * SAMPLE_RATE)
    if not np.any(notes.intervals[:, 0] < seconds):
        for start in range(0, total, BLOCK):
            yield np.zeros(min(BLOCK, total - start), np.float32)
        return
    events = iter(_events(notes, pedal))
    event = next(events)
    synth = _open_synth(soundfont, program)
    try:
        synth.pitch_bend(0, round(cents / 200 * 8191))
        for start in range(0, total, BLOCK):
            stereo = np.zeros((2, min(BLOCK, total - start)), np.float32)
            position = 0
            while event is not None and event[0] - start < stereo.shape[1]:
                sample, _, message, number, value = event
                _write(synth, stereo, position, sample - start)
                position = max(position, sample - start)
                getattr(synth, message)(0, number, value) if message != "noteoff" else synth.noteoff(
                    0, number
                )
                event = next(events, None)
            _write(synth, stereo, position, stereo.shape[1])
            yield stereo.mean(axis=0)
    finally:
        synth.delete()


def render_roll(roll: np.ndarray, program: int = 0, soundfont: Path | None = None) -> np.ndarray:
    """Render a piano roll as the paper does, every note at velocity 100.

    Parameters
    ----------
    roll : np.ndarray, shape (88, T), bool
    program, soundfont
        As for :func:`render`.

    Returns
    -------
    np.ndarray, shape (640 T,), float32
        16 kHz, as long as the roll: ``T / 25`` seconds.
    """
    roll = np.asarray(roll)
    if roll.ndim != 2 or roll.shape[0] != KEYS or roll.dtype != bool:
        raise AudeoBenchError(
            f"a roll to render must be bool of shape (88, T), found {roll.dtype} of shape {roll.shape}."
        )
    notes = roll_to_notes(roll)
    return render(notes, program=program, soundfont=soundfont, seconds=roll.shape[1] / FRAMES_PER_SECOND)


def _import_fluidsynth():
    try:
        import_module("audeo_bench.formats.pretty")  # which imports it first, without a word
        fluidsynth = import_module("fluidsynth")
    except (ImportError, OSError) as problem:
        raise AudeoBenchError(
            f"FluidSynth cannot be loaded ({problem}); install the system library: "
            "apt install libfluidsynth3 (Debian, Ubuntu), brew install fluid-synth (macOS), choco install "
            "fluidsynth (Windows) or conda install -c conda-forge fluidsynth."
        ) from problem
    return fluidsynth


def _open_synth(soundfont: Path | None, program: int) -> fluidsynth.Synth:
    fluidsynth = _import_fluidsynth()
    path = Path(soundfont) if soundfont is not None else default_soundfont()
    regular_file(path, "give the path of a .sf2 file")
    try:
        with path.open("rb") as stream:
            head = stream.read(12)
    except OSError as problem:
        raise AudeoBenchError(
            f"{path}: cannot be read ({problem.strerror}); give the path of a .sf2 file."
        ) from None
    if head[:4] != b"RIFF" or head[8:] != b"sfbk":
        raise AudeoBenchError(
            f"{path}: not a sound font (no RIFF sfbk header); give the path of a .sf2 file."
        )
    synth = fluidsynth.Synth(gain=0.2, samplerate=SAMPLE_RATE)
    bank = synth.sfload(str(path))
    if bank == -1 or synth.program_select(0, bank, 0, program) == -1:
        synth.delete()
        trouble = "damaged sound font" if bank == -1 else f"has no program {program}"
        raise AudeoBenchError(f"{path}: {trouble}; use another sound font or instrument.")
    return synth


def _events(notes: Notes, pedal: np.ndarray | None) -> list[tuple[int, int, str, int, int]]:
    """(sample, order, message, number, value), sorted; at one sample: the pedal, releases, strokes.

    A key that is struck again while it is down is released at that moment, so that its first release cannot
    end the second stroke.
    """
    order = np.lexsort((notes.intervals[:, 0], notes.pitches))
    onsets, offsets, pitches = (
        notes.intervals[order, 0],
        notes.intervals[order, 1].copy(),
        notes.pitches[order],
    )
    again = (pitches[1:] == pitches[:-1]) & (offsets[:-1] > onsets[1:])
    offsets[:-1][again] = onsets[1:][again]
    events: list[tuple[int, int, str, int, int]] = []
    for onset, offset, pitch, velocity in zip(onsets, offsets, pitches, notes.velocities[order], strict=True):
        events.append((int(onset * SAMPLE_RATE), 3, "noteon", int(pitch), int(velocity)))
        events.append((int(offset * SAMPLE_RATE), 2, "noteoff", int(pitch), 0))
    for down, up in pedal if pedal is not None else ():
        events.append((int(up * SAMPLE_RATE), 0, "cc", SUSTAIN_PEDAL, 0))
        events.append((int(down * SAMPLE_RATE), 1, "cc", SUSTAIN_PEDAL, 127))
    return sorted(events)


def _write(synth: fluidsynth.Synth, stereo: np.ndarray, start: int, stop: int) -> None:
    """Let the synthesiser fill samples start..stop of both channels, in place."""
    if stop <= start:
        return
    write_float = _import_fluidsynth()._fl.fluid_synth_write_float
    left, right = (ctypes.c_void_p(stereo[channel].ctypes.data) for channel in (0, 1))
    write_float(ctypes.c_void_p(synth.synth), stop - start, left, start, 1, right, start, 1)
