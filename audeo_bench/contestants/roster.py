"""The contestants that travel with the package, as ``models/roster.toml`` lists them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from audeo_bench.places import shipped

__all__ = ["Kind", "Listed", "Roster", "Training", "roster"]

Kind = Literal["video to roll", "roll to midi", "synthesizer"]


@dataclass(frozen=True)
class Listed:
    """One shipped contestant: its file, and what its class says of itself."""

    path: Path
    kind: Kind
    takes_weights: bool


@dataclass(frozen=True)
class Training:
    """What ``train --all`` trains together, and on what.

    Attributes
    ----------
    systems : tuple of str
        Each stage before what refines it.
    corpora, chosen_on : tuple of str
        Trained on, and validated on; the same where nothing is said.
    seeds : tuple of int
    epochs : mapping of str to int
        By system, where its recipe's are not enough.
    start : str
        The training from whose weights the systems in ``goes_on`` go on.
    goes_on : tuple of str
    keyboards : tuple of str
        The systems that also train on photographs of keyboards.
    average : tuple of str
        The trainings whose weights' mean is taken, instead of training.
    """

    systems: tuple[str, ...]
    corpora: tuple[str, ...]
    chosen_on: tuple[str, ...]
    seeds: tuple[int, ...]
    epochs: Mapping[str, int]
    start: str
    goes_on: tuple[str, ...]
    keyboards: tuple[str, ...]
    average: tuple[str, ...]


@dataclass(frozen=True)
class Roster:
    """Who is there, and who is taken where the user names nobody.

    Attributes
    ----------
    contestants : mapping of name to Listed
    midi, recorded, perform : tuple of str
        Chains, in the order in which they are run, on real films run, and preferred.
    trainings : mapping of str to Training
        By what weights are called that come of it: ``keywise@both`` are those of ``both``. Those of
        ``simulated`` are the usual ones, and a seed that is not 0 is added, as in ``simulated-seed1``.
    released : tuple of str
        Contestants that take a checkpoint of the authors' release.
    synthesizer : str
    """

    contestants: Mapping[str, Listed]
    midi: tuple[str, ...]
    recorded: tuple[str, ...]
    perform: tuple[str, ...]
    trainings: Mapping[str, Training]
    released: tuple[str, ...]
    synthesizer: str


@cache
def roster() -> Roster:
    """Read the list, once."""
    read = tomllib.loads((shipped("models") / "roster.toml").read_text(encoding="utf-8"))
    listed = {
        name: Listed(shipped(entry["folder"]) / f"{name}.py", entry["kind"], entry["weights"])
        for name, entry in read.pop("contestants").items()
    }
    trainings = {
        name: Training(
            systems=tuple(entry["systems"]),
            corpora=tuple(entry["corpora"]),
            chosen_on=tuple(entry.get("chosen_on", entry["corpora"])),
            seeds=tuple(entry.get("seeds", (0,))),
            epochs=entry.get("epochs", {}),
            start=entry.get("start", ""),
            goes_on=tuple(entry.get("goes_on", ())),
            keyboards=tuple(entry.get("keyboards", ())),
            average=tuple(entry.get("average", ())),
        )
        for name, entry in read.pop("trainings").items()
    }
    orders = {key: tuple(names) for key, names in read.items() if isinstance(names, list)}
    return Roster(listed, synthesizer=read["synthesizer"], trainings=trainings, **orders)
