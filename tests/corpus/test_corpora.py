"""Opening corpora, and the simulated one's promises: deterministic, independent streams, instant listing."""

from __future__ import annotations

import hashlib
import pickle
import time
from dataclasses import replace

import numpy as np
import pytest

from audeo_bench.api import AudeoBenchError, windows
from audeo_bench.corpus import open_corpus
from audeo_bench.corpus.export import export, find_recording
from audeo_bench.corpus.simulated import SimulatedCorpus
from audeo_bench.corpus.simulated.acting import ActedFrames, seed_of, stream
from audeo_bench.film.reading import FilmFrames
from audeo_bench.formats.midi import read_midi
from audeo_bench.roll import notes_to_roll

COUNTS = {
    "wtc1": 21,
    "wtc1-looks": 210,
    "validation": 3,
    "wtc2": 3,
    "wtc2-24": 24,
    "wtc1-variants": 8,
    "wtc2-other": 44,
}

# Of corpus version 3, seed 0. A change here is a new corpus version: raise SimulatedCorpus.version with it.
ROLL_HASHES = {
    "wtc1-07": "8147132881cefdfa",
    "wtc1-05~t2": "15c75862417e38df",
    "wtc2-02": "6b7f4c8528bbaff4",
    "other-03": "73a20f2fcde9d5fd",
}
FRAME_LEVELS = {"wtc2-01": (138.1, 139.0, 139.6, 170.8, 167.0, 177.0, 172.7, 163.3, 170.9)}


def roll_hash(recording_id: str) -> str:
    recording = open_corpus("simulated").recording(recording_id)
    assert recording.pressed is not None
    rolls = np.packbits(np.stack([recording.sounding, recording.pressed]))
    return hashlib.sha256(rolls.tobytes()).hexdigest()[:16]


def frame_levels(recording_id: str) -> tuple[float, ...]:
    """Mean grey levels of 3 x 3 fields of a few frames, coarse enough to be equal on every processor."""
    frames = open_corpus("simulated").recording(recording_id).frames[500:504].astype(float)
    fields = frames[:, :99].reshape(4, 3, 33, 3, 300).mean(axis=(0, 2, 4))
    return tuple(float(level) for level in fields.ravel().round(1))


def test_splits_have_the_sizes_of_the_paper():
    corpus = open_corpus("simulated")
    assert {split: len(corpus.ids(split)) for split in corpus.splits()} == COUNTS
    assert set(corpus.ids("wtc1")).isdisjoint(corpus.ids("validation"))
    assert sorted(corpus.ids("wtc1") + corpus.ids("validation")) == [f"wtc1-{n:02d}" for n in range(1, 25)]
    assert corpus.provenance == "simulated"


def test_training_works_are_not_tested_outside_the_variants():
    corpus = open_corpus("simulated")
    trained = {corpus.piece(name).work.title for name in corpus.ids("wtc1") + corpus.ids("validation")}
    assert trained.isdisjoint(corpus.piece(name).work.title for name in corpus.ids("wtc2-other"))
    assert trained.issuperset(corpus.piece(name).work.title for name in corpus.ids("wtc1-variants"))


def test_opening_and_listing_compute_no_performance(monkeypatch):
    monkeypatch.setattr(SimulatedCorpus, "make", lambda self, name: pytest.fail(f"{name} was made"))
    corpus = SimulatedCorpus(seed=123)
    before = time.process_time()
    for split in corpus.splits():
        corpus.ids(split)
    assert time.process_time() - before < 3


def test_a_recording_is_what_the_contract_says():
    recording = open_corpus("simulated").recording("wtc2-01")
    assert recording.id == "wtc2-01"
    assert recording.split == "wtc2"
    assert recording.title.startswith("Simulated")
    assert recording.provenance == "simulated"
    assert 80 < recording.seconds < 140
    assert recording.pressed is not None
    assert recording.sounding.shape == recording.pressed.shape == (88, len(recording))
    assert recording.frames.shape == (len(recording), 100, 900)
    assert recording.notes is not None
    np.testing.assert_array_equal(notes_to_roll(recording.notes, len(recording)), recording.sounding)
    assert recording.audio is not None
    samples = recording.audio()
    assert samples.dtype == np.float32
    assert len(samples) == 640 * len(recording)


def test_what_is_seen_and_what_is_heard_agree_as_far_as_real_labels_do():
    from audeo_bench.score.frames import average, frame_counts

    scores = []
    for recording in open_corpus("simulated").recordings("validation"):
        assert recording.pressed is not None
        counts = frame_counts(recording.sounding, recording.pressed.astype(np.float32), [0.5])
        scores.append(100 * average(counts).f1[0])
    assert 80 <= np.mean(scores) <= 90


def test_another_corpus_object_makes_the_same_recording():
    first, second = SimulatedCorpus().recording("wtc1-09"), SimulatedCorpus().recording("wtc1-09")
    np.testing.assert_array_equal(first.sounding, second.sounding)
    np.testing.assert_array_equal(first.frames[100:103], second.frames[100:103])


def test_frames_do_not_depend_on_how_they_are_read_and_travel_to_other_processes():
    frames = open_corpus("simulated").recording("wtc2-03").frames
    assert isinstance(frames, ActedFrames)
    whole = frames[40:52]
    parts = np.concatenate([frames[40:45], frames[45:46], frames[46:52]])
    np.testing.assert_array_equal(whole, parts)
    parcel = pickle.dumps(frames)
    assert len(parcel) < 200_000
    np.testing.assert_array_equal(pickle.loads(parcel)[40:42], whole[:2])
    assert next(windows(frames, size=8, context=2))[1].shape == (12, 100, 900)


def test_takes_are_other_performances_of_the_same_work():
    corpus = open_corpus("simulated")
    first, other = corpus.recording("wtc1-05"), corpus.recordings("validation", take=1)[0]
    assert other.id == "wtc1-05~t1"
    assert other.work == first.work
    assert other.split == first.split == "validation"
    assert other.sounding.shape != first.sounding.shape
    assert abs(first.frames[:1].astype(int) - other.frames[:1]).mean() > 1


def test_half_a_minute_is_a_stretch_of_the_whole_recording():
    corpus = open_corpus("simulated")
    for number in (1, 2, 24):
        whole = corpus.recording(f"wtc2-{number:02d}")
        part = corpus.recording(f"wtc2-{number:02d}@30s")
        first = round((len(whole) - 750) * (number - 1) / 23)
        window = slice(first, first + 750)
        assert (part.split, part.work, len(part)) == ("wtc2-24", whole.work, 750)
        np.testing.assert_array_equal(part.sounding, whole.sounding[:, window])
        assert part.pressed is not None and whole.pressed is not None and part.notes is not None
        np.testing.assert_array_equal(part.pressed, whole.pressed[:, window])
        np.testing.assert_array_equal(notes_to_roll(part.notes, 750), part.sounding)
    assert whole.audio is not None and part.audio is not None
    np.testing.assert_array_equal(part.audio(), whole.audio()[640 * window.start : 640 * window.stop])
    np.testing.assert_array_equal(part.frames[747:760], whole.frames[window.stop - 3 : window.stop])
    assert part.frames[800:900].shape == (0, 100, 900)
    assert len(corpus.recording("wtc2-04@30s~t1")) == 750
    assert corpus.whole("wtc2-04@30s~t1") == "wtc2-04~t1"


def test_another_seed_is_another_corpus():
    first, other = open_corpus("simulated", seed=0), open_corpus("simulated", seed=1)
    assert first.split_hash("validation") != other.split_hash("validation")
    assert first.split_hash("validation") == SimulatedCorpus(seed=0).split_hash("validation")


def test_streams_of_chance_are_independent_of_each_other():
    draws = {
        (seed, name, purpose): stream(seed, name, purpose).random()
        for seed in (0, 1)
        for name in ("wtc1-01", "wtc1-01~t1", "wtc1-02")
        for purpose in ("performer", "hands", "appearance", "camera", "ear")
    }
    assert len(set(draws.values())) == len(draws)
    assert seed_of(0, "wtc1-01", "ear").entropy == [0, 2110060481, 3945009207, 2068448014, 813136248]


def test_the_corpus_is_version_3():
    assert open_corpus("simulated").version == "3"
    assert {name: roll_hash(name) for name in ROLL_HASHES} == ROLL_HASHES


def test_the_pictures_are_those_of_version_3():
    for name, levels in FRAME_LEVELS.items():
        np.testing.assert_allclose(frame_levels(name), levels, atol=0.6)


def test_clips_have_looks_of_their_own_and_use_the_whole_keyboard():
    corpus = open_corpus("simulated")
    first, other = corpus.recording("wtc1-07@00"), corpus.recording("wtc1-07@09")
    later = corpus.recording(corpus.take_id("wtc1-01@00", 1))
    assert later.id == "wtc1-01@00~t1" and later.split == first.split == "wtc1-looks"
    assert first.work == other.work == corpus.work("wtc1-07")
    assert len(first) == len(other) == 300 == len(first.frames)
    assert abs(first.frames[:1].astype(int) - other.frames[:1]).mean() > 1
    played = np.zeros(88, bool)
    for name in corpus.ids("wtc1-looks")[:40]:
        recording = corpus.recording(name)
        assert recording.pressed is not None and recording.notes is not None
        np.testing.assert_array_equal(notes_to_roll(recording.notes, 300), recording.sounding)
        played |= recording.pressed.any(1)
    assert played.all()


def test_a_recording_is_exported_as_video_midi_and_rolls(tmp_path):
    recording = open_corpus("simulated").recording("wtc2-01")
    opening = replace(recording, frames=recording.frames[:12], audio=lambda: np.zeros(12 * 640, np.float32))
    paths = export(opening, tmp_path / "new folder")
    assert [path.name for path in paths] == ["wtc2-01.npz", "wtc2-01.mid", "wtc2-01.mp4"]
    with np.load(paths[0], allow_pickle=False) as rolls:
        np.testing.assert_array_equal(rolls["sounding"], recording.sounding)
        np.testing.assert_array_equal(rolls["pressed"], recording.pressed)
    assert recording.notes is not None
    assert len(FilmFrames(paths[2])) == 12
    assert len(read_midi(paths[1]).notes) == len(recording.notes)
    assert sorted(path.name for path in (tmp_path / "new folder").iterdir()) == sorted(p.name for p in paths)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: open_corpus("simulate"), "no corpus 'simulate'; did you mean simulated"),
        (lambda: open_corpus("zzz"), "choose one of: simulated, audeo-reenacted, asap"),
        (lambda: open_corpus("simulated").recordings("wtc-2"), "no split 'wtc-2'; did you mean wtc2"),
        (lambda: open_corpus("simulated").recording("wtc2-1"), "no recording 'wtc2-1'; did you mean wtc2-"),
        (lambda: open_corpus("simulated").recording("wtc1-01~2"), "takes are written wtc1-01~t1"),
        (lambda: open_corpus("simulated").recording("wtc1-01~t0"), "takes are written wtc1-01~t1"),
        (lambda: find_recording("wtc2-01"), "write CORPUS/RECORDING"),
    ],
)
def test_unknown_names_get_a_hint(call, message):
    with pytest.raises(AudeoBenchError, match=message):
        call()
