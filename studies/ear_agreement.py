"""The ear beside real transcribers: ``python -m studies.ear_agreement ASAP``.

Two checks (docs/notebook/ear.md):

* Disklavier performances (ASAP) are rendered by FluidSynth and transcribed by Transkun. Its notes, held by
  its pedal, are the truth; the prediction is the ear's roll, or the keys as they were pressed. Same
  performance, same sound.
* With ``--pianoyt``: how long notes last, by register, in Onsets and Frames' labels of real recordings of
  Book I, beside the ear's on ASAP's performances of the same book. Another transcriber, real pianos, other
  pianists.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from audeo_bench.corpus.reenacted.pianoyt import LABELS
from audeo_bench.corpus.simulated.ear import hold_with_pedal, listen
from audeo_bench.files import atomic_write
from audeo_bench.formats.midi import read_midi
from audeo_bench.roll import FRAMES_PER_SECOND, Notes, notes_to_roll
from audeo_bench.score.frames import average, frame_counts
from studies.tables import Keep, Table, show
from studies.transcribe import TRANSKUN_RATE, transcribe

PERFORMANCES = (
    "Prelude/bwv_846/Shi05M.mid",
    "Fugue/bwv_848/Lou01M.mid",
    "Prelude/bwv_867/HuNY01M.mid",
    "Prelude/bwv_867/Sham01M.mid",
)
"""Pedalled throughout; fast, dry; slow, pedalled; slow, nearly dry. All of Book I: the test is Book II."""
SECONDS = 60
REGISTERS = (36, 48, 60, 72, 85)


def beginning(notes: Notes, pedal: np.ndarray, seconds: float) -> tuple[Notes, np.ndarray]:
    """What happens in the first ``seconds``; notes that begin in the last two are left out."""
    kept = notes.intervals[:, 0] < seconds - 2
    cut = Notes(np.minimum(notes.intervals[kept], seconds), notes.pitches[kept], notes.velocities[kept])
    return cut, np.minimum(pedal[pedal[:, 0] < seconds], seconds)


def held(notes: Notes, pedal: np.ndarray) -> Notes:
    """Notes as long as their strings sound, without a transcriber's errors."""
    stops = np.maximum(hold_with_pedal(notes, pedal), notes.intervals[:, 0] + 0.01)
    return Notes(np.stack([notes.intervals[:, 0], stops], axis=1), notes.pitches, notes.velocities)


def render_wide(notes: Notes, pedal: np.ndarray) -> np.ndarray:
    """FluidSynth at the transcriber's 44.1 kHz; ours is 16 kHz, as the paper's."""
    import pretty_midi

    instrument = pretty_midi.Instrument(0)
    for (onset, offset), pitch, velocity in zip(
        notes.intervals, notes.pitches, notes.velocities, strict=True
    ):
        instrument.notes.append(pretty_midi.Note(int(velocity), int(pitch), float(onset), float(offset)))
    for down, up in pedal:
        instrument.control_changes.append(pretty_midi.ControlChange(64, 127, float(down)))
        instrument.control_changes.append(pretty_midi.ControlChange(64, 0, float(up)))
    midi = pretty_midi.PrettyMIDI()
    midi.instruments.append(instrument)
    samples = midi.fluidsynth(fs=TRANSKUN_RATE)[: SECONDS * TRANSKUN_RATE]
    return (0.5 * samples / np.abs(samples).max()).astype(np.float32)


def hear(notes: Notes, pedal: np.ndarray, kept: Path | None) -> Notes:
    """Transkun's notes, held by Transkun's pedal; read from ``kept`` where they lie there already."""
    if kept is not None and kept.is_file():
        with np.load(kept, allow_pickle=False) as file:
            return Notes(file["intervals"], file["pitches"], file["velocities"])
    heard = held(*transcribe(render_wide(notes, pedal)))
    if kept is not None:
        with atomic_write(kept) as temporary:
            np.savez_compressed(
                temporary, intervals=heard.intervals, pitches=heard.pitches, velocities=heard.velocities
            )
    return heard


def f1(prediction: np.ndarray, truth: np.ndarray) -> float:
    """frame_mean F1 in percent over all 88 keys, nan without frames."""
    if not truth.shape[1]:
        return float("nan")
    return 100 * float(average(frame_counts(truth, prediction.astype(np.float32), [0.5])).f1[0])


def agreement(asap: Path, kept: Path | None) -> Table:
    """Rows: one a performance, one for all, and one for each number of keys sounding at once."""
    rolls: dict[str, list[np.ndarray]] = {"pressed": [], "held": [], "ear": [], "Transkun": []}
    rows = []
    for file in PERFORMANCES:
        midi = read_midi(asap / "Bach" / file)
        notes, pedal = beginning(midi.notes, midi.pedal, SECONDS)
        heard = hear(notes, pedal, kept / file.replace("/", "-").replace(".mid", ".npz") if kept else None)
        answers = {
            "pressed": notes,
            "held": held(notes, pedal),
            "ear": listen(notes, pedal, np.random.default_rng(0), SECONDS),
            "Transkun": heard,
        }
        for name, answer in answers.items():
            rolls[name].append(notes_to_roll(answer, SECONDS * FRAMES_PER_SECOND))
        scores = [f1(rolls[name][-1], rolls["Transkun"][-1]) for name in ("pressed", "held", "ear")]
        cells = [f"{score:.1f}" for score in scores]
        rows.append((file.removesuffix(".mid"), str(len(notes)), str(len(heard)), *cells))
    joined = {name: np.concatenate(parts, axis=1) for name, parts in rolls.items()}
    sounding = joined["Transkun"].sum(axis=0)
    groups = {"all frames": sounding >= 0} | {f"{count} sounding": sounding == count for count in range(1, 6)}
    for group, frames in groups.items():
        scores = [
            f1(joined[name][:, frames], joined["Transkun"][:, frames]) for name in ("pressed", "held", "ear")
        ]
        rows.append((f"{group}: {int(frames.sum())}", "", "", *(f"{score:.1f}" for score in scores)))
    return Table(("performance", "notes", "Transkun", "pressed", "held", "ear"), tuple(rows))


def lengths(asap: Path, pianoyt: Path) -> Table:
    """Rows: note lengths by register, labels of real recordings beside the ear and the keys."""
    keys, ears = [], []
    for path in sorted(asap.glob("Bach/*/bwv_8[456]*/*.mid")):
        if path.stem != "midi_score":
            midi = read_midi(path)
            keys.append(midi.notes)
            end = midi.notes.intervals[:, 1].max() + 1
            ears.append(listen(midi.notes, midi.pedal, np.random.default_rng(0), end))
    labels = [read_midi(pianoyt / label.file).notes for label in LABELS if label.book == 1]
    rows = []
    for low, high in pairwise(REGISTERS):
        cells = []
        for performances in (labels, ears, keys):
            seconds = np.concatenate(
                [
                    np.diff(n.intervals, axis=1)[(n.pitches >= low) & (n.pitches < high), 0]
                    for n in performances
                ]
            )
            cells.append(" / ".join(f"{value:.2f}" for value in np.percentile(seconds, [50, 99, 99.8])))
        rows.append((f"{low}..{high - 1}", *cells))
    return Table(("pitches", "labels 50 / 99 / 99.8 %", "ear", "keys"), tuple(rows))


def main(
    asap: Annotated[Path, typer.Argument(help="ASAP's root folder.")],
    pianoyt: Annotated[Path | None, typer.Option(help="PianoYT's root folder, for the second check.")] = None,
    transcriptions: Annotated[
        Path | None, typer.Option(help="Folder that keeps transcriptions, for another go.")
    ] = None,
    keep: Keep = None,
) -> None:
    """Print how far the simulated ear agrees with real transcribers."""
    tables = [agreement(asap, transcriptions)]
    if pianoyt is not None:
        tables.append(lengths(asap, pianoyt))
    show(tables, keep)


if __name__ == "__main__":
    typer.run(main)
