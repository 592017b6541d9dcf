"""The number that is compared, by its name: ``<average>.<keys>@<threshold>``, as in ``frame_mean.51@0.4``."""

from __future__ import annotations

from dataclasses import dataclass

from audeo_bench.errors import AudeoBenchError
from audeo_bench.records import KeyRange, Subject
from audeo_bench.roll import THRESHOLD
from audeo_bench.score.frames import AVERAGES, KEY_RANGES, Average

PAPER_SPLIT = "wtc2"
"""Of Table 1's recordings, in every corpus that has them."""


@dataclass(frozen=True)
class Measure:
    """A metric, its average, key range and threshold. ``str()`` gives the name, which leaves F1 unsaid."""

    metric: str = "f1"
    average: Average = "frame_mean"
    keys: KeyRange = "88"
    threshold: float = THRESHOLD

    def __str__(self) -> str:
        return f"{self.average}.{self.keys}@{self.threshold:g}"

    @classmethod
    def parse(cls, name: str) -> Measure:
        """F1 by the inverse of ``str()``.

        Raises
        ------
        AudeoBenchError
            No such average or key range.
        """
        kind, _, rest = name.partition(".")
        keys, _, threshold = rest.partition("@")
        if kind in AVERAGES and keys in KEY_RANGES:
            try:
                return cls("f1", kind, keys, float(threshold))
            except ValueError:
                pass
        raise AudeoBenchError(
            f"metric {name!r}: write <average>.<keys>@<threshold>, average one of {', '.join(AVERAGES)}, "
            f"keys one of {', '.join(KEY_RANGES)}, such as {MAIN}."
        )


MAIN = Measure(keys="51")
"""Table 1's own F1."""
RECORDED = Measure(average="micro")
"""F1 as most of the field reports it."""


def measure_of(subject: Subject) -> Measure:
    """What a board ranks by: :data:`RECORDED` for real films, but for those of the paper's test and for all
    simulated pictures :data:`MAIN`.
    """
    return RECORDED if subject.provenance == "recorded" and subject.split != PAPER_SPLIT else MAIN
