"""Rolls as wrong as a network's: correlated errors at a wanted frame precision and recall.

Networks do not flip frames one by one. They miss whole notes or come late, hold a note too long, and see a
neighbour's or an octave's key pressed for a while. Tests and catalogue checks use this model in place of
trained weights.

``python -m studies.noise`` asks both offline engines about spoiled rolls (docs/notebook/identify.md).
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import typer

from audeo_bench.api import Recording
from audeo_bench.corpus import open_corpus
from audeo_bench.identify.catalogue.engine import REJECTIONS, CatalogueService, best_and_second
from audeo_bench.identify.catalogue.sources import simulated_sources
from audeo_bench.identify.catalogue.store import build
from audeo_bench.identify.segments import cut
from audeo_bench.roll import FRAMES_PER_SECOND, KEYS
from audeo_bench.synth.fluidsynth import render_roll
from studies.tables import Keep, Table, show

LEVELS = ((0.62, 0.62), (0.55, 0.60), (0.48, 0.54), (0.40, 0.40))
"""Precision and recall of the spoiled rolls."""
_GHOST_INTERVALS = (-12, -2, -1, 1, 2, 12)


def degrade(roll: np.ndarray, precision: float, recall: float, rng: np.random.Generator) -> np.ndarray:
    """Spoil a roll.

    Half of the missing frames are whole notes, half are late onsets and early releases; half of the added
    frames are notes held too long, half are ghosts beside, or an octave from, a true note.

    Parameters
    ----------
    roll : np.ndarray, shape (88, T), bool
    precision, recall : float
        Over all frames together (micro), in (0, 1]; met within a note's length.
    rng : np.random.Generator

    Returns
    -------
    np.ndarray, shape (88, T), bool
    """
    runs = _runs(roll)
    total = int(roll.sum())
    spoiled = roll.copy()
    if total == 0:
        return spoiled
    missing = round((1 - recall) * total)
    order = rng.permutation(len(runs))
    dropped = 0
    for place in order:
        if dropped >= missing / 2:
            break
        key, start, stop = runs[place]
        spoiled[key, start:stop] = False
        dropped = total - int(spoiled.sum())
    while total - int(spoiled.sum()) < missing:
        key, start, stop = _shrunk(spoiled, runs[rng.integers(len(runs))])
        cut = min(stop - start, 1 + int(rng.exponential(2)))
        late = rng.random() < 0.5
        spoiled[key, start : start + cut] &= not late
        spoiled[key, stop - cut : stop] &= late
    added = round(int(spoiled.sum()) * (1 - precision) / precision)
    extended = 0
    tries = 50 * len(runs)
    while extended < added and (tries := tries - 1) > 0:
        key, start, stop = runs[rng.integers(len(runs))]
        if extended < added / 2:
            start, stop = stop, stop + 1 + int(rng.exponential(0.3 * FRAMES_PER_SECOND))
        else:
            key += int(rng.choice(_GHOST_INTERVALS))
            start = max(0, start + int(rng.integers(-3, 4)))
            stop = start + 2 + int(rng.exponential(0.2 * FRAMES_PER_SECOND))
        if 0 <= key < KEYS:
            ghost = ~roll[key, start:stop] & ~spoiled[key, start:stop]
            spoiled[key, start:stop] |= ghost
            extended += int(ghost.sum())
    return spoiled


def _runs(roll: np.ndarray) -> list[tuple[int, int, int]]:
    """(key, first frame, frame after the last) of every note."""
    edges = np.diff(np.pad(roll.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    keys, starts = np.nonzero(edges == 1)
    _, stops = np.nonzero(edges == -1)
    return list(zip(keys.tolist(), starts.tolist(), stops.tolist(), strict=True))


def _shrunk(roll: np.ndarray, run: tuple[int, int, int]) -> tuple[int, int, int]:
    """The run without the ends that are already gone; empty where nothing is left."""
    key, start, stop = run
    left = np.flatnonzero(roll[key, start:stop])
    return (key, start + int(left[0]), start + int(left[-1]) + 1) if len(left) else (key, start, start)


def _sounds(recording: Recording, rng: np.random.Generator) -> Mapping[str, np.ndarray]:
    """A recording, its true roll, and its roll at every level of :data:`LEVELS`, as 16 kHz sound."""
    assert recording.audio is not None
    spoiled = {
        f"{precision:.2f} / {recall:.2f}": render_roll(degrade(recording.sounding, precision, recall, rng))
        for precision, recall in LEVELS
    }
    true = {
        "the recording": recording.audio(),
        "true roll, 25 frames a second": render_roll(recording.sounding),
    }
    return true | spoiled


def main(recordings: int = 25, seed: int = 0, keep: Keep = None) -> None:
    """Print how many segments of spoiled rolls both engines name, three of each of so many recordings."""
    corpus = open_corpus("simulated", seed=seed)
    known = [*corpus.recordings("wtc1-variants"), *corpus.recordings("wtc2-other")]
    asked = [known[place] for place in np.linspace(0, len(known) - 1, recordings).round().astype(int)]
    rng = np.random.default_rng(seed)
    right: dict[tuple[str, str], int] = {}
    false: dict[tuple[str, str], int] = {}
    wrong = count = 0
    with tempfile.TemporaryDirectory() as folder:
        sources = simulated_sources(seed, distractors=60)
        catalogue = build(sources, Path(folder) / "catalogue", "study", "simulated", workers=1)
        engines = {name: CatalogueService(name, catalogue) for name in REJECTIONS}
        for recording in asked:
            for sound, audio in _sounds(recording, rng).items():
                for segment in cut(audio)[:3]:
                    count += sound == "the recording"
                    for name, engine in engines.items():
                        found = engine.search(segment)
                        others = [each.score for each in found if each.work.title != recording.work.title]
                        accepted = engine.rejection.accepts(*best_and_second([each.score for each in found]))
                        known_it = accepted and found[0].work.title == recording.work.title
                        wrong += accepted and not known_it
                        right[sound, name] = right.get((sound, name), 0) + known_it
                        false[sound, name] = false.get((sound, name), 0) + engine.rejection.accepts(
                            *best_and_second(others)
                        )
    rows = [
        (sound, *(str(kind[sound, name]) for name in REJECTIONS for kind in (right, false)))
        for sound in dict.fromkeys(sound for sound, _ in right)
    ]
    header = ("sound", *(title for name in REJECTIONS for title in (f"`{name}` right", "false")))
    facts = f"{count} segments of {len(asked)} performances, {len(sources)} works; {wrong} wrong names"
    show([Table(header, tuple(rows))], keep, asked=facts)


if __name__ == "__main__":
    typer.run(main)
