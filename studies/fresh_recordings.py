"""Does the board of 24 recordings hold on fresh ones: its order, its gaps, its intervals?

``python -m studies.fresh_recordings`` lets the shipped nets answer for ``wtc2-24`` of simulated corpora of
other seeds, with works, pianists, pianos and cameras that neither training nor the board has seen, and sets
the answers beside the committed rows. What is answered already is not answered again.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Annotated

import typer

from audeo_bench.contestants.loading import systems
from audeo_bench.corpus import open_corpus
from audeo_bench.leaderboards.boards import boards_folder
from audeo_bench.leaderboards.rows import read_row
from audeo_bench.runs.evaluation import evaluate
from audeo_bench.runs.task import Task
from audeo_bench.score import MAIN, frame_sums
from audeo_bench.score.spread import Counts, interval, spread
from audeo_bench.score.statistics import Comparison, Standing, compare_counts
from studies.tables import Keep, Table, show, with_interval

SPLIT = "wtc2-24"
NETS = ("keywise", "video2roll+roll2midi", "video2roll", "resnet_aggregation_slope", "resnet")
TRIVIAL = ("finger_over_key", "silence")
FAILING, FAILED = "resnet", 0.4
"""A net, and below which F1 it failed on a recording."""


def of_the_board(name: str) -> Counts:
    """A committed row's block sums."""
    path = boards_folder(None) / f"simulated-{SPLIT}" / f"{name}.json"
    return frame_sums(read_row(path).scores, MAIN.keys)


def of_a_seed(seed: int, runs: Path) -> dict[str, Counts]:
    """Every system's block sums on the corpus of a seed, recordings named after it."""
    task = Task(open_corpus("simulated", seed=seed), SPLIT, runs)
    found = evaluate(systems((*NETS, *TRIVIAL)), task)
    return {
        each.record.system: {
            f"{seed}/{name}": counts for name, counts in frame_sums(each.scores, MAIN.keys).items()
        }
        for each in found
    }


def shown(standing: Standing, name: str, counts: Counts) -> str:
    value = with_interval(standing.systems[name].value, *interval([counts], MAIN))
    return f"{standing.ranks[name]}: {value}"


def in_words(found: Comparison) -> str:
    return f"{with_interval(found.difference, found.low, found.high, '+')}, {found.verdict}"


def coverage(each: Mapping[str, list[Counts]]) -> tuple[int, int]:
    """How many of the intervals of 24 recordings hold the score on all others, and of how many."""
    held, total = 0, 0
    for parts in each.values():
        for place, part in enumerate(parts):
            low, high = interval([part], MAIN)
            others = {
                f"{at}/{name}": counts
                for at, other in enumerate(parts)
                if at != place
                for name, counts in other.items()
            }
            held += low <= spread([others], MAIN).value <= high
            total += 1
    return held, total


def main(
    first: Annotated[int, typer.Option(min=1, help="The first corpus seed; the board's is 0.")] = 11,
    count: Annotated[int, typer.Option(min=1, help="How many seeds, of 24 recordings each.")] = 2,
    runs: Annotated[Path, typer.Option(help="Where the answers are kept.")] = Path("runs/fresh"),
    keep: Keep = None,
) -> None:
    """Print ranks and scores on the board and on fresh recordings, and each gap on both."""
    board = {name: of_the_board(name) for name in (*NETS, *TRIVIAL)}
    drawn = [of_a_seed(seed, runs) for seed in range(first, first + count)]
    fresh = {name: {k: v for part in drawn for k, v in part[name].items()} for name in board}
    here, there = (
        compare_counts({name: [counts] for name, counts in known.items()}) for known in (board, fresh)
    )
    rows = [(name, shown(here, name, board[name]), shown(there, name, fresh[name])) for name in board]
    inside = [
        low <= there.systems[name].value <= high
        for name, counts in board.items()
        for low, high in [interval([counts], MAIN)]
    ]
    gaps, held_gaps = [], []
    for left, right in combinations(NETS, 2):
        one, other = here.compare(left, right), there.compare(left, right)
        held_gaps.append(one.low <= other.difference <= one.high)
        gaps.append((f"{left} - {right}", in_words(one), in_words(other)))
    held, total = coverage({name: [board[name], *(part[name] for part in drawn)] for name in board})
    failed = [
        sum(value < FAILED for value in each.systems[FAILING].recordings.values()) for each in (here, there)
    ]
    drawn_from = f"{len(fresh['resnet'])} fresh recordings"
    show(
        [
            Table(("system", "rank and F1 on the board", drawn_from), tuple(rows)),
            Table(("gap", "on the board", drawn_from), tuple(gaps)),
        ],
        keep,
        intervals=f"the board's hold {sum(inside)} of {len(inside)} scores and {sum(held_gaps)} of "
        f"{len(held_gaps)} gaps of the fresh recordings; of the intervals of 24 recordings each, {held} of "
        f"{total} hold the score on the others",
        failures=f"{FAILING} is below F1 {100 * FAILED:.0f} in {failed[0]} recordings of the board and in "
        f"{failed[1]} of the {drawn_from}",
    )


if __name__ == "__main__":
    typer.run(main)
