"""The authors' release: any part of its data folder becomes a corpus, and their answers are scored."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from release_folder import FIRST, called, write_release
from sklearn import metrics
from typer.testing import CliRunner

from audeo_bench.api import AudeoBenchError
from audeo_bench.cli import app
from audeo_bench.corpus import open_corpus
from audeo_bench.corpus.audeo.recordings import import_recordings
from audeo_bench.formats.midi import read_midi, write_midi
from audeo_bench.paper.reported import reported
from audeo_bench.roll import roll_to_notes
from audeo_bench.runs.released_answers import stored_results
from audeo_bench.runs.task import Task
from audeo_bench.score import frame_sums


@pytest.fixture(autouse=True)
def data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "data home"
    monkeypatch.setenv("AUDEO_BENCH_DATA", str(home))
    return home


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return tmp_path / "release"


def as_released(truth: np.ndarray, on: np.ndarray) -> dict[str, float]:
    """Table 1's four cells as the release computes them, in per cent; frames first, keys 15..65."""
    truth, on = truth[:, 15:66].astype(int), on[:, 15:66].astype(int)
    given = {"average": "samples", "zero_division": 1}
    both, either = (truth & on).sum(1), (truth | on).sum(1)
    return {
        "precision": 100 * metrics.precision_score(truth, on, **given),
        "recall": 100 * metrics.recall_score(truth, on, **given),
        "accuracy": 100 * np.where(either, both / np.maximum(either, 1), 1).mean(),
        "f1": 100 * metrics.f1_score(truth, on, **given),
    }


def test_the_folder_becomes_a_corpus_of_provenance_recorded(release: Path) -> None:
    known = write_release(release)
    import_recordings(release)
    corpus = open_corpus("audeo")
    assert corpus.provenance == "recorded"
    assert corpus.listing() == {"wtc2": ("wtc2-01", "wtc2-02")}
    for number in FIRST:
        recording = corpus.recording(f"wtc2-{number:02d}")
        np.testing.assert_array_equal(recording.sounding, known.truth[number].T)
        assert recording.frames.shape == (len(known.truth[number]), 100, 900)


def test_the_authors_answers_are_scored_and_stand_beside_table_1(release: Path, tmp_path: Path) -> None:
    known = write_release(release)
    run = CliRunner()
    assert run.invoke(app, ["import-release", str(release)], catch_exceptions=False).exit_code == 0
    asked = ["midi", "--corpus", "audeo", "--split", "wtc2", "--runs", str(tmp_path / "runs"), "--no-figure"]
    answer = run.invoke(app, [*asked, "--json"], catch_exceptions=False)
    rows = {row["system"]: row for row in json.loads(answer.stdout)["rows"] if row["source"] == "recorded"}
    # A lone last file has no Midi, so those 28 frames count for the Roll alone.
    expected = {
        "authors-roll": as_released(
            np.concatenate(list(known.truth.values())),
            np.concatenate(list(known.probabilities.values())) >= 0.4,
        ),
        "authors-midi": as_released(
            np.concatenate([known.truth[1][:100], known.truth[2]]),
            np.concatenate([known.midi[1][:100], known.midi[2]]),
        ),
    }
    papers = {(row.system, row.threshold): row for row in reported().table1.rows}
    reported_rows = {
        "authors-roll": papers["video2roll", 0.4],
        "authors-midi": papers["video2roll+roll2midi", 0.5],
    }
    for system, cells in expected.items():
        for metric, value in cells.items():
            assert rows[system]["values"][metric] == pytest.approx(value, abs=1e-9), (system, metric)
            difference = value - getattr(reported_rows[system], metric)
            assert rows[system]["difference"][metric] == pytest.approx(difference, abs=1e-9)

    text = run.invoke(app, asked, catch_exceptions=False).stdout
    assert "recorded: corpus audeo" in text
    assert "authors-roll: 228 of 228 frames have a stored answer" in text
    assert "authors-midi: 200 of 228 frames have a stored answer" in text


def test_beyond_the_modelled_keys_a_logit_of_zero_is_silence_but_not_within(release: Path) -> None:
    write_release(release)
    piece = release / "estimate_Roll" / "testing" / called(1) / "253-303.npz"
    logits = np.load(piece)["logit"]
    logits[7, 15] = 0
    np.savez(piece, logit=logits, roll=logits >= np.log(0.4 / 0.6))
    import_recordings(release)
    roll = open_corpus("audeo").answer("wtc2-01", "authors-roll").roll
    assert roll[15, 7] == 0.5
    assert not roll[:15].any()
    assert not roll[66:].any()


def test_scores_of_a_run_that_answers_for_some_frames_read_back(release: Path, tmp_path: Path) -> None:
    write_release(release)
    import_recordings(release)
    results = stored_results(Task(open_corpus("audeo"), "wtc2", tmp_path / "runs"))
    counts = {result.record.system: frame_sums(result.scores, "51") for result in results}
    assert counts["authors-roll"]["wtc2-01"].frames[0].sum() == 128
    assert counts["authors-midi"]["wtc2-01"].frames[0].sum() == 100
    folder = results[-1].folder
    scored = CliRunner().invoke(app, ["score", str(folder), "--json"], catch_exceptions=False)
    assert scored.exit_code == 0


@pytest.mark.parametrize("kind", ["labels", "midi"])
def test_either_kind_of_truth_is_enough(release: Path, kind: str) -> None:
    known = write_release(release, kind, "estimate_Roll")
    import_recordings(release)
    corpus = open_corpus("audeo")
    np.testing.assert_array_equal(corpus.recording("wtc2-02").sounding, known.truth[2].T)
    assert corpus.answers("wtc2") == ("authors-roll",)


def test_truth_from_onsets_and_frames_and_its_notes(release: Path, tmp_path: Path) -> None:
    known = write_release(tmp_path / "whole", "midi")
    roll = np.zeros((88, FIRST[1] + 128), bool)
    roll[:, FIRST[1] :] = known.truth[1].T
    place = release / "OF_midi_files" / "testing"
    place.mkdir(parents=True)
    write_midi(roll_to_notes(roll), place / f"{called(1)}.mid")
    import_recordings(release)
    recording = open_corpus("audeo").recording("wtc2-01")
    used = np.flatnonzero(known.truth[1].any(1))
    np.testing.assert_array_equal(recording.sounding, known.truth[1].T[:, used[0] : used[-1] + 1])
    assert recording.notes is not None
    assert len(recording.notes) == len(read_midi(place / f"{called(1)}.mid").notes)
    # The roll's notes were written from the middle of their frames.
    assert recording.notes.intervals.min() == pytest.approx(0.02, abs=0.002)


def test_answers_without_truth_are_no_recording(release: Path) -> None:
    write_release(release, "estimate_Roll", "Roll2Midi_results")
    assert import_recordings(release) is None
    refused = CliRunner().invoke(app, ["import-release", str(release)])
    assert refused.exit_code == 2
    with pytest.raises(AudeoBenchError, match="import-release DIR"):
        open_corpus("audeo")


def test_a_model_is_told_which_pictures_are_missing(release: Path) -> None:
    write_release(release, "midi")
    pictures = release / "input_images" / "testing" / called(2)
    pictures.mkdir(parents=True)
    for number in range(997, 1010):
        Image.new("L", (900, 100), number - 900).save(pictures / f"frame{number}.jpg")
    import_recordings(release)
    corpus = open_corpus("audeo")
    frames = corpus.recording("wtc2-02").frames
    seen = np.asarray(frames[:13])
    assert seen.shape == (13, 100, 900)
    assert np.abs(seen[:, 50, 450].astype(int) - np.arange(97, 110)).max() <= 1
    with pytest.raises(AudeoBenchError, match=r"frame1010\.jpg: missing.*100 frames.*13 of them are there"):
        frames[5:20]
    with pytest.raises(AudeoBenchError, match=r"No\.1 B2/frame253\.jpg: missing"):
        corpus.recording("wtc2-01").frames[:5]


class Attack:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch '{self.mark}'",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_malicious_pickle_is_refused_and_named_and_its_code_never_runs(
    release: Path, tmp_path: Path, data_home: Path, protocol: int
) -> None:
    write_release(release, "midi")
    path, mark = release / "labels" / "testing" / f"{called(1)}.pkl", tmp_path / "attacked"
    path.parent.mkdir(parents=True)
    labels = {253: np.zeros(88), 254: Attack(mark)}
    path.write_bytes(pickle.dumps(labels, protocol))
    refused = CliRunner().invoke(app, ["import-release", str(release)])
    assert refused.exit_code == 2
    with pytest.raises(AudeoBenchError, match=r"No\.1 B2\.pkl: refused, it asks for (posix|nt)\.system"):
        import_recordings(release)
    assert not mark.exists()
    assert not list(data_home.rglob("imported.json"))
    pickle.loads(path.read_bytes())  # the attack is a real one
    assert mark.exists()


@pytest.mark.parametrize("damage", ["truncated", "object array", "other key", "other shape", "logit nan"])
def test_damaged_pieces_are_named(release: Path, damage: str) -> None:
    write_release(release)
    path = release / "estimate_Roll" / "testing" / called(2) / "1047-1097.npz"
    match damage:
        case "truncated":
            path.write_bytes(path.read_bytes()[:300])
        case "object array":
            np.savez(path, logit=np.array([[Attack(path)] * 88], object))
        case "other key":
            np.savez(path, probability=np.zeros((50, 88)))
        case "other shape":
            np.savez(path, logit=np.zeros((50, 87)))
        case _:
            np.savez(path, logit=np.full((50, 88), np.nan))
    with pytest.raises(AudeoBenchError, match=r"1047-1097\.npz"):
        import_recordings(release)


@pytest.mark.parametrize("number", [0, 25])
def test_a_book_has_24_works(release: Path, number: int) -> None:
    write_release(release, "midi")
    (release / "midi" / "testing" / called(number)).mkdir()
    with pytest.raises(AudeoBenchError, match=rf"No\.{number}, but a book has 24"):
        import_recordings(release)


@pytest.mark.parametrize(
    ("name", "words"),
    [("pipe.npz", "not named"), ("1047-1097.npz", "is a pipe"), ("1-99999999999999999999.npz", "not named")],
)
def test_pipes_and_frames_beyond_any_video_are_named(release: Path, name: str, words: str) -> None:
    write_release(release)
    path = release / "estimate_Roll" / "testing" / called(2) / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    with pytest.raises(AudeoBenchError, match=words):
        import_recordings(release)


def test_one_label_of_an_absurd_frame_is_named(release: Path) -> None:
    write_release(release)
    path = release / "labels" / "testing" / f"{called(1)}.pkl"
    path.write_bytes(pickle.dumps({10**30: np.zeros(88)}))
    with pytest.raises(AudeoBenchError, match=r"No\.1 B2\.pkl: refused, it has the key"):
        import_recordings(release)
