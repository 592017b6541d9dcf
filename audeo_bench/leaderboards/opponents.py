"""One system against others, paired: what ``audeo-bench compare`` prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from audeo_bench.contestants.loading import System, systems
from audeo_bench.errors import AudeoBenchError
from audeo_bench.leaderboards.boards import lines
from audeo_bench.leaderboards.rows import read_row, row_paths
from audeo_bench.leaderboards.trainings import trained_on
from audeo_bench.records import Scores
from audeo_bench.runs.folder import read_record
from audeo_bench.runs.joined_answers import join_answers
from audeo_bench.runs.predict import predict
from audeo_bench.runs.scoring import score_run
from audeo_bench.runs.task import Task
from audeo_bench.score import MAIN, Measure, measure_of
from audeo_bench.score.statistics import Comparison, Standing, compare

LEADERBOARD = "leaderboard"


@dataclass(frozen=True)
class Line:
    """One line that is compared: a run, a row, or the rows that differ in the training seed alone."""

    trained_on: str
    trainings: tuple[Scores, ...]


@dataclass(frozen=True)
class Contest:
    """A system beside those it was compared with.

    Attributes
    ----------
    name : str
        The system's.
    lines : dict of str to Line
        The system first.
    standing : Standing
        All of them, read together: the same rule as the boards'.
    """

    name: str
    lines: dict[str, Line]
    standing: Standing

    @property
    def scores(self) -> Scores:
        return self.lines[self.name].trainings[0]

    @property
    def comparisons(self) -> list[Comparison]:
        """The system minus each of the others."""
        return [self.standing.compare(self.name, other) for other in self.lines if other != self.name]


def contest_systems(
    text: str,
    against: Sequence[str],
    task: Task,
    boards: Path,
    measure: Measure | None = None,
    weights: Sequence[str] = (),
) -> Contest:
    """Run or read a system and its opponents on a task, and compare them; see :func:`line_of`,
    :func:`opponents` and :func:`contest`. ``measure`` is the board's unless one is given.
    """
    measure = measure or measure_of(task.subject)
    rows = {path.stem: path for path in row_paths(boards) if path.parent.name == task.board}
    asked = [text, *(each for each in against if each != LEADERBOARD and not _rows_of(each, rows))]
    run = [each for each in dict.fromkeys(asked) if not Path(each).is_dir()]
    # Together, so that two files of one name are told apart, and weights may be for either.
    found = dict(zip(run, systems(run, weights), strict=True))
    read = partial(line_of, found=found, task=task, threshold=measure.threshold)
    name, line = read(text)
    return contest(name, line, opponents(against, name, rows, read), measure)


def line_of(text: str, found: Mapping[str, System], task: Task, threshold: float) -> tuple[str, Line]:
    """Name and line of a run folder, a folder of answers, or one of the systems of ``found``, which is run
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
        run = predict(found[text], task).folder
    record = read_record(run)
    return record.system, Line(trained_on(record.stages), (score_run(run, [threshold], task.corpus),))


def opponents(
    against: Sequence[str],
    besides: str,
    rows: Mapping[str, Path],
    read: Callable[[str], tuple[str, Line]],
) -> dict[str, Line]:
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
        Gives name and line of what is no row.

    Raises
    ------
    AudeoBenchError
        None of these, or an empty board.
    """
    found: dict[str, Line] = {}
    for text in against:
        if text == LEADERBOARD:
            if not rows:
                raise AudeoBenchError(
                    "--against leaderboard: no rows to compare with; submit a run, or name one with "
                    "--against RUN."
                )
            named = [name for name in rows if name != besides]
        else:
            named = _rows_of(text, rows)
        if named:
            found |= {
                name: Line(trained_on(each[0].stages), tuple(row.scores for row in each))
                for name, each in lines(read_row(rows[name]) for name in named).items()
            }
        elif text != LEADERBOARD:
            name, line = read(text)
            # Two runs of one system differ by their folders.
            found[f"{name} ({text})" if name == besides or name in found else name] = line
    return found


def _rows_of(text: str, rows: Mapping[str, Path]) -> list[str]:
    """The rows of that name, or of that last stage; a folder is no row."""
    named = [name for name in rows if name == text or name.endswith(f"+{text}")]
    return [] if Path(text).is_dir() else named


def contest(name: str, line: Line, others: Mapping[str, Line], measure: Measure = MAIN) -> Contest:
    """Compare a line with others.

    Raises
    ------
    AudeoBenchError
        Nothing to compare with; other recordings, truth or metric version; a threshold that was not scored.
    """
    if not others:
        raise AudeoBenchError(
            f"{name}: nothing to compare with; name another run, contestant or board with --against."
        )
    # Among seeds of its own training a row keeps its own name.
    every = {name: line} | {
        f"{other} (other seeds)" if other == name else other: each for other, each in others.items()
    }
    return Contest(name, every, compare({each: it.trainings for each, it in every.items()}, measure))
