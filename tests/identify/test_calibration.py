"""Thresholds and curves of the offline listeners, from what they found."""

import pytest

from audeo_bench.identify.catalogue.engine import REJECTIONS, Rejection
from studies.listener_calibration import Asked, curve, false_accepts, least_margin


def asked(others: float, *, own: float = 0.5, sound: str = "the recording", place: int = 0) -> Asked:
    """An answer of ``pitch`` whose best other piece stands so far above the next."""
    best, rest = max(own, 0.2 + others), min(own, 0.2 + others)
    return Asked("pitch", sound, f"wtc2-{place}", 1.0, own == best, (best, rest), (0.2 + others, 0.2))


def test_the_least_margin_leaves_one_false_accept_in_a_hundred():
    answers = [asked(place / 1000) for place in range(200)]
    margin = least_margin(answers, score=0.2)
    assert margin == pytest.approx(0.197)
    assert false_accepts(answers, Rejection(0.2, margin)) == pytest.approx(0.01)
    assert false_accepts(answers, Rejection(0.2, margin - 0.001)) > 0.01


def test_a_curve_counts_what_is_named_rightly_with_the_margin_in_use():
    enough = REJECTIONS["pitch"].margin + 0.25
    clear = [asked(0.05, own=enough + 0.01, place=place) for place in range(3)]
    close = [asked(0.05, own=enough - 0.01, place=place) for place in range(3)]
    other = [asked(0.5, own=0.3, sound="spoiled", place=place) for place in range(3)]
    found = curve([*clear, *close, *other], ["pitch"])
    assert found.header == ("sound", "onset F1", "`pitch` right", "false")
    assert found.rows == (
        ("the recording", "100", "50 (50 to 50)", "0.0"),
        ("spoiled", "100", "0 (0 to 0)", "100.0"),
    )
