"""The names for notebooks: ``audeo_bench.load_run``, ``compare`` and ``leaderboard`` give DataFrames.

>>> import audeo_bench
>>> audeo_bench.load_run("runs/simulated-wtc2/keywise")  # doctest: +SKIP
>>> audeo_bench.compare("runs/simulated-wtc2/keywise", "runs/simulated-wtc2/video2roll")  # doctest: +SKIP
>>> audeo_bench.leaderboard("simulated-wtc2")  # doctest: +SKIP
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def load_run(run: str | Path) -> pd.DataFrame:
    """All frame and note metrics of a run, scored from its rolls, in long form.

    Columns ``recording`` (an id, ``total`` or ``mean``), ``keys``, ``threshold``, ``average``, ``metric`` and
    ``value`` in 0..1; see :func:`audeo_bench.score.tables.metric_table`.

    Raises
    ------
    AudeoBenchError
        No finished run folder, damaged rolls, or a corpus of another version.
    """
    from audeo_bench.runs.scoring import score_run
    from audeo_bench.score.tables import metric_table

    return metric_table(score_run(Path(run)))


def compare(
    run: str | Path, *others: str | Path, metric: str = "frame_mean.51@0.4", seed: int = 0
) -> pd.DataFrame:
    """One run against others, paired: difference, interval, p-values, verdict, each recording.

    Parameters
    ----------
    run, *others : str or Path
        Run folders.
    metric : str
        ``<average>.<keys>@<threshold>``; F1 is compared.
    seed : int
        Of the bootstrap and the swap test.

    Returns
    -------
    table : pandas.DataFrame
        One row for each of ``others``, in 0..1; see :func:`audeo_bench.score.statistics.comparison_table`.

    Raises
    ------
    AudeoBenchError
        As :func:`load_run`; runs that answer for different recordings.
    """
    from audeo_bench.leaderboards.opponents import contest
    from audeo_bench.runs.scoring import score_run
    from audeo_bench.score import Measure
    from audeo_bench.score.statistics import comparison_table

    measure = Measure.parse(metric)
    scores = {str(each): score_run(Path(each), [measure.threshold]) for each in (run, *others)}
    own = scores.pop(str(run))
    return comparison_table(contest(str(run), own, scores, measure, seed).comparisons)


def leaderboard(board: str | None = None, folder: str | Path | None = None) -> pd.DataFrame:
    """The boards' rows.

    Parameters
    ----------
    board : str or None
        Such as ``simulated-wtc2``; None gives all, which are never ranked together.
    folder : str, Path or None
        The folder of the boards; None as ``audeo-bench leaderboard``.

    Returns
    -------
    table : pandas.DataFrame
        Columns ``board``, ``provenance``, ``rank``, ``contestant``, then in percent ``f1``, ``low``, ``high``
        (95 %), ``precision``, ``recall``, ``accuracy`` by Table 1's own metric, ``onset_f1``, and
        ``parameters``, ``verified``, ``trained_on``, ``marks``.

    Raises
    ------
    AudeoBenchError
        No such board, or a row that cannot be read.
    """
    import pandas as pd

    from audeo_bench.corpus import check_choice
    from audeo_bench.leaderboards.boards import boards_folder, read_boards
    from audeo_bench.score import MAIN, frame_sums, mean_note_f1, percents

    boards = read_boards(boards_folder(Path(folder) if folder is not None else None))
    if board is not None:
        check_choice("board", board, [each.name for each in boards], "the leaderboard")
    rows = []
    for each in boards:
        if board not in (None, each.name):
            continue
        for entry in each.entries:
            low, high = entry.row.intervals.f1.get(str(MAIN), (float("nan"), float("nan")))
            values = percents(frame_sums(entry.row.scores, MAIN.keys))
            rows.append(
                {
                    "board": each.name,
                    "provenance": each.subject.provenance,
                    "rank": entry.rank,
                    "contestant": entry.row.contestant,
                    "f1": values.pop("f1"),
                    "low": low,
                    "high": high,
                    **values,
                    "onset_f1": mean_note_f1(entry.row.scores, "onset@50"),
                    "parameters": entry.row.parameters,
                    "verified": entry.verified is not None,
                    "trained_on": ", ".join(entry.row.trained_on),
                    "marks": "; ".join(entry.row.marks),
                }
            )
    return pd.DataFrame(rows)
