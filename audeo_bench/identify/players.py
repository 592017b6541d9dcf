"""Who plays to the listener: the recording itself, or a system's reconstruction of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from audeo_bench.api import AudeoBenchError, Recording
from audeo_bench.roll import THRESHOLD
from audeo_bench.runs.folder import read_roll
from audeo_bench.runs.predict import predict
from audeo_bench.runs.spread import spread
from audeo_bench.runs.task import Task

if TYPE_CHECKING:
    from audeo_bench.contestants.loading import System
    from audeo_bench.corpus import Corpus
    from audeo_bench.crew import Crew
    from audeo_bench.runs.folder import Run

GROUND_TRUTH = "truth"


def table2_systems(systems: Sequence[str] = ()) -> dict[str, System | None]:
    """The systems of Table 2 as far as their weights are there, or those asked for, by their names.

    Parameters
    ----------
    systems : sequence of str
        Chains such as ``video2roll+fluidsynth`` or ``./mine.py+fluidsynth``; ``truth`` is the ground truth.

    Returns
    -------
    dict of str to System or None
        None is the ground truth: the recording's own sound. It comes last unless asked for otherwise.

    Raises
    ------
    AudeoBenchError
        A chain does not end in a synthesizer.
    """
    from audeo_bench.contestants import loading as contestants
    from audeo_bench.paper.reported import reported

    if not systems:
        names = [row.system for row in reported().table2.rows if row.system != GROUND_TRUTH]
        return {chain.name: chain for chain in contestants.ready_systems(names)} | {GROUND_TRUTH: None}
    chains: dict[str, System | None] = {}
    for name in systems:
        chain = None if name == GROUND_TRUTH else contestants.system(name)
        if chain is not None and chain.kinds[-1] != "synthesizer":
            raise AudeoBenchError(
                f"system {chain.name!r}: a listener needs sound; "
                f"add a synthesizer, as in {chain.name}+fluidsynth."
            )
        chains[GROUND_TRUTH if chain is None else chain.name] = chain
    return chains


def true_sound(recording: Recording) -> np.ndarray:
    """The recording's own sound; where a corpus has none, its true roll through FluidSynth. 16 kHz."""
    if recording.audio is not None:
        return recording.audio()
    from audeo_bench.synth.fluidsynth import render_roll

    return render_roll(np.asarray(recording.sounding, bool))


def answered_rolls(
    chains: Sequence[System], corpus: Corpus, recordings: Sequence[tuple[str, str]], runs: Path, who: Crew
) -> dict[str, dict[str, Run]]:
    """Let the roll stages answer; recordings answered before are not answered again.

    Parameters
    ----------
    recordings : sequence of (str, str)
        Split and id.

    Returns
    -------
    dict of str to dict of str to Run
        By split and by the system's name without its synthesizer.
    """
    found: dict[str, dict[str, Run]] = {}
    for split in dict.fromkeys(part for part, _ in recordings):
        task, names = Task(corpus, split, runs), [name for part, name in recordings if part == split]
        found[split] = made = spread(chains, task, who, names)
        for chain in chains:
            if chain.roll_name not in made:  # it keeps state: one process answers in order
                made[chain.roll_name] = predict(chain, task, task.recordings(names))
    return found


def rolls_of(runs: dict[str, dict[str, Run]], system: System, split: str, recording: str) -> np.ndarray:
    """A system's roll of a recording after the threshold: (88, T), bool."""
    return read_roll(runs[split][system.roll_name].folder, recording) >= THRESHOLD
