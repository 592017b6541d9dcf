"""What listeners made of a system's sound, Table 2: ``identify.json``."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, model_validator

from audeo_bench.api import Provenance
from audeo_bench.records.run import Origin, StageRecord
from audeo_bench.records.strict import Count, Number, Percent, Strict

Outcome = Literal["right", "wrong", "nothing", "error"]
"""What became of one identification query. An error is no answer, and never counts as not recognised."""


def _percent(right: int, answered: int) -> float | None:
    return round(100 * right / answered, 2) if answered else None


class Tally(Strict):
    """Segments by outcome; ``percent`` is right of answered. An error is no answer."""

    percent: Percent | None
    answered: Count
    right: Count
    wrong: Count
    nothing: Count
    error: Count
    unasked: Count

    @model_validator(mode="after")
    def _adds_up(self) -> Tally:
        percent = _percent(self.right, self.answered)
        if self.answered != self.right + self.wrong + self.nothing or percent != self.percent:
            raise ValueError("the counts do not add up to the percentage")
        return self

    @classmethod
    def of(cls, outcomes: Iterable[Outcome | None]) -> Tally:
        """Count outcomes; None stands for a segment that nobody was asked about."""
        counts = Counter(found or "unasked" for found in outcomes)
        answered = counts["right"] + counts["wrong"] + counts["nothing"]
        percent = _percent(counts["right"], answered)
        kinds = {kind: counts[kind] for kind in (*get_args(Outcome), "unasked")}
        return cls(percent=percent, answered=answered, **kinds)


class FalseAccepts(Strict):
    """With the right piece left out of the catalogue: segments named all the same."""

    accepted: Count
    asked: Count


class IdentificationRow(Strict):
    """What one service made of one system.

    Attributes
    ----------
    service, version : str
    system : str
    groups : dict of str to Tally
    strips : dict of str to list
        The outcomes of every recording's segments, in order; None where nobody was asked yet.
    false_accepts : FalseAccepts or None
        Offline engines only.
    median_margin : float or None
        Offline engines: between the best and the second-best piece.
    interval : (float, float) or None
        95 % of the total's rate over performances like these, in per cent; None where fewer than two were
        answered, and in results from before it was kept.
    """

    service: str
    version: str
    system: str
    groups: dict[Literal["total", "wtc1_variants", "wtc2_other"], Tally]
    strips: dict[str, list[Outcome | None]]
    false_accepts: FalseAccepts | None
    median_margin: float | None
    interval: tuple[Percent, Percent] | None = None

    @property
    def total(self) -> Tally:
        return self.groups["total"]


class CorpusName(Strict):
    """A corpus whose recordings were played, whatever their split."""

    name: str
    version: str
    seed: int


class Identification(Strict):
    """All rows of one run of ``audeo-bench identify`` over a corpus: ``identify.json``.

    Attributes
    ----------
    quick_look : bool
        Only a part of the recordings was played.
    title_rules : int or str
        The version of the rules by which titles are judged.
    films_here : str or None
        ``2 of 3 films`` where some films of the test were not there.
    systems : dict of str to tuple of StageRecord
        What played, stage by stage, as in the systems' runs.
    """

    schema_number: Annotated[Literal[2], Number] = Field(default=2, alias="schema")
    corpus: CorpusName
    provenance: Provenance
    quick_look: bool
    title_rules: int | str
    films_here: str | None = None
    origin: Origin
    systems: dict[str, tuple[StageRecord, ...]] = Field(default_factory=dict)
    rows: list[IdentificationRow]

    @classmethod
    def of_today(cls, content: Any) -> Any:
        """A result of schema 1 does not say what played."""
        if not isinstance(content, dict) or type(content.get("schema_version")) is not int:
            return content
        old = dict(content)
        if old.pop("schema_version") != 1 or not isinstance(old.get("command"), list):
            return content
        origin = {name: old.pop(name, None) for name in ("versions", "commit")}
        origin |= {"command": shlex.join(map(str, old.pop("command"))), "seed": 0, "hardware": {}}
        return old | {"schema": 2, "origin": origin}
