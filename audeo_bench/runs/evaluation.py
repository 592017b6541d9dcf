"""Systems answer for a task and are scored, by this process or by a crew."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from audeo_bench.contestants.loading import System
from audeo_bench.contestants.process import warm
from audeo_bench.crew import Crew
from audeo_bench.runs.frame_cache import kept_frames
from audeo_bench.runs.predict import predict
from audeo_bench.runs.scoring import Result, result
from audeo_bench.runs.spread import spread
from audeo_bench.runs.task import Task


def evaluate(
    systems: Iterable[System], task: Task, thresholds: Sequence[float] = (), crew: Crew | None = None
) -> list[Result]:
    """Let every system answer for a task and score it; frames are rendered or decoded once for all.

    Parameters
    ----------
    systems : iterable of System
    task : Task
    thresholds : sequence of float
        To be scored at too.
    crew : Crew or None
        Who answers; None for this process alone.
    """
    waiting, results = list(systems), []
    runs = {} if crew is None or crew.alone else spread(waiting, task, crew)
    if all(system.roll_name in runs for system in waiting):
        return [result(runs[system.roll_name].folder, thresholds, task.corpus) for system in waiting]
    _warm(waiting[:1], task)
    with kept_frames(task.recordings(), task.runs) as recordings:
        total = len(waiting)
        while waiting:
            place = f"system {total - len(waiting) + 1} of {total}: " if total > 1 else ""
            run = predict(waiting.pop(0), task, recordings, place)
            # While one core scores, another imports; while a contestant is timed, nothing else runs.
            _warm(waiting[:1], task)
            results.append(result(run.folder, thresholds, task.corpus))
    return results


def _warm(systems: Sequence[System], task: Task) -> None:
    """Begin to start the process that will be needed next, if one will."""
    for system in systems:
        chains = [*reversed(list(system.prefixes())), system]
        missing = [chain for chain in chains if not (task.folder(chain.roll_name) / "run.json").exists()]
        for chain in missing[:1]:
            warm(chain.roll_stages[-1], task.seed)
