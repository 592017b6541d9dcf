"""How long trainings will take on this machine, from a few steps of each, before they begin."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from audeo_bench.crew import MOST, fitting
from audeo_bench.training import job
from audeo_bench.training.loop import Timed
from audeo_bench.training.options import Options

__all__ = ["estimate"]


def estimate(trainings: Sequence[tuple[str, Options]], say: Callable[[str], None]) -> float:
    """Measure a few steps of each net, on one recording, and say how long all of them will take.

    What is finished is left out. Counted are steps, validations, the first stages' rolls, and frames that are
    not kept yet; films are made ready before. A recording that is made ready for it is kept.

    Parameters
    ----------
    trainings : sequence of (system, Options)
        As :func:`audeo_bench.training.job.all_trainings` gives them.
    say : callable
        Takes a line for each system, and two for all.

    Returns
    -------
    seconds : float
    """
    todo = [(name, how) for name, how in trainings if not how.average]  # a mean takes no steps
    left = [(name, how) for name, how in todo if not (how.resume and how.weights(name).exists())]
    times: dict[tuple[str, tuple[str, ...], int | None], float] = {}
    frames: dict[tuple[Hashable, ...], float] = {}
    for name, how in left:
        kind = name, how.corpora, how.epochs
        if kind in times:
            continue
        began = monotonic()
        with TemporaryDirectory() as folder:
            try:
                job.train(name, replace(how, output=Path(folder), start=None, smoke=True, timed=True))
            except Timed as found:
                times[kind] = found.seconds + found.validating + found.answering
                frames |= found.frames
                rest = {"validations": found.validating, "the first stage's rolls": found.answering}
                with_ = "".join(f", {_told(each)} for {what}" for what, each in rest.items() if each)
                say(f"{name}: {found.steps:,} steps, about {_told(found.seconds)}{with_}")
            else:  # it has no steps
                times[kind] = 0.0
                say(f"{name}: {_told(monotonic() - began)} for one recording")
    total = sum(times[name, how.corpora, how.epochs] for name, how in left)
    if rendering := sum(frames.values()) / max(1, (trainings[0][1].workers or fitting(MOST))):
        total += rendering
        say(f"frames that are not kept yet: about {_told(rendering)}")
    if left:
        say(f"{len(left)} trainings: about {_told(total)} on this machine")
    return total


def _told(seconds: float) -> str:
    hours, minutes = divmod(max(1, round(seconds / 60)), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
