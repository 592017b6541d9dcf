"""One contestant, trained several times: on what, and which trainings differ by chance alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from audeo_bench.records import StageRecord

# The usual weights, those of `simulated`, go without a name: `resnet`, but `resnet@simulated-seed1`.
_SEED = re.compile(r"(?:@simulated)?-seed\d+(?=\+|$)")

Trained = TypeVar("Trained")


def by_training(
    trained: Iterable[Trained], of: Callable[[Trained], tuple[str, Sequence[StageRecord]]]
) -> dict[str, list[Trained]]:
    """Put together what differs in the training seed alone, by the name without it.

    ``video2roll@akbari`` and ``video2roll@akbari-seed1`` are one line if their files, nets and training data
    are the same and each says another training seed. What stands alone keeps its own name.

    Parameters
    ----------
    trained : iterable
    of : callable
        An item's name and stages.

    Returns
    -------
    lines : dict of str to list
        In the order of each line's first item; within a line by seed.
    """
    groups: dict[object, list[Trained]] = {}
    for item in trained:
        name, stages = of(item)
        groups.setdefault((_SEED.sub("", name), *map(_apart_from_seed, stages)), []).append(item)
    lines: dict[str, list[Trained]] = {}
    for group in groups.values():
        seeds = [training_seeds(of(item)[1]) for item in group]
        name = _SEED.sub("", of(group[0])[0])
        if len(group) > 1 and all(seeds) and len(set(seeds)) == len(seeds) and name not in lines:
            lines[name] = [
                item for _, item in sorted(zip(seeds, group, strict=True), key=lambda pair: pair[0])
            ]
        else:
            lines.update({of(item)[0]: [item] for item in group})
    return lines


def training_seeds(stages: Sequence[StageRecord]) -> tuple[int, ...]:
    """The training seed of each stage that has weights; empty where one is not known."""
    seeds = [stage.training_seed for stage in stages if stage.weights_sha256]
    return tuple(seed for seed in seeds if seed is not None) if None not in seeds else ()


def trained_on(stages: Iterable[StageRecord]) -> str:
    """What all stages together were trained on, further takes not told apart; ``nothing`` where nothing was.

    >>> trained_on(row.stages)  # doctest: +SKIP
    'akbari/train, simulated/wtc1'
    """
    names = sorted({name.partition("~")[0] for stage in stages for name in stage.trained_on})
    return ", ".join(names) or "nothing"


def untrained_name(name: str) -> str:
    """``keywise+roll2midi`` of ``keywise@both+roll2midi@both``: a system, however it was trained."""
    return re.sub(r"@[^+]*", "", name)


def _apart_from_seed(stage: StageRecord) -> tuple[object, ...]:
    return (
        _SEED.sub("", stage.name),
        stage.sha256,
        stage.parameters,
        repr(sorted(stage.configuration.items())),
        frozenset(stage.trained_on),
    )
