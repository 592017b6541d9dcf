"""How long trainings will take on this machine, from a few steps of each, before they begin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from audeo_bench.crew import MOST, fitting
from audeo_bench.training import job
from audeo_bench.training.frames import Source, seconds_to_keep, seconds_to_open
from audeo_bench.training.loop import Timed
from audeo_bench.training.options import Options

__all__ = ["estimate"]


def estimate(trainings: Sequence[tuple[str, Options]], say: Callable[[str], None]) -> float:
    """Measure a few steps of each net, on one recording, and say how long all of them will take.

    What is finished is left out. Counted are steps, validations, sound, the first stages' rolls, frames that
    are not kept yet and films that are not ready. A contestant without steps is counted by one recording; a
    mean of nets, and what is found in photographs, are not. What is made ready for it is kept.

    Parameters
    ----------
    trainings : sequence of (system, Options)
        As :func:`audeo_bench.training.job.all_trainings` gives them.
    say : callable
        Takes a line for each system, and some for all.

    Returns
    -------
    seconds : float
    """
    todo = [(name, how) for name, how in trainings if not how.average]  # a mean takes no steps
    left = [(name, how) for name, how in todo if not (how.resume and how.weights(name).exists())]
    times: dict[tuple[str, tuple[str, ...], int | None], float] = {}
    frames: dict[tuple[Source, tuple[int, int]], float] = {}
    films: dict[Source, float] = {}
    for name, how in left:
        kind = name, how.corpora, how.epochs
        if kind in times:
            continue
        began = monotonic()
        with TemporaryDirectory() as folder:
            try:
                job.train(name, replace(how, output=Path(folder), start=None, smoke=True, timed=True))
            except Timed as found:
                parts = {"validations": found.validating, **found.making}
                times[kind] = found.seconds + sum(parts.values())
                with_ = "".join(f", {_told(each)} for {what}" for what, each in parts.items() if each > 30)
                say(f"{name}: {found.steps:,} steps, about {_told(found.seconds)}{with_}")
                for source, shape in found.frames:
                    if source not in films:
                        films[source] = seconds_to_open(source)
                    if (source, shape) not in frames:
                        frames[source, shape] = seconds_to_keep(source, shape)
            else:  # it has no steps
                times[kind] = monotonic() - began
                say(f"{name}: {_told(times[kind])} for one recording")
    total = sum(times[name, how.corpora, how.epochs] for name, how in left)
    workers = (left[0][1].workers if left else 1) or fitting(MOST)
    for what, seconds in (("films that are not ready", films), ("frames that are not kept yet", frames)):
        if made := sum(seconds.values()) / workers:
            total += made
            say(f"{what}: about {_told(made)}")
    if left:
        say(f"{len(left)} trainings: about {_told(total)} on this machine")
    return total


def _told(seconds: float) -> str:
    hours, minutes = divmod(max(1, round(seconds / 60)), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
