"""The rows of Table 1: what the paper reports and what was reproduced here, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from audeo_bench.contestants import loading as contestants
from audeo_bench.contestants.loading import System
from audeo_bench.contestants.roster import roster
from audeo_bench.crew import Crew
from audeo_bench.leaderboards.boards import numbers_of
from audeo_bench.leaderboards.trainings import by_training, trained_on, untrained_name
from audeo_bench.paper.reported import BINARY_AT, PAPER_SYSTEM, Table1Row, reported
from audeo_bench.records import KeyRange, Subject
from audeo_bench.roll import THRESHOLD
from audeo_bench.runs.evaluation import evaluate
from audeo_bench.runs.released_answers import has_stored_answers, stored_results
from audeo_bench.runs.scoring import Result
from audeo_bench.runs.task import Task
from audeo_bench.score import Measure, frame_sums, measure_of, percents
from audeo_bench.score.frames import Average


@dataclass(frozen=True)
class View:
    """Which of a run's many numbers a table shows.

    Attributes
    ----------
    thresholds : tuple of float
        Those asked for; none leaves the choice to :meth:`thresholds_of`.
    """

    thresholds: tuple[float, ...] = ()
    average: Average = "frame_mean"
    keys: KeyRange = "51"

    @classmethod
    def of(
        cls,
        subject: Subject,
        thresholds: tuple[float, ...] = (),
        average: Average | None = None,
        keys: KeyRange | None = None,
    ) -> View:
        """What was asked for, and for the rest what the subject's board shows."""
        main = measure_of(subject)
        return cls(thresholds, average or main.average, keys or main.keys)

    def thresholds_of(self, system: str) -> tuple[float, ...]:
        """Where a system's rows stand: at what was asked for, else 0.4 and what else the paper reports."""
        if system in BINARY_AT:
            return (BINARY_AT[system],)
        if self.thresholds:
            return self.thresholds
        system = untrained_name(system)
        known_as = PAPER_SYSTEM.get(system, system)
        papers = (row.threshold for row in reported().table1.rows if row.system == known_as)
        return tuple(sorted({THRESHOLD, *papers}))

    def measure(self, threshold: float) -> Measure:
        return Measure("f1", self.average, self.keys, threshold)


@dataclass(frozen=True)
class TableRow:
    """One row of the table, values in per cent.

    Attributes
    ----------
    system : str
        Our name of the system.
    label : str
        What the row is called: the paper's words in its own rows, ``system`` in ours.
    source : str
        ``paper``, or the provenance of the corpus: ``simulated``, ``re-enacted`` or ``recorded``.
    threshold : float
    values : dict of str to float
        Precision, recall, accuracy and F1.
    difference : dict of str to float, or None
        Values minus the paper's, where the paper has this row.
    frames_per_second : float or None
        Of the whole chain, rendering or decoding the frames left out.
    trained_on : str
        By all stages; empty in the paper's rows.
    seeds : tuple of float
        F1 of each training seed; values are their means.
    """

    system: str
    label: str
    source: str
    threshold: float
    values: Mapping[str, float]
    difference: Mapping[str, float] | None = None
    frames_per_second: float | None = None
    trained_on: str = ""
    seeds: tuple[float, ...] = ()


def chosen_systems(task: Task, names: Sequence[str] = (), weights: Sequence[str] = ()) -> list[System]:
    """Systems that are to answer for a task; no film is looked at.

    Parameters
    ----------
    task : Task
    names : sequence of str
        As :func:`audeo_bench.contestants.loading.system` takes them. None: every shipped one, but where the
        authors' own answers are at hand, those alone.
    weights : sequence of str

    Raises
    ------
    AudeoBenchError
        No such contestant, one that cannot stand where it is named, or none that has weights.
    """
    if names:
        return contestants.systems(names, weights)
    if has_stored_answers(task):
        return []
    if not (found := contestants.ready_systems(_usual(task), weights)):
        raise contestants.none_ready("midi")
    return found


def reproduce(
    task: Task, systems: Sequence[System], thresholds: Sequence[float] = (), crew: Crew | None = None
) -> list[Result]:
    """Let systems answer for a task and score them, behind the authors' own answers where those are at hand.

    Parameters
    ----------
    task : Task
    systems : sequence of System
    thresholds : sequence of float
        To be scored at too.
    crew : Crew or None
        Who answers; None for this process alone.
    """
    results = stored_results(task, thresholds)
    return [*results, *(evaluate(systems, task, thresholds, crew) if systems else ())]


def _usual(task: Task) -> tuple[str, ...]:
    return roster().recorded if task.corpus.provenance == "recorded" else roster().midi


def rows(results: Sequence[Result], view: View) -> list[TableRow]:
    """The paper's rows in order, each followed by its reproductions; then the systems that it has not.

    Where another average or key range than the paper's is asked for, its cells are left out.
    """
    table = reported().table1
    papers = table.rows if table.comparable(view.average, view.keys) else ()
    lines = by_training(results, lambda result: (result.record.system, result.record.stages))
    ours = [each for name, trainings in lines.items() for each in _reproduced(name, trainings, view)]
    ordered: list[TableRow] = []
    for paper in papers:
        ordered.append(TableRow(paper.system, paper.label, "paper", paper.threshold, paper.values))
        ordered += [row for place, row in ours if place is paper]
    return [*ordered, *(row for place, row in ours if place is None)]


def recording_values(result: Result, measure: Measure) -> dict[str, dict[str, float]]:
    """Each recording's values in per cent."""
    sums = frame_sums(result.scores, measure.keys)
    return {name: percents({name: counts}, measure) for name, counts in sums.items()}


def _reproduced(
    name: str, trainings: Sequence[Result], view: View
) -> Iterator[tuple[Table1Row | None, TableRow]]:
    record, table = trainings[0].record, reported().table1
    sums = [frame_sums(result.scores, view.keys) for result in trainings]
    for threshold in view.thresholds_of(name):
        found = numbers_of(sums, view.measure(threshold))
        comparable = table.comparable(view.average, view.keys)
        paper = table.row(untrained_name(name), threshold) if comparable else None
        yield (
            paper,
            TableRow(
                name,
                name,
                str(record.subject.provenance),
                threshold,
                found.values,
                {metric: found.values[metric] - cell for metric, cell in paper.values.items()}
                if paper
                else None,
                record.frames_per_second,
                trained_on(record.stages),
                found.seeds,
            ),
        )
