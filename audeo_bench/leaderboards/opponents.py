"""One contestant against others, paired: what ``audeo-bench compare`` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from audeo_bench.api import AudeoBenchError
from audeo_bench.corpus import Corpus
from audeo_bench.leaderboards.boards import row_paths
from audeo_bench.leaderboards.metrics import MAIN
from audeo_bench.leaderboards.rows import board_name, read_row
from audeo_bench.runs.predict import score_run
from audeo_bench.score.scores import Scores
from audeo_bench.score.statistics import Comparison, Measure, Rank, compare_with, shared_ranks

LEADERBOARD = "leaderboard"


@dataclass(frozen=True)
class Contest:
    """A contestant beside those it was compared with.

    Attributes
    ----------
    name : str
    scores : Scores
    comparisons : list of Comparison
        Contestant minus each of the others, Holm over all of them.
    ranks : list of Rank
        The contestant among the others, best first.
    """

    name: str
    scores: Scores
    comparisons: list[Comparison]
    ranks: list[Rank]


def contest(
    name: str, scores: Scores, others: Mapping[str, Scores], measure: Measure = MAIN, seed: int = 0
) -> Contest:
    """Compare ``scores`` with ``others``.

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
    systems = {label: each.counts(measure.keys) for label, each in {name: scores, **others}.items()}
    return Contest(name, scores, comparisons, shared_ranks(systems, measure, seed))


def opponents(
    against: Sequence[str],
    besides: str,
    corpus: Corpus,
    split: str,
    boards: Path,
    runs: Path,
    *,
    weights: Sequence[str] = (),
    seed: int = 0,
    command: Sequence[str] = (),
) -> dict[str, Scores]:
    """The scores that ``--against`` stands for, by name.

    Parameters
    ----------
    against : sequence of str
        Each ``leaderboard`` (every row of the board), a run folder, a row's name or its last stage's
        (``roll2midi``: every row that ends so), or a system that is run first.
    besides : str
        The contestant itself, which is not compared with its own row.

    Raises
    ------
    AudeoBenchError
        None of these, or an empty board.
    """
    board = board_name(corpus.name, split, corpus.seed)
    rows = {path.stem: path for path in row_paths(boards) if path.parent.name == board}
    found: dict[str, Scores] = {}
    for text in against:
        if text == LEADERBOARD:
            if not rows:
                raise AudeoBenchError(
                    f"{boards / board}: no rows to compare with; submit a run, or name one with --against "
                    "RUN."
                )
            named = [name for name in rows if name != besides]
        else:
            named = [name for name in rows if name == text or name.endswith(f"+{text}")]
        if named and not Path(text).is_dir():
            found |= {name: read_row(rows[name]).scores for name in named}
        elif text != LEADERBOARD:
            name, scores = scores_of(text, corpus, split, runs, weights=weights, seed=seed, command=command)
            # Two runs of one system differ by their folders.
            found[f"{name} ({text})" if name == besides or name in found else name] = scores
    return found


def scores_of(
    text: str,
    corpus: Corpus,
    split: str,
    runs: Path,
    *,
    weights: Sequence[str] = (),
    seed: int = 0,
    command: Sequence[str] = (),
) -> tuple[str, Scores]:
    """Name and scores of a run folder, a folder of answers, or a system (a name, a file, a chain) that is run
    first.

    Raises
    ------
    AudeoBenchError
        Whatever keeps it from being run, read or scored, in one line.
    """
    from audeo_bench.contestants.loading import system
    from audeo_bench.runs.folder import read_record, run_folder
    from audeo_bench.runs.joined_answers import join_answers
    from audeo_bench.runs.predict import predict

    path = Path(text)
    if path.is_dir():
        run = path
        if not (path / "run.json").is_file():
            run = join_answers(path, corpus, split, runs, command=command).run
        return read_record(run).system, score_run(run, corpus=corpus)
    chain = system(text, weights)
    run = run_folder(runs, corpus, split, chain.name, seed=seed)
    predict(chain, corpus, split, run, seed=seed, command=command)
    return "+".join(stage.name for stage in chain.roll_stages), score_run(run, corpus=corpus)
