"""How plainly the simulated camera shows that a key is down: d' of an ideal observer, hands in place.

``python -m studies.visibility`` prints the table of ``docs/notebook/camera.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import typer

from audeo_bench.corpus.simulated.appearance import Appearance
from audeo_bench.corpus.simulated.camera import film
from audeo_bench.corpus.simulated.hands import HandTracks, split_hands, track
from audeo_bench.keyboard import IS_BLACK
from audeo_bench.roll import FRAMES_PER_SECOND, LOWEST_PITCH, Notes
from studies.tables import Keep, Table, show

_HALF = 30
"""Frames that a key is up, and then down, under one still hand."""


@dataclass(frozen=True)
class Visibility:
    """One still hand over one key.

    Attributes
    ----------
    key : int
    d_prime : float
        Distance between the observer's mean answers to pressed and unpressed frames, in standard deviations.
    contrast : float
        Root mean square change in grey levels over the pixels that change by at least one, without noise.
    """

    key: int
    d_prime: float
    contrast: float


def exercise(rng: np.random.Generator, seconds: float) -> Notes:
    """Two hands playing random intervals of one to three keys, to have hands in playing positions."""
    rows = []
    for low, high in ((36, 59), (60, 84)):
        time, pitch = 0.4, (low + high) // 2
        while time < seconds - 1:
            length = rng.choice([0.16, 0.25, 0.5])
            chord = {
                int(np.clip(pitch + third * rng.integers(3, 5), low, high))
                for third in range(rng.integers(1, 4))
            }
            rows += [(time, time + 0.9 * length, key, rng.integers(40, 110)) for key in chord]
            time += length
            pitch = int(np.clip(pitch + rng.integers(-4, 5), low, high - 8))
    table = np.array(sorted(rows), float)
    return Notes(table[:, :2], table[:, 2].astype(np.int64), table[:, 3].astype(np.int64))


def measure(appearance: Appearance, rng: np.random.Generator, trials: int) -> list[Visibility]:
    """Film ``trials`` still hands, each over a key it plays, once up and once down, and ask the observer.

    The observer is a matched filter: it knows the hand and both noise-free pictures, and weighs every pixel
    with the noise-free change. What disturbs it is what the frames add: sensor noise, codec, flicker and
    shake.
    """
    notes = exercise(rng, 40.0)
    tracks = track(notes, split_hands(notes), int(40 * FRAMES_PER_SECOND), rng)
    chosen = rng.choice(len(notes), trials, replace=False)
    at = (notes.intervals[chosen, 0] * FRAMES_PER_SECOND).astype(np.int64) + 2
    still = HandTracks(
        tracks.fingertips[at].repeat(2 * _HALF, 0),
        tracks.wrists[at].repeat(2 * _HALF, 0),
        np.zeros(trials, np.int8),
    )
    starts = (2 * np.arange(trials) + 1) * _HALF / FRAMES_PER_SECOND
    pressed = Notes(
        np.stack([starts, starts + (_HALF - 2) / FRAMES_PER_SECOND], 1),
        notes.pitches[chosen],
        np.full(trials, 80),
    )
    total = 2 * _HALF * trials
    calm = replace(appearance, sensor_noise=0.0, quantiser=0.01, shake=0.0, flicker=0.0)
    seen, clean = film(pressed, still, appearance, 1, total), film(pressed, still, calm, 1, total)
    found = []
    for trial in range(trials):
        start = 2 * _HALF * trial
        up, down = (clean[start + shift : start + shift + 1][0].astype(float) for shift in (6, _HALF + 6))
        change = down - up
        frames = seen[start : start + 2 * _HALF].astype(float)
        answers = ((frames - up) * change).sum((1, 2))
        idle, busy = answers[3 : _HALF - 3], answers[_HALF + 3 : 2 * _HALF - 4]
        spread = np.sqrt((idle.var(ddof=1) + busy.var(ddof=1)) / 2) + 1e-9
        visible = np.abs(change) >= 1
        contrast = float(np.sqrt((change[visible] ** 2).mean())) if visible.any() else 0.0
        key = int(pressed.pitches[trial]) - LOWEST_PITCH
        found.append(Visibility(key, float((busy.mean() - idle.mean()) / spread), contrast))
    return found


def main(looks: int = 12, seed: int = 0, keep: Keep = None) -> None:
    """Print d' and contrast by colour of key over so many looks, sixteen keys each."""
    rng = np.random.default_rng(seed)
    found = [one for _ in range(looks) for one in measure(Appearance.draw(rng), rng, 16)]
    rows = []
    for name, black in (("white", False), ("black", True)):
        some = [one for one in found if IS_BLACK[one.key] == black]
        low, middle, high = np.percentile([one.d_prime for one in some], [10, 50, 90])
        contrast = np.median([one.contrast for one in some])
        rows.append((name, str(len(some)), f"{middle:.1f} ({low:.1f}, {high:.1f})", f"{contrast:.1f}"))
    change = "rms change of the changed pixels, grey levels, median"
    show([Table(("key", "trials", "d' median (10 %, 90 %)", change), tuple(rows))], keep)


if __name__ == "__main__":
    typer.run(main)
