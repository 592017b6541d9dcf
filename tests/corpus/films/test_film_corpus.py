"""A folder of films with MIDI files beside them becomes a corpus that `midi` scores."""

import json
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from pretty_midi import ControlChange, PrettyMIDI
from typer.testing import CliRunner

from audeo_bench.api import AudeoBenchError, Notes
from audeo_bench.cli import app
from audeo_bench.corpus import open_corpus
from audeo_bench.corpus.films import crops, preparing
from audeo_bench.corpus.films.adding import add_recordings
from audeo_bench.corpus.sets import fetch as fetching
from audeo_bench.corpus.sets import films_of
from audeo_bench.film.writing import write_video
from audeo_bench.formats.midi import write_midi
from audeo_bench.identify.job import Programme
from audeo_bench.keyboard import BLACK_LENGTH, BLACK_WIDTH, IS_BLACK, KEY_X, WHITE_LENGTH, WHITE_WIDTH
from audeo_bench.keyboard.warp import plane_to_film, project
from audeo_bench.leaderboards.boards import board_of
from audeo_bench.leaderboards.leaks import check_training
from audeo_bench.leaderboards.submit import look_at
from audeo_bench.records import StageRecord
from audeo_bench.runs.predict import keep_answers
from audeo_bench.runs.scoring import Result, pedalled
from audeo_bench.runs.task import open_task
from audeo_bench.score import Rolls, mean_note_f1, score_rolls
from audeo_bench.training.context import Context
from audeo_bench.training.job import train
from audeo_bench.training.options import Options

CORNERS = np.array([[20.0, 40.0], [620.0, 50.0], [625.0, 130.0], [15.0, 120.0]])


def drawn(down: np.ndarray) -> np.ndarray:
    """A drawn keyboard between the corners; keys that are down are darker."""
    picture = np.full((180, 640), 60, np.uint8)
    matrix = plane_to_film(CORNERS)

    def fill(left, right, near, far, grey):
        outline = project(matrix, np.array([[left, near], [right, near], [right, far], [left, far]]))
        cv2.fillConvexPoly(picture, np.rint(outline).astype(np.int32), int(grey))

    for white, key in enumerate(np.flatnonzero(~IS_BLACK)):
        fill(
            white * WHITE_WIDTH + 1, (white + 1) * WHITE_WIDTH - 1, 0, WHITE_LENGTH, 160 if down[key] else 220
        )
    for key in np.flatnonzero(IS_BLACK):
        grey = 75 if down[key] else 25
        fill(
            KEY_X[key] - BLACK_WIDTH / 2,
            KEY_X[key] + BLACK_WIDTH / 2,
            WHITE_LENGTH - BLACK_LENGTH,
            WHITE_LENGTH,
            grey,
        )
    return picture


def melody(seed: int) -> Notes:
    rng = np.random.default_rng(seed)
    onsets = 0.2 + 0.2 * np.arange(24)
    pitches = rng.integers(40, 80, 24)
    return Notes(np.stack([onsets, onsets + 0.16], 1), pitches, np.full(24, 80))


def write_film(folder: Path, name: str, seed: int, start: float = 0.0) -> None:
    notes = melody(seed)
    write_midi(notes, folder / f"{name}.mid")
    frames = []
    for frame in range(int((5.4 + start) * 25)):
        time = frame / 25 - start
        sounding = (notes.intervals[:, 0] <= time) & (notes.intervals[:, 1] > time)
        down = np.zeros(88, bool)
        down[notes.pitches[sounding] - 21] = True
        frames.append(drawn(down))
    write_video(folder / f"{name}.mp4", np.stack(frames), crf=10)


def row(name: str, **more: object) -> str:
    facts = {
        "id": name,
        "film": f"{name}.mp4",
        "midi": f"{name}.mid",
        "corners": CORNERS.ravel().tolist(),
        **more,
    }
    return "[[film]]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in facts.items()) + "\n"


@pytest.fixture(scope="module")
def films(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    write_film(folder, "one", 1)
    write_film(folder, "late", 2, start=2.0)
    (folder / "mine.toml").write_text(
        'name = "mine"\ntruth = "true MIDI"\n'
        + row("one", start_s=0.0, work="Study")
        + row("late", split="train", blocked="0-0.4")
    )
    return folder


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("AUDEO_BENCH_DATA", str(tmp_path / "home"))
    return tmp_path / "home"


def test_films_become_a_corpus(films, home):
    added = add_recordings("mine", films / "mine.toml", workers=1)
    assert [ready.id for _, ready in added.ready] == ["one", "late"]
    assert added.faults == ()
    late = added.ready[1][1]
    assert late.aligned is not None and late.aligned.start_s == pytest.approx(2.0, abs=0.05)
    assert any("labels begin at 2.0" in remark for remark in late.remarks)
    assert late.start_s == 0.0  # measured, but not applied without the user's word
    corpus = open_corpus("mine")
    assert corpus.provenance == "recorded" and corpus.truth_by("test") == "true MIDI"
    assert corpus.listing() == {"test": ("one",), "train": ("late",)}
    recording = corpus.recording("one")
    assert recording.frames.shape[1:] == (100, 900)
    assert recording.pressed is recording.sounding  # the instrument's own MIDI
    assert corpus.truth == "pressed" and corpus.truth_of(recording) is recording.pressed
    np.testing.assert_array_equal(np.unique(recording.notes.pitches), np.unique(melody(1).pitches))
    # Where the truth says that a white key is down, its place in the picture is darker.
    key = int(np.flatnonzero(recording.sounding.any(1) & ~IS_BLACK)[0])
    column = int(KEY_X[key] / (52 * WHITE_WIDTH) * 900)
    levels = np.asarray(recording.frames)[:, 60:70, column - 3 : column + 4].mean((1, 2))
    down = recording.sounding[key, : len(levels)]
    assert levels[down].mean() < levels[~down].mean() - 20
    assert len(corpus.recording("late")) == len(corpus.recording("late").frames)
    applied = add_recordings("mine", None, apply_lag=True, workers=1)
    assert applied.ready[1][1].start_s == pytest.approx(2.0, abs=0.05)
    said = CliRunner().invoke(app, ["data", "info", "mine", "--json"])
    one, late = json.loads(said.stdout)["clocks"]
    assert (late["film"], late["applied"], late["rate"]) == ("late", "yes", 1.0)
    assert late["start_s"] == pytest.approx(2.0, abs=0.05) and late["confidence"] > 0.45
    assert one["start_s"] == pytest.approx(0.0, abs=0.05)


def test_an_applied_lag_stays_until_the_user_says_otherwise(films, home, tmp_path):
    text = (films / "mine.toml").read_text()
    place = tmp_path / "films"
    place.mkdir()
    for path in films.iterdir():
        (place / path.name).write_bytes(path.read_bytes())

    def start(say: bool | None = None) -> float:
        return add_recordings("mine", place / "mine.toml", apply_lag=say, workers=1).ready[1][1].start_s

    assert start(True) == pytest.approx(2.0, abs=0.05)
    (place / "mine.toml").write_text(text.replace('split = "train"', 'split = "train"\ncomposer = "Bach"'))
    assert start() == pytest.approx(2.0, abs=0.05)
    assert open_corpus("mine").recording("late").sounding[:, :45].sum() == 0
    assert start(False) == 0.0


def test_what_a_row_says_by_now_counts(films, home, tmp_path):
    place = tmp_path / "films"
    place.mkdir()
    for path in films.iterdir():
        (place / path.name).write_bytes(path.read_bytes())
    write_midi(melody(5), place / "other.mid")
    text = (place / "mine.toml").read_text()
    add_recordings("mine", place / "mine.toml", workers=1)
    (place / "mine.toml").write_text(text.replace('"one.mid"', '"other.mid"'))
    assert films_of("mine")[0].midi == place / "other.mid"
    (place / "mine.toml").write_text(text.replace('"one.mp4"', '"other.mp4"'))
    assert [here.film.id for here in films_of("mine")] == ["late"]
    (place / "mine.toml").write_text(text.replace('"one.mid"', f'"one.mid"\nmidi_sha256 = "{"0" * 64}"'))
    assert films_of("mine")[0].labels == ()
    added = add_recordings("mine", place / "mine.toml", workers=1)
    assert any("wrong labels" in fault for fault in added.faults)


def test_nothing_is_written_beside_the_films(films, home):
    before = sorted(films.rglob("*"))
    add_recordings("mine", films / "mine.toml", workers=1)
    assert sorted(films.rglob("*")) == before
    assert not [path for path in (home / "sets").iterdir() if path.is_dir()]


def test_frames_are_kept_once_and_checked(films, home, monkeypatch):
    job, ready = add_recordings("mine", films / "mine.toml", workers=1).ready[0]
    written = (job.folder / "frames.npy").stat().st_mtime_ns
    assert add_recordings("mine", films / "mine.toml", workers=1).ready[0][1] == ready
    assert (job.folder / "frames.npy").stat().st_mtime_ns == written
    assert (job.folder / "check.jpg").stat().st_size > 5_000
    content = bytearray((job.folder / "frames.npy").read_bytes())
    content[-1000] ^= 1
    (job.folder / "frames.npy").write_bytes(content)
    with pytest.raises(AudeoBenchError, match="changed since it was kept"):
        open_corpus("mine").recording("one")
    assert len(open_corpus("mine").recording("one")) == ready.frames  # made anew


def test_a_bad_film_is_one_line_and_the_others_go_on(films, home, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("one.mp4", "one.mid"):
        (folder / name).write_bytes((films / name).read_bytes())
    (folder / "bad.mp4").write_bytes(b"no film" * 100)
    (folder / "set.toml").write_text('name = "some"\n' + row("one", start_s=0.0) + row("bad", midi="one.mid"))
    answer = CliRunner().invoke(
        app, ["data", "add", "recordings", "some", str(folder / "set.toml"), "--workers", "1"]
    )
    assert answer.exit_code == 1, answer.output
    assert "bad" in answer.output and "Traceback" not in answer.output
    assert "opens the corpus some (splits test)" in answer.output
    assert len(open_corpus("some").recording("one")) > 100


def test_a_corpus_without_films_says_what_to_do(home):
    with pytest.raises(AudeoBenchError, match=r"run `audeo-bench data fetch pianoray`\.$"):
        open_corpus("pianoray")
    with pytest.raises(AudeoBenchError, match="no corpus 'akbarri'; did you mean akbari"):
        open_corpus("akbarri")


def test_what_a_set_lacks_is_said_with_what_opens_it(films, home, tmp_path):
    add_recordings("mine", films / "mine.toml", workers=1)
    with pytest.raises(AudeoBenchError, match=r"no split `validation`.*--choose-on simulated"):
        train("keywise", Options(("mine",), output=tmp_path / "trainings"))
    assert not (tmp_path / "trainings").exists()
    with pytest.raises(
        AudeoBenchError, match="a column `class` in the set's file opens one, with films of wtc1-"
    ):
        _ = Programme(open_corpus("mine")).splits


def test_a_crop_is_measured_against_the_corners_that_are_found(films, home, tmp_path, monkeypatch):
    box = np.array([[20.0, 40.0], [540.0, 40.0], [540.0, 130.0], [20.0, 130.0]])
    assert crops.beside(box, box) == (0.0, pytest.approx(0.0, abs=1e-9))
    # A white key is ten pixels wide.
    assert crops.beside(box + np.array([10, 0]), box) == (10.0, pytest.approx(1.0))
    written = row("one", start_s=0.0).replace(
        f"corners = {CORNERS.ravel().tolist()}", "crop = [30, 40, 550, 130]"
    )
    for name in ("one.mp4", "one.mid"):
        (tmp_path / name).write_bytes((films / name).read_bytes())
    (tmp_path / "cropped.toml").write_text('name = "cropped"\n' + written)
    add_recordings("cropped", tmp_path / "cropped.toml", workers=1)
    looked = []

    def find(path):
        looked.append(path)
        return SimpleNamespace(corners=box, lowest_key=21, highest_key=108, confidence=0.97), None

    monkeypatch.setattr(crops, "keyboard_in_film", find)
    (found,), (again,) = crops.crops_of("cropped"), crops.crops_of("cropped")
    assert found == again and len(looked) == 1  # what was measured is kept
    assert (found.id, found.pixels, found.keys) == ("one", 10.0, 1.0)
    answer = CliRunner().invoke(app, ["data", "info", "cropped"])
    assert "beside the corners that are found" in answer.stdout and "10.0" in answer.stdout


def test_corners_are_found_instead_of_a_crop_where_the_sets_file_says_so(films, home, tmp_path, monkeypatch):
    cropped = row("one", start_s=0.0).replace(
        f"corners = {CORNERS.ravel().tolist()}", "crop = [30, 40, 550, 130]"
    )
    for name in ("one.mp4", "one.mid", "late.mp4", "late.mid"):
        (tmp_path / name).symlink_to(films / name)
    (tmp_path / "crops.toml").write_text('name = "crops"\n' + cropped)
    (tmp_path / "corners.toml").write_text(
        'name = "corners"\nfind_corners = true\n' + cropped + row("late", start_s=2.0)
    )
    found = SimpleNamespace(corners=CORNERS, lowest_key=21, highest_key=108, confidence=0.97)
    monkeypatch.setattr(preparing, "keyboard_in_film", lambda path: (found, None))
    (_, as_released), *_ = add_recordings("crops", tmp_path / "crops.toml", workers=1).ready
    (_, by_corners), (_, given) = add_recordings("corners", tmp_path / "corners.toml", workers=1).ready
    assert (as_released.corners_by, by_corners.corners_by) == ("crop", "found, confidence 0.97")
    assert given.corners_by == "given"
    np.testing.assert_allclose(np.reshape(by_corners.corners, (4, 2)), CORNERS, atol=0.01)
    assert as_released.corners[:2] == (30, 40)


def test_a_set_of_which_films_are_missing_is_used_and_says_so(films, home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("one.mp4", "one.mid", "late.mp4", "late.mid"):
        (tmp_path / name).symlink_to(films / name)
    rows = row("one", start_s=0.0) + row("gone") + row("late", split="train") + row("lost", split="train")
    (tmp_path / "partial.toml").write_text('name = "partial"\n' + rows + row("other", split="train"))
    assert len(add_recordings("partial", tmp_path / "partial.toml", workers=1).ready) == 2
    corpus = open_corpus("partial")
    assert (corpus.films_here("test"), corpus.films_here("train")) == ("1 of 2 films", "1 of 3 films")

    said = CliRunner().invoke(
        app, ["midi", "--corpus", "partial", "--split", "test", "--system", "silence", "--no-figure"]
    )
    assert "test, 135 frames, 1 of 2 films, truth: not stated" in said.stdout, said.output
    board = board_of("partial-test", [look_at(tmp_path / "runs/partial-test/silence", "silence")], {})
    assert board.facts().startswith("1 recordings (1 of 2 films), 135 frames")
    assert "truth: what is sounding (not stated)" in board.facts()

    context = Context(None, ("partial",), ("partial",), 0, 0, None, tmp_path)
    assert context.trained_on == ("partial/train (1 of 3 films)",)
    # Which is no unknown data, and no leak.
    assert check_training(context.trained_on, corpus, "test", "mine") == ()
    with pytest.raises(AudeoBenchError, match="which holds the test recording one"):
        check_training(("partial/test (1 of 2 films)",), corpus, "test", "mine")


def test_table_2_of_a_set_of_which_films_are_missing_says_so(films, home, tmp_path):
    for name in ("one.mp4", "one.mid"):
        (tmp_path / name).symlink_to(films / name)
    rows = row("one", start_s=0.0, split="wtc2") + row("gone", split="wtc2")
    (tmp_path / "partial.toml").write_text('name = "partial"\n' + rows)
    add_recordings("partial", tmp_path / "partial.toml", workers=1)
    programme = Programme(open_corpus("partial"))
    assert programme.facts == f"recorded: corpus partial {programme.corpus.version}, 1 of 2 films"


def test_true_notes_may_last_as_long_as_the_pedal_holds_them(films, home, tmp_path):
    (tmp_path / "one.mp4").symlink_to(films / "one.mp4")
    played = PrettyMIDI(str(films / "one.mid"))
    played.instruments[0].control_changes = [ControlChange(64, 127, 0.0), ControlChange(64, 0, 3.0)]
    played.write(str(tmp_path / "one.mid"))
    (tmp_path / "pedal.toml").write_text('name = "pedal"\ntruth = "true MIDI"\n' + row("one", start_s=0.0))
    add_recordings("pedal", tmp_path / "pedal.toml", workers=1)
    corpus = open_corpus("pedal")
    recording, held = corpus.recording("one"), corpus.held_notes("one")
    np.testing.assert_array_equal(held.intervals[:, 0], recording.notes.intervals[:, 0])
    for (onset, offset), pitch, released in zip(
        held.intervals, held.pitches, recording.notes.intervals[:, 1], strict=True
    ):
        again = held.intervals[(held.pitches == pitch) & (held.intervals[:, 0] > onset), 0]
        assert offset == pytest.approx(max(released, min([3.0, *again])), abs=0.002)

    keys = {"one": Rolls(recording.pressed, recording.pressed.astype(np.float32), notes=recording.notes)}
    scores = score_rolls(keys, open_task("pedal", "test", tmp_path).subject)
    stage = StageRecord(
        name="keys", sha256=None, weights_sha256=None, parameters=None, configuration={}, trained_on=()
    )
    answers = [("one", recording.pressed.astype(np.float32), None)]
    run = keep_answers(stage, open_task("pedal", "test", tmp_path), answers)
    by_keys = Result(run.folder, run.record, scores)
    by_pedal = pedalled(by_keys, corpus)
    # Strikes are the same; ends are not where keys were let go.
    assert mean_note_f1(by_pedal.scores, "onset@50") == mean_note_f1(scores, "onset@50") > 80
    assert mean_note_f1(by_pedal.scores, "full@50") < mean_note_f1(scores, "full@50") - 30
    said = CliRunner().invoke(app, ["score", str(run.folder), "--pedal", "hold"])
    assert "as the sustain pedal holds them" in said.stdout, said.output


def test_where_labels_do_not_know_the_pedal_nothing_is_made_up(films, home, tmp_path):
    for name in ("one.mp4", "one.mid"):
        (tmp_path / name).symlink_to(films / name)
    (tmp_path / "heard.toml").write_text('name = "heard"\ntruth = "transcribed"\n' + row("one", start_s=0.0))
    add_recordings("heard", tmp_path / "heard.toml", workers=1)
    assert open_corpus("heard").held_notes("one") is None


def test_a_system_that_is_none_is_refused_before_a_film_is_made_ready(films, home, monkeypatch):
    fetching.fetch(fetching.plan(str(films / "mine.toml")), lambda line: None)
    monkeypatch.setattr(
        "audeo_bench.corpus.films.recordings.prepare", lambda job: pytest.fail("a film is read")
    )
    for system in ("nobody", "keywise+video2roll"):
        answer = CliRunner().invoke(app, ["midi", "--corpus", "mine", "--split", "test", "--system", system])
        assert answer.exit_code == 2 and "a film is read" not in answer.stderr, answer.stderr


@pytest.mark.parametrize(
    ("name", "more", "code", "said"),
    [
        ("Mine_Films", {}, 2, "name: must be small letters, digits and -, at most 40"),
        ("early", {"start_s": -50.0}, 1, "no note of"),
        (
            "aside",
            {"corners": (CORNERS + np.array([[0, 0], [2000, 0], [2000, 0], [0, 0]])).ravel().tolist()},
            0,
            "% of the",
        ),
    ],
)
def test_what_a_row_cannot_mean_is_said(films, home, tmp_path, name, more, code, said):
    for file in ("one.mp4", "one.mid"):
        (tmp_path / file).symlink_to(films / file)
    (tmp_path / "set.toml").write_text('name = "x"\n' + row("one", **more))
    answer = CliRunner().invoke(app, ["data", "add", "recordings", name, str(tmp_path / "set.toml")])
    assert answer.exit_code == code and said in answer.stderr, answer.output


def test_only_splits_that_are_ready_are_offered_and_what_cannot_train_is_said(films, home, tmp_path):
    for file in ("one.mp4", "one.mid"):
        (tmp_path / file).symlink_to(films / file)
    (tmp_path / "set.toml").write_text('name = "x"\n' + row("one", split="looked-at"))
    answer = CliRunner().invoke(app, ["data", "add", "recordings", "x", str(tmp_path / "set.toml")])
    assert "--split looked-at" in answer.stdout
    with pytest.raises(AudeoBenchError, match="has only looked-at, and nothing to train on"):
        train("keywise", Options(("x",), ("simulated",), output=tmp_path))
