"""How like real hands the simulated ones are: the same music, real fingertips beside simulated ones.

The real side is MIDItest (Koepke, Wiles, Moses & Zisserman, ICASSP 2020, CC BY 4.0): eight performances with
the digital piano's own MIDI, the keyboard's borders in the picture and MediaPipe fingertips at 30 frames a
second. The simulated side acts the same MIDI out. Both go through the same measures::

    python -m studies.hand_likeness MIDITEST
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from scipy.optimize import brute
from scipy.signal import medfilt

from audeo_bench.api import AudeoBenchError
from audeo_bench.corpus.simulated.hands import finger, frame_times, split_hands, track
from audeo_bench.formats.midi import read_midi
from audeo_bench.keyboard import IS_BLACK, KEY_X, WHITE_LENGTH, WHITE_WIDTH
from audeo_bench.roll import LOWEST_PITCH, Notes
from studies.tables import Keep, Table, show

VIDEO_RATE = 30.0
_TIPS = {4: 0, 8: 1, 12: 2, 16: 3, 20: 4}


@dataclass(frozen=True)
class Acted:
    """Fingertips beside the notes they play.

    Attributes
    ----------
    notes : Notes
        In the clock of the fingertips.
    tips : np.ndarray, shape (T, 2, 5, 2)
        x and y in mm at 30 frames a second, NaN where a hand is not seen; hand 0 = left, finger 0 = thumb.
    """

    notes: Notes
    tips: np.ndarray


def read_miditest(folder: Path) -> dict[str, Acted]:
    """Every performance of MIDItest by its name, notes shifted into the video's clock."""
    found = sorted((folder / "miditest_MIDI").glob("*.mid"), key=lambda p: int(p.stem))
    if not found:
        raise AudeoBenchError(f"{folder}: no miditest_MIDI/*.mid here; give the folder that holds MIDItest.")
    performances: dict[str, Acted] = {}
    for path in found:
        tips = _read_tips(folder / "miditest_videos", path.stem)
        performances[path.stem] = Acted(_shifted(read_midi(path).notes, tips), tips)
    return performances


def _read_tips(videos: Path, name: str) -> np.ndarray:
    """Pixels to millimetres through the white keys' borders; hands told apart by where they are."""
    borders = json.loads((videos / "borders" / f"{name}.json").read_text())
    rows = pd.read_csv(videos / "fingertips" / f"{name}.csv")
    # The first border is A0's left edge, also where C8 is cut off by the picture.
    edges = np.array(borders["white_keys"], float)
    x = np.interp(rows.x, edges, np.arange(len(edges)) * WHITE_WIDTH)
    bottom, top = borders["bottom_border"], borders["top_border"]
    y = (bottom - rows.y) / (bottom - top) * WHITE_LENGTH
    tips = np.full((int(rows.frame_index.max()) + 1, 2, 5, 2), np.nan)
    fingers = rows.fingertip_id.map(_TIPS)
    tips[rows.frame_index, rows.hand_index, fingers] = np.stack([x, y], axis=1)
    return _told_apart(tips)


def _told_apart(tips: np.ndarray) -> np.ndarray:
    """The tracker swaps its hands: the left one is further left, a lone one shows by its thumb's side."""
    middle = tips[:, :, 1:, 0].mean(axis=2)
    both = np.isfinite(middle).all(axis=1)
    thumb_right = tips[:, :, 0, 0] > tips[:, :, 4, 0]
    lone_wrong = (np.isfinite(middle[:, 0]) & ~both & ~thumb_right[:, 0]) | (
        np.isfinite(middle[:, 1]) & ~both & thumb_right[:, 1]
    )
    swap = np.where(both, middle[:, 0] > middle[:, 1], lone_wrong)
    apart = np.where(swap[:, None, None, None], tips[:, ::-1], tips)
    # Two detections of one hand are of no use.
    doubled = both & (np.abs(middle[:, 0] - middle[:, 1]) < 40)
    apart[doubled] = np.nan
    return apart


def _nearest(tips: np.ndarray, frames: np.ndarray, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """|x| distance of each key to the nearest fingertip in its frame (mm, NaN unseen), and which tip 0..9."""
    there = tips[np.clip(frames, 0, len(tips) - 1)].reshape(len(frames), 10, 2)
    away = np.abs(there[..., 0] - KEY_X[keys][:, None])
    # A tip in front of the keyboard plays nothing.
    away = np.where(np.isfinite(away) & (there[..., 1] > -8), away, np.inf)
    which = away.argmin(axis=1)
    nearest = away[np.arange(len(frames)), which]
    return np.where(np.isfinite(nearest), nearest, np.nan), which


def _shifted(notes: Notes, tips: np.ndarray) -> Notes:
    """Notes in the video's clock: the rate and offset that bring fingertips nearest to the keys pressed.

    The videos run about one per cent slow against their MIDI, so that an offset alone does not do.
    """
    keys = notes.pitches - LOWEST_PITCH
    middles = notes.intervals[:, 0] + 0.05

    def distance(clock: np.ndarray, step: int = 1) -> float:
        rate, offset = clock
        frames = np.round((middles[::step] * rate + offset) * VIDEO_RATE).astype(int)
        near, _ = _nearest(tips, frames, keys[::step])
        near[(frames < 0) | (frames >= len(tips))] = np.nan
        return float(np.minimum(np.nan_to_num(near, nan=25.0), 25.0).mean())

    rates, offsets = slice(0.96, 1.03, 0.004), slice(-7.0, 4.0, 0.12)
    rate, offset = np.asarray(brute(lambda clock: distance(clock, 3), (rates, offsets), finish=None))
    near_by = (slice(rate - 0.004, rate + 0.004, 0.0008), slice(offset - 0.12, offset + 0.12, 1 / VIDEO_RATE))
    rate, offset = np.asarray(brute(distance, near_by, finish=None))
    return Notes(notes.intervals * rate + offset, notes.pitches, notes.velocities)


def act_out(real: Acted, rng: np.random.Generator) -> Acted:
    """The same notes played by simulated hands, sampled at the video's instants."""
    # Notes may begin before the video does; hands are acted out from one second earlier.
    early = max(0.0, 1.0 - float(real.notes.intervals[:, 0].min()))
    notes = Notes(real.notes.intervals + early, real.notes.pitches, real.notes.velocities)
    instants = np.arange(len(real.tips)) / VIDEO_RATE + early
    frames = int((instants[-1] + 1) * 25)
    moved = track(notes, split_hands(notes), frames, rng).fingertips[..., :2].reshape(frames, -1)
    shown = frame_times(frames)
    tips = np.stack([np.interp(instants, shown, column) for column in moved.T], axis=1)
    return Acted(real.notes, tips.reshape(len(instants), 2, 5, 2))


def _fingers_agree(acted: Acted) -> np.ndarray:
    """Per note, 100 where :func:`finger` chooses the finger that is nearest to the key, given its hand."""
    keys = acted.notes.pitches - LOWEST_PITCH
    frames = np.round((acted.notes.intervals[:, 0] + 0.05) * VIDEO_RATE).astype(int)
    near, which = _nearest(acted.tips, frames, keys)
    sure = near < 9
    chosen = finger(acted.notes, np.where(sure, which // 5, split_hands(acted.notes)))
    return 100.0 * (chosen == which)[sure]


def _hands_agree(acted: Acted) -> np.ndarray:
    """Per note, 100 where :func:`split_hands` chooses the hand that is nearest to the key."""
    keys = acted.notes.pitches - LOWEST_PITCH
    frames = np.round((acted.notes.intervals[:, 0] + 0.05) * VIDEO_RATE).astype(int)
    near, which = _nearest(acted.tips, frames, keys)
    return 100.0 * (split_hands(acted.notes) == which // 5)[near < 9]


def agreement(folder: Path) -> tuple[float, float]:
    """Share of MIDItest's notes, in per cent, that get the real hand, and the real finger given the hand."""
    real = list(read_miditest(folder).values())
    hands, fingers = (np.concatenate([f(a) for a in real]) for f in (_hands_agree, _fingers_agree))
    return float(hands.mean()), float(fingers.mean())


def _at_presses(acted: Acted) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distance, depth share and black? for every note, 50 ms after its onset."""
    keys = acted.notes.pitches - LOWEST_PITCH
    frames = np.round((acted.notes.intervals[:, 0] + 0.05) * VIDEO_RATE).astype(int)
    inside = (frames >= 0) & (frames < len(acted.tips))
    frames, keys = frames[inside], keys[inside]
    near, which = _nearest(acted.tips, frames, keys)
    depth = acted.tips.reshape(len(acted.tips), 10, 2)[frames, which, 1] / WHITE_LENGTH
    return near, np.where(near < WHITE_WIDTH / 2, depth, np.nan), IS_BLACK[keys]


def _steady(tips: np.ndarray) -> np.ndarray:
    """A median over five frames: the tracker's flicker is not motion."""
    flat = tips.reshape(len(tips), -1)
    return medfilt(flat, (5, 1)).reshape(tips.shape)


def _depth(acted: Acted, black: bool) -> np.ndarray:
    _, depth, is_black = _at_presses(acted)
    return 100 * depth[is_black == black]


def _spread(acted: Acted) -> np.ndarray:
    return np.abs(acted.tips[:, :, 4, 0] - acted.tips[:, :, 0, 0]).ravel()


def _neighbours(acted: Acted) -> np.ndarray:
    return np.abs(np.diff(acted.tips[:, :, 1:, 0], axis=2)).ravel()


def _speed(acted: Acted) -> np.ndarray:
    """Over 0.2 s, so that what remains of the flicker counts little."""
    tips = _steady(acted.tips)
    return (np.linalg.norm(tips[6:] - tips[:-6], axis=-1) / (6 / VIDEO_RATE)).ravel()


def _finger_depth(finger: int) -> Callable[[Acted], np.ndarray]:
    def measure(acted: Acted) -> np.ndarray:
        return 100 * acted.tips[:, :, finger, 1].ravel() / WHITE_LENGTH

    return measure


def _under(acted: Acted) -> np.ndarray:
    """Key index under every fingertip, shape (T, 10), -1 off the keyboard: black keys from 45 mm inwards."""
    tips = acted.tips.reshape(len(acted.tips), 10, 2)
    away = np.abs(tips[..., 0, None] - KEY_X)
    inner = tips[..., 1] > 50
    away = np.where(IS_BLACK & ~inner[..., None], np.inf, away)
    away = np.where(IS_BLACK & inner[..., None], away * (WHITE_WIDTH / 15), away)
    key = np.where(np.isfinite(tips[..., 0]), np.nan_to_num(away, nan=np.inf).argmin(axis=-1), -1)
    return np.where((tips[..., 1] > 0) & (tips[..., 1] < WHITE_LENGTH), key, -1)


def _down(acted: Acted) -> np.ndarray:
    """Keys down at the video's instants, shape (T, 88)."""
    down = np.zeros((len(acted.tips), 88), bool)
    for (onset, offset), pitch in zip(acted.notes.intervals, acted.notes.pitches, strict=True):
        first, last = max(round(onset * VIDEO_RATE), 0), max(round(offset * VIDEO_RATE), 0)
        down[first:last, pitch - LOWEST_PITCH] = True
    return down


def _hovering(acted: Acted) -> np.ndarray:
    under, down = _under(acted), _down(acted)
    pressed = np.take_along_axis(down, np.maximum(under, 0), axis=1)
    seen = np.isfinite(acted.tips[..., 0, 0]).all(axis=1)
    return ((under >= 0) & ~pressed).sum(axis=1)[seen].astype(float)


def _stay(acted: Acted, direction: int) -> np.ndarray:
    """ms (up to 1 s) that a tip is within the key before its onset (-1) or after its release (+1)."""
    keys = acted.notes.pitches - LOWEST_PITCH
    moment = acted.notes.intervals[:, 0] if direction < 0 else acted.notes.intervals[:, 1]
    frames = np.round(moment * VIDEO_RATE).astype(int)
    inside = (frames >= 31) & (frames < len(acted.tips) - 31)
    frames, keys = frames[inside], keys[inside]
    near, which = _nearest(acted.tips, frames, keys)
    x = _steady(acted.tips).reshape(len(acted.tips), 10, 2)[..., 0]
    steps = frames[:, None] + direction * np.arange(31)
    on_key = np.abs(x[steps, which[:, None]] - KEY_X[keys][:, None]) < WHITE_WIDTH / 2
    stay = np.where(on_key.all(axis=1), 31, on_key.argmin(axis=1)) / VIDEO_RATE * 1000
    return np.where(near < WHITE_WIDTH / 2, stay, np.nan)


MEASURES: dict[str, Callable[[Acted], np.ndarray]] = {
    "fingertip to pressed key's centre, x, mm": lambda acted: _at_presses(acted)[0],
    "depth on pressed white keys, % of key length": lambda acted: _depth(acted, False),
    "depth on pressed black keys, % of key length": lambda acted: _depth(acted, True),
    "depth of thumbs, %": _finger_depth(0),
    "depth of index fingers, %": _finger_depth(1),
    "depth of middle fingers, %": _finger_depth(2),
    "depth of ring fingers, %": _finger_depth(3),
    "depth of little fingers, %": _finger_depth(4),
    "spread, thumb to little finger, mm": _spread,
    "neighbours among fingers 2-5, mm": _neighbours,
    "fingertip speed, mm/s": _speed,
    "fingertips over unpressed keys": _hovering,
    "on the key before its onset, ms": lambda acted: _stay(acted, -1),
    "on the key after its release, ms": lambda acted: _stay(acted, 1),
}
"""Name and function from :class:`Acted` to a flat array of values, NaN where not seen."""


@dataclass(frozen=True)
class Likeness:
    """One measure over all performances: (10th percentile, median, 90th percentile) of either side."""

    measure: str
    real: tuple[float, float, float]
    simulated: tuple[float, float, float]


def compare(folder: Path, seed: int = 0) -> list[Likeness]:
    """Every measure on MIDItest and on the simulated hands that play the same notes."""
    real = list(read_miditest(folder).values())
    simulated = [act_out(acted, np.random.default_rng([seed, n])) for n, acted in enumerate(real)]
    # Where the tracker did not see a hand, the simulated one does not count either.
    hidden = [
        Acted(sim.notes, np.where(np.isfinite(act.tips), sim.tips, np.nan))
        for act, sim in zip(real, simulated, strict=True)
    ]

    def summary(measure: Callable[[Acted], np.ndarray], side: list[Acted]) -> tuple[float, float, float]:
        low, middle, high = np.nanpercentile(np.concatenate([measure(acted) for acted in side]), [10, 50, 90])
        return float(low), float(middle), float(high)

    return [Likeness(name, summary(f, real), summary(f, hidden)) for name, f in MEASURES.items()]


def _cells(values: tuple[float, float, float]) -> str:
    low, middle, high = (f"{value:.0f}" if abs(value) >= 9.95 else f"{value:.1f}" for value in values)
    return f"{middle} ({low} .. {high})"


def main(
    folder: Annotated[Path, typer.Argument(help="The folder that holds MIDItest.")],
    seed: Annotated[int, typer.Option(help="Seed of the simulated pianists.")] = 0,
    keep: Keep = None,
) -> None:
    """Print real and simulated hands side by side: median (10th .. 90th percentile)."""
    try:
        rows = compare(folder, seed)
        hands, fingers = agreement(folder)
    except AudeoBenchError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    cells = tuple((row.measure, _cells(row.real), _cells(row.simulated)) for row in rows)
    agree = f"{hands:.1f} % of the notes; same finger, given the hand: {fingers:.1f} %"
    show([Table(("measure", "real", "simulated"), cells)], keep, same_hand=agree)


if __name__ == "__main__":
    typer.run(main)
