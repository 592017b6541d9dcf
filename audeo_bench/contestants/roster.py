"""The contestants that travel with the package, as ``models/roster.toml`` lists them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from audeo_bench.places import shipped

__all__ = ["Kind", "Listed", "Roster", "roster"]

Kind = Literal["video to roll", "roll to midi", "synthesizer"]


@dataclass(frozen=True)
class Listed:
    """One shipped contestant: its file, and what its class says of itself."""

    path: Path
    kind: Kind
    takes_weights: bool


@dataclass(frozen=True)
class Roster:
    """Who is there, and who is taken where the user names nobody.

    Attributes
    ----------
    contestants : mapping of name to Listed
    midi, perform, train : tuple of str
        Chains, in the order in which they are run, preferred and trained.
    released : tuple of str
        Contestants that take a checkpoint of the authors' release.
    synthesizer : str
    """

    contestants: Mapping[str, Listed]
    midi: tuple[str, ...]
    perform: tuple[str, ...]
    train: tuple[str, ...]
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
    orders = {key: tuple(names) for key, names in read.items() if isinstance(names, list)}
    return Roster(listed, synthesizer=read["synthesizer"], **orders)
