"""From rolls to a table, and to a file and back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from audeo_bench.api import AudeoBenchError
from audeo_bench.records import StoredScores, as_text, write
from audeo_bench.roll import roll_to_notes
from audeo_bench.score import (
    Measure,
    Rolls,
    Scores,
    Subject,
    frame_sums,
    read_scores,
    score,
    score_file,
    score_recording,
    score_rolls,
    value,
)
from audeo_bench.score.frames import METRICS, average, frame_counts
from audeo_bench.score.tables import cause_table, metric_table

GOLDEN = Path(__file__).parents[1] / "golden"
SUBJECT = Subject(corpus="simulated", version="3", split="wtc2", split_hash="abc", provenance="simulated")


def rolls(seed: int, frames: int = 1200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = np.repeat(rng.random((88, frames // 10)) < 0.04, 10, axis=1)
    noise = rng.random(truth.shape, np.float32)
    return truth, np.where(truth, noise ** np.float32(0.5), noise**8)


@pytest.fixture(scope="module")
def scores() -> Scores:
    split = {"wtc2-01": rolls(1), "wtc2-02": rolls(2, 700)}
    known = {name: Rolls(truth, roll, truth, roll_to_notes(truth)) for name, (truth, roll) in split.items()}
    return score_rolls(known, SUBJECT, (0.3, 0.5))


def cell(table: pd.DataFrame, *index: str | float) -> float:
    return table.set_index(list(table.columns[:-1]))["value"].loc[index]


def test_the_total_runs_over_all_frames_and_the_mean_over_recordings(scores: Scores) -> None:
    (truth_1, roll_1), (truth_2, roll_2) = rolls(1), rolls(2, 700)
    counts = frame_counts(np.hstack([truth_1, truth_2]), np.hstack([roll_1, roll_2]), (0.5,), "51")
    table = metric_table(scores)
    for kind in ("frame_mean", "micro"):
        for metric in METRICS:
            values = {
                name: cell(table, name, "51", 0.5, kind, metric)
                for name in ("wtc2-01", "wtc2-02", "mean", "total")
            }
            assert values["total"] == pytest.approx(getattr(average(counts, kind), metric)[0], abs=1e-12)
            assert values["mean"] == pytest.approx((values["wtc2-01"] + values["wtc2-02"]) / 2, abs=1e-12)
    assert value(scores, Measure("f1", "micro", "51", 0.5)) == cell(table, "total", "51", 0.5, "micro", "f1")


def test_note_metrics_stand_beside_frame_metrics(scores: Scores) -> None:
    table = metric_table(scores)
    notes = table[table["average"] == "onset@50"]
    assert set(notes["recording"]) == {"wtc2-01", "wtc2-02", "mean", "total"}
    assert notes["value"].between(0, 1).all()
    assert not table.duplicated(list(table.columns[:-1])).any()


def test_unknown_notes_give_no_total(scores: Scores) -> None:
    noted = Rolls(*rolls(1), notes=roll_to_notes(rolls(1)[0]))
    some = metric_table(score_rolls({"a": noted, "b": Rolls(*rolls(2))}))
    assert set(some[some["average"] == "full@50"]["recording"]) == {"a"}
    none = metric_table(score_rolls({"a": Rolls(*rolls(1))}))
    assert set(none["average"]) == {"frame_mean", "micro"}


def test_causes_add_up_over_recordings(scores: Scores) -> None:
    table = cause_table(scores)
    kinds = table[(table["by"] == "false_positives") & (table["threshold"] == 0.3)]
    counts = kinds[kinds["quantity"] == "count"].set_index("group")["value"]
    assert counts["pressed"] == 0  # here what is pressed is what sounds
    assert counts.sum() == sum(sums.fp[0].sum() for sums in frame_sums(scores, "88").values())
    assert kinds[kinds["quantity"] == "share"]["value"].sum() == pytest.approx(1)
    silent = sum(int((~truth.any(0)).sum()) for truth, _ in (rolls(1), rolls(2, 700)))
    assert cell(table, 0.5, "polyphony", "0", "frames") == silent > 0
    unknown = cause_table(score_rolls({"a": Rolls(*rolls(1))}))
    assert np.isnan(cell(unknown, 0.4, "false_positives", "pressed", "share"))


def test_a_file_keeps_everything_exactly(scores: Scores, tmp_path: Path) -> None:
    again = read_scores(write(tmp_path / "scores.json", StoredScores.of({}, scores)))
    assert again == scores
    assert as_text(again) == as_text(scores)
    pd.testing.assert_frame_equal(metric_table(again), metric_table(scores), check_exact=True)


def test_a_scores_file_has_no_order_of_its_own(scores: Scores) -> None:
    backwards = scores.model_copy(update={"recordings": dict(reversed(scores.recordings.items()))})
    assert as_text(backwards) == as_text(scores)


def _edited(scores: Scores, **changes: object) -> str:
    content = json.loads(as_text(scores)) | changes
    return json.dumps({"schema": 3, "rolls": {}, "scores": content, "sha256": "0" * 64})


def test_what_is_no_scores_file_is_named(scores: Scores, tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    for text, said in (
        ("{", "not the JSON that is expected"),
        ("[]", "should be an object"),
        (_edited(scores, metric_version="0"), "metric_version: Input should be '2'"),
        (_edited(scores, surprise=1), "surprise"),
        (_edited(scores, block="500"), "block"),
        (_edited(scores, thresholds=[0.5]), "unequal lengths"),
        (
            as_text(StoredScores.of({}, scores)).replace('"schema": 3', '"schema": true'),
            "true or false",
        ),
        (
            as_text(StoredScores.of({}, scores)).replace('"schema": 3', '"schema": 1'),
            "from an older",
        ),
        (as_text(StoredScores.of({}, scores)).replace(',\n "schema": 3', ""), "Field required"),
        (_edited(scores), "was edited since it was written"),
    ):
        path.write_text(text)
        with pytest.raises(AudeoBenchError, match=rf"scores\.json: .*{said}"):
            read_scores(path)
    with pytest.raises(AudeoBenchError, match=r"missing\.json"):
        read_scores(tmp_path / "missing.json")


def test_an_unscorable_recording_is_named() -> None:
    truth, roll = rolls(1)
    with pytest.raises(AudeoBenchError, match="wtc2-02: found NaN"):
        score_rolls({"wtc2-01": Rolls(truth, roll), "wtc2-02": Rolls(truth, roll * np.nan)})
    with pytest.raises(AudeoBenchError, match="wtc2-01: found pressed"):
        score_recording(Rolls(truth, roll, truth[:, 1:]), name="wtc2-01")
    with pytest.raises(AudeoBenchError, match="none called total"):
        score_rolls({"total": Rolls(truth, roll)})


def test_either_layout_of_arrays() -> None:
    truth, roll = rolls(3)
    table = score(truth, roll, (0.3, 0.4))
    pd.testing.assert_frame_equal(score(truth.T, roll.T, (0.3, 0.4)), table)
    assert table.columns.tolist() == ["keys", "threshold", "average", "metric", "value"]
    assert len(table) == 2 * 2 * 2 * 4


def test_a_square_roll_has_its_keys_first_and_in_a_file_its_frames(tmp_path: Path) -> None:
    truth, roll = (array[:, :88] for array in rolls(4))
    assert not score(truth, roll).equals(score(truth.T, roll.T))
    np.savez(tmp_path / "square.npz", labels=truth.T, probabilities=roll.T)
    pd.testing.assert_frame_equal(score_file(tmp_path / "square.npz", (0.4,)), score(truth, roll))


def test_a_file_of_golden_rolls_gives_the_golden_numbers() -> None:
    table = score_file(GOLDEN / "frame_metrics.npz")
    golden = json.loads((GOLDEN / "frame_metrics.json").read_text())
    for keys, name in (("88", "all_88_keys"), ("51", "keys_15_to_65")):
        for threshold in (0.3, 0.4, 0.5):
            expected = golden[f"{name} threshold {threshold}"]
            for metric, found in expected["frame_average"].items():
                assert cell(table, keys, threshold, "frame_mean", metric) == pytest.approx(found, abs=1e-9)
            for metric in ("precision", "recall", "accuracy"):
                found = expected["mir_eval_multipitch"][metric.title()]
                assert cell(table, keys, threshold, "micro", metric) == pytest.approx(found, abs=1e-9)


def test_files_that_cannot_be_scored_are_named(tmp_path: Path) -> None:
    truth, roll = rolls(5)
    np.savez_compressed(tmp_path / "whole.npz", labels=truth.T, probabilities=roll.T)
    (tmp_path / "cut.npz").write_bytes((tmp_path / "whole.npz").read_bytes()[:2000])
    np.savez(tmp_path / "lacking.npz", labels=truth.T)
    np.savez(tmp_path / "shape.npz", labels=truth.T, probabilities=roll.T[:, 15:66])
    np.save(tmp_path / "plain.npy", truth)
    pickled = np.array([{"labels": 1}], object)
    np.savez(tmp_path / "pickled.npz", labels=pickled, probabilities=pickled)
    for name in ("cut.npz", "lacking.npz", "shape.npz", "plain.npy", "pickled.npz", "missing.npz"):
        with pytest.raises(AudeoBenchError, match=name.replace(".", r"\.")):
            score_file(tmp_path / name)
