"""Adding up: judged answers per service, system and group of recordings. Table 2 of the paper."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any

import numpy as np

from audeo_bench.identify.catalogue.engine import REJECTIONS, best_and_second
from audeo_bench.identify.ledger import Query
from audeo_bench.identify.titles import judge
from audeo_bench.paper.reported import GROUPS
from audeo_bench.records import FalseAccepts, IdentificationRow, Outcome, Tally
from audeo_bench.score.spread import LEVEL, quantile

ANSWERS = ("right", "wrong", "nothing")
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
class _Heard:
    """What is known of one system, segment by segment."""

    groups: dict[str, list[Outcome | None]] = field(default_factory=lambda: {name: [] for name in GROUPS})
    strips: dict[str, list[Outcome | None]] = field(default_factory=lambda: defaultdict(list))
    margins: list[float] = field(default_factory=list)
    false_accepts: list[bool] = field(default_factory=list)


def add_up(queries: Iterable[Query], service: str, version: str) -> list[IdentificationRow]:
    """One row a system, in the order in which systems appear."""
    systems: dict[str, _Heard] = {}
    for query in queries:
        heard = systems.setdefault(query.system, _Heard())
        found = outcome(query)
        heard.groups["total"].append(found)
        if (group := query.split.replace("-", "_")) in heard.groups:
            heard.groups[group].append(found)
        heard.strips[query.recording].append(found)
        candidates = query.reply.response.get("candidates") if query.reply else None
        if candidates is not None and service in REJECTIONS:
            best, second = best_and_second([each["score"] for each in candidates])
            heard.margins.append(best - second)
            others = [each["score"] for each in candidates if each["title"] != query.work.title]
            heard.false_accepts.append(REJECTIONS[service].accepts(*best_and_second(others)))
    return [_row(service, version, system, heard) for system, heard in systems.items()]


def _row(service: str, version: str, system: str, heard: _Heard) -> IdentificationRow:
    groups: dict[Any, Tally] = {name: Tally.of(found) for name, found in heard.groups.items()}
    accepts = heard.false_accepts
    return IdentificationRow(
        service=service,
        version=version,
        system=system,
        groups=groups,
        strips=dict(heard.strips),
        false_accepts=FalseAccepts(accepted=sum(accepts), asked=len(accepts)) if accepts else None,
        median_margin=median(heard.margins) if heard.margins else None,
        interval=interval_over_performances(heard.strips),
    )


def interval_over_performances(strips: Mapping[str, Sequence[Outcome | None]]) -> tuple[float, float] | None:
    """95 % interval of the rate over performances like these, per cent; None for fewer than two.

    The delete-one jackknife of :mod:`audeo_bench.score.spread`: segments of one performance are named or not
    together, so performances are left out in turn, not segments.
    """
    counts = [
        (sum(found == "right" for found in strip), sum(found in ANSWERS for found in strip))
        for strip in strips.values()
    ]
    values = np.array([count for count in counts if count[1]], float)
    size = len(values)
    if size < 2:
        return None
    right, answered = values.sum(0)
    without = (right - values[:, 0]) / (answered - values[:, 1])
    deviations = np.sqrt((size - 1) / size) * (without - without.mean())
    reach = quantile(1 - LEVEL / 2, size - 1) * float(np.linalg.norm(deviations))
    low, high = (round(100 * float(np.clip(right / answered + way, 0, 1)), 2) for way in (-reach, reach))
    return low, high


def error_share(row: IdentificationRow) -> float:
    asked = row.total.answered + row.total.error
    return row.total.error / asked if asked else 0.0


def in_papers_order(rows: Iterable[IdentificationRow], systems: Iterable[str]) -> list[IdentificationRow]:
    """The paper's systems first, in its order, then the others; the ground truth last."""
    places = {system: place for place, system in enumerate(systems)}
    last = len(places)
    return sorted(rows, key=lambda row: (row.system == "truth", places.get(row.system, last)))


def order_of_rates(rows: Iterable[IdentificationRow]) -> bool | None:
    """Whether every row's total rate exceeds the row's before it; None with fewer than two rates."""
    rates = [row.total.percent for row in rows if row.total.percent is not None]
    return None if len(rates) < 2 else all(low < high for low, high in pairwise(rates))
