"""The rows of Table 1: what the paper reports and what was reproduced here, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audeo_bench.contestants.loading import System
from audeo_bench.corpus import Corpus
from audeo_bench.paper.reported import BINARY_AT, PAPER_SYSTEM, Table1Row, reported
from audeo_bench.runs.folder import RunRecord, run_folder
from audeo_bench.runs.frame_cache import kept_frames
from audeo_bench.runs.predict import predict, score_run, split_recordings
from audeo_bench.score import THRESHOLDS, Scores
from audeo_bench.score.frames import METRICS, Average, KeyRange, average, join

DEFAULT_THRESHOLD = 0.4


@dataclass(frozen=True)
class Result:
    """One finished run and its scores."""

    folder: Path
    record: RunRecord
    scores: Scores


@dataclass(frozen=True)
class Row:
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
    """

    system: str
    label: str
    source: str
    threshold: float
    values: Mapping[str, float]
    difference: Mapping[str, float] | None = None
    frames_per_second: float | None = None


def evaluate(
    systems: Sequence[System],
    corpus: Corpus,
    split: str,
    runs: Path,
    *,
    thresholds: Sequence[float] | None = None,
    limit: int | None = None,
    seed: int = 0,
    command: Sequence[str] = (),
) -> list[Result]:
    """Let every system answer for a split and score it; see :func:`audeo_bench.runs.predict.predict`.

    Every run is scored at least at 0.3, 0.4 and 0.5, so that ``scores.json`` serves other tables too.
    """
    results = []
    with kept_frames(split_recordings(corpus, split, limit), runs) as recordings:
        for system in systems:
            folder = run_folder(runs, corpus, split, system.name, limit, seed)
            record = predict(
                system, corpus, split, folder, limit=limit, seed=seed, command=command, recordings=recordings
            )
            scored = sorted({*THRESHOLDS, *(thresholds or ())})
            results.append(Result(folder, record, score_run(folder, scored, corpus)))
    return results


def thresholds_of(system: str, asked: Sequence[float] | None) -> tuple[float, ...]:
    """The thresholds a system's rows stand at: those asked for, else 0.4 and any other the paper reports."""
    if system in BINARY_AT:
        return (BINARY_AT[system],)
    if asked:
        return tuple(asked)
    known_as = PAPER_SYSTEM.get(system, system)
    papers = (row.threshold for row in reported().table1.rows if row.system == known_as)
    return tuple(sorted({DEFAULT_THRESHOLD, *papers}))


def rows(
    results: Sequence[Result],
    thresholds: Sequence[float] | None = None,
    kind: Average = "frame_mean",
    keys: KeyRange = "51",
) -> list[Row]:
    """The paper's rows in order, each followed by its reproductions; then the systems that it has not.

    Where another average or key range than the paper's is asked for, its cells are left out.
    """
    table = reported().table1
    comparable = (kind, keys) == (table.average, table.keys)
    papers = {(row.system, row.threshold): row for row in table.rows} if comparable else {}
    ours: dict[tuple[str, float], list[Row]] = {}
    for result in results:
        for row in _reproduced(result, thresholds, kind, keys, papers):
            ours.setdefault((PAPER_SYSTEM.get(row.system, row.system), row.threshold), []).append(row)
    ordered: list[Row] = []
    for place, row in papers.items():
        ordered.append(Row(row.system, row.label, "paper", row.threshold, _cells(row)))
        ordered += ours.pop(place, [])
    return [*ordered, *(row for others in ours.values() for row in others)]


def recording_values(
    scores: Scores, threshold: float, kind: Average = "frame_mean", keys: KeyRange = "51"
) -> dict[str, dict[str, float]]:
    """Each recording's values in per cent."""
    return {
        name: _percent(average(counts.at(threshold), kind)) for name, counts in scores.counts(keys).items()
    }


def _reproduced(
    result: Result,
    asked: Sequence[float] | None,
    kind: Average,
    keys: KeyRange,
    papers: Mapping[tuple[str, float], Table1Row],
) -> list[Row]:
    record = result.record
    total = join(list(result.scores.counts(keys).values()))
    seconds = sum(answer.seconds for answer in record.answers.values())
    frames = sum(answer.frames for answer in record.answers.values())
    found = []
    for threshold in thresholds_of(record.system, asked):
        values = _percent(average(total.at(threshold), kind))
        paper = papers.get((PAPER_SYSTEM.get(record.system, record.system), threshold))
        difference = {name: values[name] - cell for name, cell in _cells(paper).items()} if paper else None
        found.append(
            Row(
                record.system,
                record.system,
                record.corpus.provenance,
                threshold,
                values,
                difference,
                frames / seconds if seconds else None,
            )
        )
    return found


def _percent(metrics: Any) -> dict[str, float]:
    return {name: 100 * float(getattr(metrics, name)[0]) for name in METRICS}


def _cells(row: Table1Row) -> dict[str, float]:
    return {name: getattr(row, name) for name in METRICS}
