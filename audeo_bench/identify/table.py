"""Adding up: judged answers per service, system and group of recordings. Table 2 of the paper."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from audeo_bench.identify.catalogue.engine import REJECTIONS, best_and_second
from audeo_bench.identify.ledger import Query
from audeo_bench.identify.service import OUTCOMES, Outcome
from audeo_bench.identify.titles import judge

GROUPS = {"total": "Total", "wtc1_variants": "WTC B1 variants", "wtc2_other": "WTC B2 and other"}
"""Columns of Table 2, by the name of their split with underscores."""

MOST_ERRORS = 0.02
"""A table with a larger share of errors says so in its title."""


def outcome(query: Query) -> Outcome | None:
    """One of the four outcomes; None where nobody has been asked yet.

    Only an answer can be right, wrong or nothing; a fault is an error, and never counts as not recognised.
    """
    if query.reply is None:
        return "error" if query.fault else None
    verdict = judge(query.work, query.reply.answer)
    return {"match": "right", "none": "nothing"}.get(verdict, "wrong")  # type: ignore[return-value]


@dataclass
class Tally:
    """Counts of outcomes. ``unasked`` segments have no answer yet."""

    right: int = 0
    wrong: int = 0
    nothing: int = 0
    error: int = 0
    unasked: int = 0

    def add(self, found: Outcome | None) -> None:
        name = found or "unasked"
        setattr(self, name, getattr(self, name) + 1)

    @property
    def answered(self) -> int:
        """The denominator of every rate: errors and unasked segments are no part of it."""
        return self.right + self.wrong + self.nothing

    @property
    def rate(self) -> float | None:
        """Share of the answered segments that were named rightly."""
        return self.right / self.answered if self.answered else None


@dataclass
class Row:
    """What one service made of one system.

    Attributes
    ----------
    groups : dict of str to Tally
        By :data:`GROUPS`.
    strips : dict of str to list
        The outcomes of every recording's segments, in order.
    false_accepts, left_out : int
        Offline engines: with the right piece left out of the catalogue, how many of so many answered segments
        would have been named all the same.
    median_margin : float or None
        Offline engines: between the best and the second-best piece.
    """

    service: str
    version: str
    system: str
    groups: dict[str, Tally] = field(default_factory=lambda: {name: Tally() for name in GROUPS})
    strips: dict[str, list[Outcome | None]] = field(default_factory=dict)
    false_accepts: int = 0
    left_out: int = 0
    median_margin: float | None = None

    @property
    def total(self) -> Tally:
        return self.groups["total"]

    @property
    def error_share(self) -> float:
        asked = self.total.answered + self.total.error
        return self.total.error / asked if asked else 0.0


def add_up(queries: Iterable[Query], service: str, version: str) -> list[Row]:
    """One row a system, in the order in which systems appear."""
    rows: dict[str, Row] = {}
    margins: dict[str, list[float]] = {}
    for query in queries:
        row = rows.setdefault(query.system, Row(service, version, query.system))
        found = outcome(query)
        row.total.add(found)
        group = query.split.replace("-", "_")
        if group in row.groups:
            row.groups[group].add(found)
        row.strips.setdefault(query.recording, []).append(found)
        candidates = query.reply.response.get("candidates") if query.reply else None
        if candidates is not None and service in REJECTIONS:
            best, second = best_and_second([each["score"] for each in candidates])
            margins.setdefault(query.system, []).append(best - second)
            others = [each["score"] for each in candidates if each["title"] != query.work.title]
            row.left_out += 1
            row.false_accepts += REJECTIONS[service].accepts(*best_and_second(others))
    for system, values in margins.items():
        rows[system].median_margin = median(values)
    return list(rows.values())


def in_papers_order(rows: Iterable[Row], systems: Iterable[str]) -> list[Row]:
    """The paper's systems first, in its order, then the others; the ground truth last."""
    places = {system: place for place, system in enumerate(systems)}
    last = len(places)
    return sorted(rows, key=lambda row: (row.system == "truth", places.get(row.system, last)))


def order_of_rates(rows: Iterable[Row]) -> bool | None:
    """Whether every row's total rate exceeds the row's before it; None with fewer than two rates."""
    rates = [row.total.rate for row in rows if row.total.rate is not None]
    return None if len(rates) < 2 else all(low < high for low, high in pairwise(rates))


def as_record(row: Row) -> dict[str, object]:
    """A row as JSON holds it, rates in per cent with their counts."""
    groups = {}
    for name, tally in row.groups.items():
        counts = {kind: getattr(tally, kind) for kind in (*OUTCOMES, "unasked")}
        percent = None if tally.rate is None else round(100 * tally.rate, 2)
        groups[name] = {"percent": percent, "answered": tally.answered, **counts}
    return {
        "service": row.service,
        "version": row.version,
        "system": row.system,
        "groups": groups,
        "strips": row.strips,
        "false_accepts": {"accepted": row.false_accepts, "asked": row.left_out} if row.left_out else None,
        "median_margin": row.median_margin,
    }
