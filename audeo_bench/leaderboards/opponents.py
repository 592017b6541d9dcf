"""One system against others, paired: what ``audeo-bench compare`` prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from audeo_bench.contestants.loading import system
from audeo_bench.errors import AudeoBenchError
from audeo_bench.leaderboards.rows import read_row, row_paths
from audeo_bench.records import Scores
from audeo_bench.runs.folder import read_record
from audeo_bench.runs.joined_answers import join_answers
from audeo_bench.runs.predict import predict
from audeo_bench.runs.scoring import score_run
from audeo_bench.runs.task import Task
from audeo_bench.score import MAIN, Measure, frame_sums
from audeo_bench.score.statistics import Comparison, Rank, compare_with, shared_ranks

LEADERBOARD = "leaderboard"


@dataclass(frozen=True)
class Contest:
    """A system beside those it was compared with.

    Attributes
    ----------
    comparisons : list of Comparison
        The system minus each of the others, Holm over all of them.
    ranks : list of Rank
        The system among the others, best first.
    """

    name: str
    scores: Scores
    measure: Measure
    comparisons: list[Comparison]
    ranks: list[Rank]


def contest_systems(
    text: str,
    against: Sequence[str],
    task: Task,
    boards: Path,
    measure: Measure = MAIN,
    weights: Sequence[str] = (),
) -> Contest:
    """Run or read a system and its opponents on a task, and compare them; see :func:`scores_of`,
    :func:`opponents` and :func:`contest`.
    """
    read = partial(scores_of, task=task, threshold=measure.threshold, weights=weights)
    name, scores = read(text)
    rows = {path.stem: path for path in row_paths(boards) if path.parent.name == task.board}
    return contest(name, scores, opponents(against, name, rows, read), measure)


def scores_of(text: str, task: Task, threshold: float, weights: Sequence[str] = ()) -> tuple[str, Scores]:
    """Name and scores of a run folder, a folder of answers, or a system (a name, a file, a chain) that is run
    first.

    Raises
    ------
    AudeoBenchError
        Whatever keeps it from being run, read or scored, in one line.
    """
    path = Path(text)
    if (path / "run.json").is_file():
        run = path
    elif path.is_dir():
        run = join_answers(path, task).run
    else:
        run = predict(system(text, weights), task).folder
    return read_record(run).system, score_run(run, [threshold], task.corpus)


def opponents(
    against: Sequence[str],
    besides: str,
    rows: Mapping[str, Path],
    read: Callable[[str], tuple[str, Scores]],
) -> dict[str, Scores]:
    """The scores that ``--against`` stands for, by name.

    Parameters
    ----------
    against : sequence of str
        Each ``leaderboard`` (every row of the board), a run folder, a row's name or its last stage's
        (``roll2midi``: every row that ends so), or a system that is run first.
    besides : str
        The system itself, which is not compared with its own row.
    rows : mapping of str to Path
        The board's.
    read : callable
        Gives name and scores of what is no row.

    Raises
    ------
    AudeoBenchError
        None of these, or an empty board.
    """
    found: dict[str, Scores] = {}
    for text in against:
        if text == LEADERBOARD:
            if not rows:
                raise AudeoBenchError(
                    "--against leaderboard: no rows to compare with; submit a run, or name one with "
                    "--against RUN."
                )
            named = [name for name in rows if name != besides]
        else:
            named = [name for name in rows if name == text or name.endswith(f"+{text}")]
        if named and not Path(text).is_dir():
            found |= {name: read_row(rows[name]).scores for name in named}
        elif text != LEADERBOARD:
            name, scores = read(text)
            # Two runs of one system differ by their folders.
            found[f"{name} ({text})" if name == besides or name in found else name] = scores
    return found


def contest(
    name: str, scores: Scores, others: Mapping[str, Scores], measure: Measure = MAIN, seed: int = 0
) -> Contest:
    """Compare ``scores`` with ``others``; ``seed`` is the bootstrap's and the swap test's.

    Raises
    ------
    AudeoBenchError
        Nothing to compare with; other recordings, truth or metric version; a threshold that was not scored.
    """
    if not others:
        raise AudeoBenchError(
            f"{name}: nothing to compare with; name another run, contestant or board with --against."
        )
    comparisons = compare_with(name, scores, others, measure, seed)
    systems = {label: frame_sums(each, measure.keys) for label, each in {name: scores, **others}.items()}
    return Contest(name, scores, measure, comparisons, shared_ranks(systems, measure, seed))
