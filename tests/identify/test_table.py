"""Outcomes, rates and their denominators, and what the printed table says."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from audeo_bench.api import SAMPLE_RATE, Work
from audeo_bench.identify.ledger import Ledger
from audeo_bench.identify.segments import cut
from audeo_bench.identify.service import Reply
from audeo_bench.identify.table import add_up, in_papers_order, interval_over_performances, order_of_rates
from audeo_bench.identify.titles import Answer
from audeo_bench.report import identification as printing
from studies.noise import degrade

WORK = Work(
    "Johann Sebastian Bach", "Prelude and Fugue No. 1", "The Well-Tempered Clavier, Book I", 1, 846, "C major"
)
REPLIES = {
    "right": Reply(Answer("Prelude in C Major, BWV 846")),
    "wrong": Reply(Answer("Für Elise")),
    "nothing": Reply(Answer()),
}


def rows_of(tmp_path, outcomes: dict[str, list[str]], split="wtc1-variants"):
    """Rows from a ledger in which every system's segments had these outcomes."""
    with Ledger(tmp_path / "identify.sqlite") as ledger:
        for seed, (system, found) in enumerate(outcomes.items()):
            noise = np.random.default_rng(seed).uniform(-0.1, 0.1, 20 * SAMPLE_RATE * len(found))
            pieces = cut(noise)
            ledger.add_recording(system, "wtc1-01-fast", split, "title", WORK, pieces)
            for piece, name in zip(pieces, found, strict=True):
                if name in REPLIES:
                    ledger.record("shazam", "1", piece.sha256, REPLIES[name])
                elif name == "error":
                    ledger.note_fault("shazam", "1", piece.sha256, "fault")
        return add_up(ledger.queries("shazam", "1"), "shazam", "1")


def printed(table) -> str:
    stream = io.StringIO()
    Console(file=stream, width=200).print(table)
    return stream.getvalue()


def test_an_error_never_lowers_a_rate(tmp_path):
    (row,) = rows_of(tmp_path, {"truth": ["right", "right", "wrong", "nothing", "error", "error", "unasked"]})
    assert row.total.percent == 50
    assert (row.total.answered, row.total.error, row.total.unasked) == (4, 2, 1)
    assert row.groups["wtc1_variants"].answered == 4
    assert row.groups["wtc2_other"].percent is None


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.sampled_from(["right", "nothing", "error"]), min_size=1, max_size=8), max_size=9))
def test_the_interval_holds_the_rate_and_is_over_performances(strips):
    found = {str(place): strip for place, strip in enumerate(strips)}
    interval = interval_over_performances(found)
    answered = [strip for strip in strips if set(strip) != {"error"}]
    assert (interval is None) == (len(answered) < 2)
    if interval is not None:
        every = [outcome for strip in answered for outcome in strip if outcome != "error"]
        rate = 100 * every.count("right") / len(every)
        assert 0 <= interval[0] <= round(rate, 2) + 0.01 and round(rate, 2) - 0.01 <= interval[1] <= 100


def test_performances_named_as_a_whole_say_less_than_their_segments():
    whole = {str(n): ["right" if n % 2 else "nothing"] * 6 for n in range(8)}
    mixed = {str(n): ["right", "nothing"] * 3 for n in range(8)}
    wide, narrow = (interval_over_performances(strips) for strips in (whole, mixed))
    assert wide[1] - wide[0] > 40 > narrow[1] - narrow[0]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["right", "wrong", "nothing", "error"]), max_size=6))
def test_counts_add_up(tmp_path_factory, found):
    rows = rows_of(tmp_path_factory.mktemp("ledger"), {"truth": found}) if found else []
    for row in rows:
        assert row.total.answered + row.total.error == len(found)
        assert row.strips["wtc1-01-fast"] == found
        assert sum(getattr(row.total, kind) for kind in ("right", "wrong", "nothing", "error")) == len(found)


def test_more_than_2_per_cent_errors_stand_in_the_title(tmp_path):
    rows = rows_of(tmp_path, {"truth": ["right"] * 9 + ["error"]})
    assert "10.0 % ERRORS" in printed(printing.table2(rows, "simulated", quick=False))
    rows = rows_of(tmp_path / "clean", {"truth": ["right"] * 9})
    assert "ERRORS" not in printed(printing.table2(rows, "simulated", quick=False))


def test_the_table_says_what_it_is(tmp_path):
    rows = rows_of(tmp_path, {"resnet+fluidsynth": ["wrong", "right"], "truth": ["right", "right"]})
    text = printed(
        printing.table2(in_papers_order(rows, ["resnet+fluidsynth", "truth"]), "simulated: corpus", True)
    )
    assert "QUICK LOOK" in text
    assert "simulated" in text
    assert "SoundHound" in text
    assert "50.0   -5.9 of 2" in text  # 55.9 in the paper
    assert "order shows in the totals (50.0 < 100.0)" in text


def test_an_order_that_does_not_show_is_said(tmp_path):
    rows = rows_of(tmp_path, {"resnet+fluidsynth": ["right"], "truth": ["wrong"]})
    ordered = in_papers_order(rows, ["resnet+fluidsynth", "truth"])
    assert order_of_rates(ordered) is False
    assert "does NOT show" in printed(printing.table2(ordered, "simulated", False))


def test_rows_stand_in_the_papers_order_and_the_truth_last(tmp_path):
    rows = rows_of(tmp_path, {"truth": ["right"], "mine": ["right"], "b": ["right"], "a": ["right"]})
    assert [row.system for row in in_papers_order(rows, ["b", "a", "truth"])] == ["b", "a", "mine", "truth"]


def test_a_strip_has_a_mark_for_every_segment():
    assert printing.strip(["right", "wrong", "nothing", "error", None]).plain == "█▒·! "


@pytest.mark.parametrize(("precision", "recall"), [(0.65, 0.70), (0.50, 0.55), (1.0, 0.8), (0.7, 1.0)])
def test_spoiled_rolls_have_the_wanted_precision_and_recall(precision, recall):
    rng = np.random.default_rng(0)
    roll = np.zeros((88, 2500), bool)
    for _ in range(400):
        start = int(rng.integers(0, 2480))
        roll[rng.integers(20, 70), start : start + int(rng.integers(4, 18))] = True
    spoiled = degrade(roll, precision, recall, rng)
    hits = (roll & spoiled).sum()
    assert hits / spoiled.sum() == pytest.approx(precision, abs=0.02)
    assert hits / roll.sum() == pytest.approx(recall, abs=0.02)
