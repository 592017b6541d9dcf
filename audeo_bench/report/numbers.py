"""How numbers are written, wherever they are shown."""

from __future__ import annotations

from audeo_bench.records import IdentificationRow

__all__ = ["percent", "spread"]


def percent(value: float | None) -> str:
    """One decimal, as the paper prints; a dash for what is not there."""
    return "–" if value is None or value != value else f"{value:.1f}"


def spread(row: IdentificationRow) -> str:
    """The interval over performances, as it is printed."""
    return "–" if row.interval is None else f"{row.interval[0]:.1f} to {row.interval[1]:.1f}"
