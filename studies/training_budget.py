"""Is it the net or the budget? ResNet and Video2Roll, with and without the place of each column as an input.

``studies/net_or_budget/`` holds the two nets with that as a sixth picture. Every round of training begins
with the weights of the round before, at the learning rate of a first one:

    audeo-bench train resnet --corpus simulated --as simulated
    audeo-bench train resnet --corpus simulated --as simulated-more \\
        --start-from trainings/simulated/resnet.safetensors

``python -m studies.training_budget trainings`` then answers for the 24 recordings of ``wtc2-24`` with what
each round left, and compares. What is answered already is not answered again.
"""

from __future__ import annotations

import csv
from itertools import combinations
from pathlib import Path
from typing import Annotated

import typer

from audeo_bench.contestants.loading import system
from audeo_bench.corpus import open_corpus
from audeo_bench.records import Scores
from audeo_bench.runs.evaluation import evaluate
from audeo_bench.runs.task import Task
from audeo_bench.score import MAIN, frame_sums
from audeo_bench.score.spread import interval
from audeo_bench.score.statistics import compare
from studies.tables import Keep, Table, show, with_interval

HERE = Path(__file__).parent / "net_or_budget"
NETS = {
    "resnet": "resnet",
    "resnet_position": str(HERE / "resnet_position.py"),
    "video2roll": "video2roll",
    "video2roll_position": str(HERE / "video2roll_position.py"),
}
"""What each net is asked for as."""


def validations(log: Path) -> list[float]:
    """A training's validation after each epoch, in 0..1."""
    with log.open(encoding="utf-8", newline="") as lines:
        return [float(row["validation_score"]) for row in csv.DictReader(lines)]


def answered(net: str, folder: Path) -> Scores:
    """A net's scores on ``wtc2-24`` with the weights that a round left in its folder."""
    task = Task(open_corpus("simulated"), "wtc2-24", folder / "runs")
    (found,) = evaluate([system(NETS[net], [f"{net}={folder / net}.safetensors"])], task)
    return found.scores


def kind(label: str) -> tuple[str, bool, str]:
    """What two answers can differ in: the net, whether it is told the place, and the budget."""
    net, _, budget = label.partition(", ")
    return net.removesuffix("_position"), net.endswith("_position"), budget


def main(
    trainings: Annotated[Path, typer.Argument(help="Where `audeo-bench train --output` put the rounds.")],
    rounds: Annotated[
        list[str], typer.Option("--round", help="Each round's folder (`train --as`), in order.")
    ] = ["simulated", "simulated-more", "simulated-most"],  # noqa: B006
    keep: Keep = None,
) -> None:
    """Print each net's validation and its F1 on unseen recordings after every round, and what is shown."""
    scores: dict[str, list[Scores]] = {}
    curves: dict[str, list[float]] = {}
    for count, name in enumerate(rounds, 1):
        budget = f"{count} round{'s' if count > 1 else ''} of training"
        for net in NETS:
            if (trainings / name / f"{net}.safetensors").is_file():
                scores[label := f"{net}, {budget}"] = [answered(net, trainings / name)]
                curves[label] = validations(trainings / name / f"{net}.csv")
    standing = compare(scores)
    rows = []
    for label, curve in curves.items():
        bounds = interval([frame_sums(each, MAIN.keys) for each in scores[label]], MAIN)
        value = with_interval(standing.systems[label].value, *bounds)
        validation = [f"{100 * found:.1f}" for found in (max(curve), *curve[-3:])]
        rows.append((label, validation[0], ", ".join(validation[1:]), value))
    pairs = []
    for left, right in combinations(scores, 2):
        if sum(one != other for one, other in zip(kind(left), kind(right), strict=True)) == 1:
            found = standing.compare(right, left)
            change = with_interval(found.difference, found.low, found.high, "+")
            pairs.append((f"{right} minus {left}", change, f"{found.p_adjusted:.3f}", found.verdict))
    show(
        [
            Table(("net", "best validation", "last three epochs", "F1 on wtc2-24"), tuple(rows)),
            Table(("pair", "difference of F1", "p (Holm, over all pairs of nets)", "verdict"), tuple(pairs)),
        ],
        keep,
        curves={label: [round(100 * value, 1) for value in curve] for label, curve in curves.items()},
    )


if __name__ == "__main__":
    typer.run(main)
