"""The checkpoints in a release folder, and which contestant each is for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audeo_bench.api import AudeoBenchError

__all__ = ["ReleasedCheckpoint", "released_checkpoints"]


@dataclass(frozen=True)
class ReleasedCheckpoint:
    """A checkpoint that loads into a contestant, and the options that its shapes imply."""

    path: Path
    contestant: str
    options: dict[str, Any]


def released_checkpoints(directory: Path) -> list[ReleasedCheckpoint]:
    """Find checkpoints up to two folders deep, and load each into its contestant to be sure that it fits.

    Raises
    ------
    AudeoBenchError
        A checkpoint that is damaged, asks for more than tensors, or fits no contestant.
    """
    return [_identified(path) for path in sorted(_files(directory))]


def _files(directory: Path) -> Iterator[Path]:
    # Pictures lie a folder deeper than anything listed here, so that tens of thousands of them are not.
    for pattern in ("*", "*/*", "*/*/*"):
        for path in directory.glob(pattern):
            if path.suffix in (".pth", ".pt", ".tar") and path.is_file():
                yield path


def _identified(path: Path) -> ReleasedCheckpoint:
    from audeo_bench.contestants.loading import find
    from audeo_bench.contestants.module import load_class
    from audeo_bench.contestants.roster import roster
    from audeo_bench.nn.release_checkpoint import read_release_checkpoint

    state = read_release_checkpoint(path)
    takers = roster().released
    for name in takers:
        cls: Any = load_class(find(name))
        try:
            options = cls.release_options(state)
        except KeyError:
            continue
        cls().load(path)
        return ReleasedCheckpoint(path.resolve(), name, options)
    raise AudeoBenchError(
        f"{path}: a checkpoint of neither {' nor '.join(takers)}: found {', '.join(list(state)[:3])}, ..."
    )
