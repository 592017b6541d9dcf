"""How often comparisons and intervals err: ``python -m studies.false_alarms``.

Three simulated recordings; two systems whose errors come in runs, independent of each other but more frequent
where the (shared) music is hard. With equal systems every "difference" is a false alarm, wanted in 5 % of
trials; the 95 % interval should hold the true difference, with equal and with unequal systems. What varies is
how long errors last and how long the recordings are.

From 8 recordings on, intervals speak of others: how often they hold the score on endless recordings, where
recordings differ as much as real ones do and are unequally long. Everything here is simulated; no model takes
part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import typer
from scipy.signal import lfilter

from audeo_bench.roll import FRAMES_PER_SECOND
from audeo_bench.score.frames import BLOCK, METRICS, FrameCounts, block_sums
from audeo_bench.score.measure import Measure
from audeo_bench.score.spread import LEVEL, interval, spread
from audeo_bench.score.statistics import compare_counts
from studies.tables import Keep, Table, show

RECORDINGS, VOICES, GHOSTS = 3, 5, 5
"""Voices that may sound in a frame, and keys that may wrongly be heard."""
OTHERS = (8, 9, 12, 24)
"""Numbers of recordings whose intervals speak of others."""


@dataclass(frozen=True)
class Music:
    """One recording: which voices sound, (VOICES, T) bool, and how hard its frames are, (T,)."""

    voices: np.ndarray
    difficulty: np.ndarray


@dataclass(frozen=True)
class Rates:
    """Shares of trials, for errors that last ``seconds`` and recordings of ``frames`` frames."""

    seconds: float
    frames: int
    false_alarms: float
    coverage: float
    coverage_unequal: float
    power: float


def wander(rng: np.random.Generator, rows: int, frames: int, seconds: float) -> np.ndarray:
    """Standard normal values whose correlation falls to 1/e in ``seconds``: AR(1), (rows, frames)."""
    memory = np.exp(-1 / (seconds * FRAMES_PER_SECOND))
    steps = rng.standard_normal((rows, frames)) * np.sqrt(1 - memory**2)
    steps[:, 0] /= np.sqrt(1 - memory**2)
    return np.asarray(lfilter([1], [1, -memory], steps, axis=1))


def write_music(rng: np.random.Generator, frames: int) -> Music:
    """Voices come and go within seconds; hard places last some ten seconds."""
    return Music(wander(rng, VOICES, frames, 1.0) > -0.5, 0.4 * wander(rng, 1, frames, 10.0)[0])


def answer(
    rng: np.random.Generator, music: Music, seconds: float, skill: float, threshold: float
) -> FrameCounts:
    """One system's block sums: it misses voices and hears ghosts in runs of about ``seconds``."""
    frames = len(music.difficulty)
    errors = wander(rng, VOICES + GHOSTS, frames, seconds) + music.difficulty
    found = music.voices & (errors[:VOICES] < 0.6 + skill)
    ghosts = errors[VOICES:] > 1.2 + skill
    tp, sounding = found.sum(0), music.voices.sum(0)
    return block_sums(tp[None], (tp + ghosts.sum(0))[None], sounding, (threshold,))


def measure_rates(
    seconds: float, frames: int, trials: int = 1000, seed: int = 0, advantage: float = 0.05
) -> Rates:
    """Compare two systems on the same three recordings over and over, their errors drawn anew each time.

    Parameters
    ----------
    seconds : float
        How long errors last.
    frames : int
        Length of each recording.
    advantage : float
        How much more skilled the left one of the unequal systems is, in standard deviations.
    """
    rng = np.random.default_rng(seed)
    music = {f"recording {number}": write_music(rng, frames) for number in range(RECORDINGS)}
    measure = Measure()

    def trial(skill: float) -> tuple[float, float, float, float]:
        left, right = (
            {name: answer(rng, piece, seconds, s, measure.threshold) for name, piece in music.items()}
            for s in (skill, 0.0)
        )
        found = compare_counts({"left": [left], "right": [right]}, measure).compare("left", "right")
        return found.difference, found.low, found.high, found.p

    equal = np.array([trial(0.0) for _ in range(trials)])
    unequal = np.array([trial(advantage) for _ in range(trials)])

    def covered(rows: np.ndarray, true: float) -> float:
        return float(np.mean((rows[:, 1] <= true) & (true <= rows[:, 2])))

    return Rates(
        seconds,
        frames,
        false_alarms=float(np.mean(equal[:, 3] < LEVEL)),
        coverage=covered(equal, 0.0),
        # The music is the same in every trial, so the mean over trials is the true difference on it.
        coverage_unequal=covered(unequal, float(unequal[:, 0].mean())),
        power=float(np.mean(unequal[:, 3] < LEVEL)),
    )


def recordings(rng: np.random.Generator, count: int, threshold: float) -> dict[str, FrameCounts]:
    """Recordings of 25 to 70 seconds: their true scores differ, skewed as real ones, and blocks within."""
    found = {}
    for number in range(count):
        frames = int(rng.integers(625, 1750))
        lengths = np.diff(np.append(np.arange(0, frames, BLOCK), frames))
        level = np.clip(rng.beta(6, 2.2) + rng.normal(0, 0.05, len(lengths)), 0, 1)
        sums = dict.fromkeys(METRICS, (level * lengths)[None])
        cells = dict.fromkeys(("tp", "fp", "fn"), np.zeros((1, len(lengths)), int))
        found[f"{number:02d}"] = FrameCounts((threshold,), "88", BLOCK, lengths[None], **cells, **sums)
    return found


def coverage_of_others(count: int, trials: int = 1000, seed: int = 0) -> float:
    """Share of the printed intervals of ``count`` recordings that hold the score on endless ones."""
    rng, measure = np.random.default_rng(seed), Measure()
    endless = [recordings(rng, 1000, measure.threshold) for _ in range(4)]
    truth = float(np.mean([spread([each], measure).value for each in endless]))
    ends = [interval([recordings(rng, count, measure.threshold)], measure) for _ in range(trials)]
    return float(np.mean([low <= truth <= high for low, high in ends]))


def table(rates: Sequence[Rates]) -> Table:
    """As docs/notebook/statistics.md shows it."""
    rows = []
    for row in rates:
        length = f"{RECORDINGS} x {row.frames / FRAMES_PER_SECOND:.0f} s"
        shares = (row.false_alarms, row.coverage, row.coverage_unequal, row.power)
        rows.append((f"{row.seconds:g} s", length, *(f"{share:.1%}" for share in shares)))
    header = (
        "errors last",
        "recordings",
        "false alarms",
        "coverage, equal",
        "coverage, unequal",
        "found, unequal",
    )
    return Table(header, tuple(rows))


def main(
    trials: int = 1000,
    seed: int = 0,
    seconds: Annotated[list[float], typer.Option(help="How long errors last.")] = [0.5, 1, 2, 4],  # noqa: B006
    frames: Annotated[list[int], typer.Option(help="Length of the recordings.")] = [2000, 6250],  # noqa: B006
    keep: Keep = None,
) -> None:
    """Print how often equal systems are called different, and how often intervals hold the truth."""
    rates = [measure_rates(last, length, trials, seed) for length in frames for last in seconds]
    margin = 1.96 * (LEVEL * (1 - LEVEL) / trials) ** 0.5
    known = f"{trials} trials a row, simulated; a rate near 5 % is known to about {margin:.1%}"
    others = [(str(count), f"{coverage_of_others(count, trials, seed):.1%}") for count in OTHERS]
    show([table(rates), Table(("recordings", "coverage"), tuple(others))], keep, trials=known)


if __name__ == "__main__":
    typer.run(main)
