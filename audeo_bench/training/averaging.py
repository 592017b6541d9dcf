"""One net out of several trainings of it: the mean of their weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from audeo_bench.api import AudeoBenchError
from audeo_bench.nn.stage import StackedFrames, keys_of
from audeo_bench.training.context import Context
from audeo_bench.training.recipes import settle, validation_score

__all__ = ["average"]


def average(stage: StackedFrames, weights: Sequence[Path], context: Context) -> float:
    """Give a net the mean of several trainings' weights, batch norms' statistics included.

    Trainings that went on from the same weights with other seeds end in one valley, whose middle generalises
    better than its rim at the cost of one net (Wortsman et al., "Model soups", ICML 2022). Others do not,
    which the validation score shows.

    Parameters
    ----------
    stage : StackedFrames
        Gets the weights, the threshold that is best on validation moved to 0.4, and what all of them were
        trained on and chosen on.
    weights : sequence of Path
        Two or more, of one net.
    context : Context
        Its validation recordings are answered.

    Returns
    -------
    float
        The validation score, 0..1.

    Raises
    ------
    AudeoBenchError
        A file is missing or of another net; fewer than two are given.
    """
    if len(weights) < 2:
        raise AudeoBenchError("--average: give the weights of two or more trainings.")
    states, trained_on, chosen_on, options = [], [], [], []
    for path in weights:
        if not path.is_file():
            raise AudeoBenchError(f"{path}: no such weights to average; train them first.")
        stage.load(path)
        states.append({name: value.clone() for name, value in stage.net.state_dict().items()})
        options.append(stage.options)
        trained_on += stage.trained_on
        chosen_on += stage.chosen_on
        if options[-1] != options[0]:
            raise AudeoBenchError(
                f"{path}: a net of {options[-1]}, {weights[0]} one of {options[0]}; give weights of one net."
            )
    mean = {
        name: torch.stack([state[name].float() for state in states]).mean(0).to(value.dtype)
        for name, value in states[0].items()
    }
    stage.net.load_state_dict(mean)
    stage.net.eval()
    stage.trained_on, stage.chosen_on = tuple(dict.fromkeys(trained_on)), tuple(dict.fromkeys(chosen_on))
    keys, shape = keys_of(stage.options["keys"]), tuple(stage.options["frame_shape"])
    score, threshold = validation_score(context.answers(stage, shape), context.validation_corpus_of, keys)
    settle(stage, threshold)
    return score
