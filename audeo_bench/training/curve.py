"""The learning curve: loss and validation score by epoch."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from audeo_bench.files import atomic_write

SCORES = {
    "validation_score": "validation: mean of frame and onset F1 (%)",
    "validation_r2": "spectrogram's variance explained (%), validation",
}


def score_column(history: pd.DataFrame) -> str:
    """The log's column with the validation score."""
    return next(column for column in history if str(column).startswith("validation_"))


def draw_learning_curve(history: pd.DataFrame, path: Path, title: str) -> None:
    """Draw a training's log (columns epoch, loss, validation_score or validation_r2, learning_rate) as a
    PNG; cuts of the rate are dotted.
    """
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    left = figure.add_subplot()
    right = left.twinx()
    left.plot(history["epoch"], history["loss"], color="tab:grey", label="training loss")
    score = 100 * history[score_column(history)]
    right.plot(history["epoch"], score, color="tab:blue", marker=".", label="validation")
    best = score.idxmax()
    right.plot(
        history["epoch"][best],
        score[best],
        "o",
        color="tab:red",
        label="chosen epoch",
    )
    for epoch in history["epoch"][history["learning_rate"].diff() < 0]:
        left.axvline(epoch - 0.5, color="0.8", linestyle=":")
    left.set(xlabel="epoch", ylabel="training loss", title=title)
    right.set_ylabel(SCORES.get(str(score.name), str(score.name)))
    right.legend(handles=[*left.lines[:1], *right.lines], loc="center right", frameon=False)
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=110)
