"""Joining with answers only: what is wrong with a folder is said recording by recording."""

import tracemalloc
from pathlib import Path

import mido
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_corpus import FRAMES, TinyCorpus

from audeo_bench.api import AudeoBenchError
from audeo_bench.formats.midi import write_midi
from audeo_bench.leaderboards.submit import make_row
from audeo_bench.roll import roll_to_notes
from audeo_bench.runs.folder import read_record, read_roll
from audeo_bench.runs.joined_answers import RefusedAnswers, fit, join_answers, measure_lag
from audeo_bench.runs.task import Task
from audeo_bench.score import value


@pytest.fixture
def answers(tiny, tmp_path):
    """A folder with the truth itself as answers."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in FRAMES:
        np.savez(folder / f"{name}.npz", roll=tiny.recording(name).sounding.astype(np.float32))
    return folder


def replace(folder, name, change):
    roll = TinyCorpus().recording(name).sounding.astype(np.float32)
    np.savez(folder / f"{name}.npz", roll=change(roll))


def join(folder, tmp_path, **options):
    return join_answers(folder, Task(TinyCorpus(), "wtc2", tmp_path / "runs"), **options)


def test_a_folder_of_rolls_becomes_a_run(answers, tmp_path):
    joined = join(answers, tmp_path, trained_on=("maestro/v3",))
    assert (joined.remarks, joined.lag) == ((), 0)
    row = make_row(joined.run)
    assert (row.contestant, row.answered_by) == ("mine", "files")
    assert row.stages[0].sha256 is None
    assert row.marks == ("unknown training data: maestro/v3",)
    assert value(row.scores) == 1.0


def test_a_folder_of_midi_files_becomes_a_run(tiny, tmp_path):
    folder = tmp_path / "midi"
    folder.mkdir()
    for name in FRAMES:
        write_midi(roll_to_notes(tiny.recording(name).sounding), folder / f"{name}.mid")
    assert value(make_row(join(folder, tmp_path, name="by ear").run).scores) == 1.0


def test_what_else_a_file_holds_is_said_to_be_ignored(answers, tmp_path):
    roll = TinyCorpus().recording("wtc2-02").sounding.astype(np.float32)
    np.savez(answers / "wtc2-02.npz", roll=roll, answered=np.zeros(roll.shape[1], bool))
    (remark,) = join(answers, tmp_path).remarks
    words = "its array 'answered' is ignored: every frame is scored"
    assert (remark.recording, remark.words, remark.fatal) == ("wtc2-02", words, False)


def test_names_of_any_script_are_runs_of_their_own(answers, tmp_path):
    runs = [join(answers, tmp_path, name=name).run for name in ("模型a", "网络a")]
    assert len(set(runs)) == 2 and all(run.name.isascii() for run in runs)


def test_each_recording_is_reported(answers, tmp_path):
    (answers / "wtc2-01.npz").unlink()
    np.savez(answers / "wtc1-01.npz", roll=np.zeros((88, 10), np.float32))
    replace(answers, "wtc2-02", lambda roll: roll[:, :40])
    (answers / "wtc2-03.npz").write_bytes(b"PK\x03\x04 half a file")
    with pytest.raises(RefusedAnswers, match=r"wtc2-01: no wtc2-01\.npz") as refused:
        join(answers, tmp_path)
    assert ".." not in str(refused.value).removeprefix(str(answers))
    assert f"{answers / 'wtc2-03.npz'}: not a whole array file" in str(refused.value)
    found = {(remark.recording, remark.kind, remark.fatal) for remark in refused.value.remarks}
    assert found == {
        ("wtc1-01", "extra", False),
        ("wtc2-01", "missing", True),
        ("wtc2-02", "short", True),
        ("wtc2-03", "unreadable", True),
    }
    assert not (tmp_path / "runs").exists()


def test_within_a_second_the_end_is_filled_or_cut(answers, tmp_path):
    replace(answers, "wtc2-01", lambda roll: roll[:, :-5])
    replace(answers, "wtc2-02", lambda roll: np.pad(roll, ((0, 0), (0, 7))))
    joined = join(answers, tmp_path)
    assert [(remark.recording, remark.kind) for remark in joined.remarks] == [
        ("wtc2-01", "short"),
        ("wtc2-02", "long"),
    ]
    assert make_row(joined.run).answers["wtc2-01"].frames == FRAMES["wtc2-01"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda roll: roll.T, "transposed"),
        (lambda roll: roll * 3, "sigmoid"),
        (lambda roll: roll * np.nan, "not finite"),
        (lambda roll: roll.astype(int), "dtype"),
    ],
)
def test_what_is_no_roll_is_said(answers, tmp_path, change, words):
    replace(answers, "wtc2-02", change)
    with pytest.raises(RefusedAnswers, match=f"wtc2-02.*{words}"):
        join(answers, tmp_path)


def test_a_constant_lag_is_reported_and_applied_only_when_asked(answers, tmp_path):
    for name in FRAMES:
        replace(answers, name, lambda roll: np.roll(roll, 3, axis=1))
    joined = join(answers, tmp_path)
    assert {remark.kind for remark in joined.remarks} == {"shifted"}
    assert "3 frames (0.12 s) too late" in joined.remarks[0].words
    as_it_is = value(make_row(joined.run).scores)
    joined = join(answers, tmp_path, apply_lag=True)
    assert joined.lag == 3
    row = make_row(joined.run)
    assert value(row.scores) > as_it_is
    assert row.stages[0].configuration == {"answers moved earlier by frames": 3}


def test_lags_that_differ_are_not_applied(answers, tmp_path):
    for shift, name in enumerate(FRAMES):
        replace(answers, name, lambda roll, shift=shift: np.roll(roll, 4 * shift, axis=1))
    with pytest.raises(AudeoBenchError, match="lags differ"):
        join(answers, tmp_path, apply_lag=True)


@given(st.integers(-100, 100), st.integers(0, 1000))
def test_a_lag_is_found_and_undone(lag, seed):
    truth = np.random.default_rng(seed).random((88, 400)) < 0.02
    truth[:, :110] = truth[:, -110:] = False
    late = np.roll(truth, lag, axis=1).astype(np.float32)
    assert measure_lag(late, truth) == lag
    np.testing.assert_array_equal(fit(late, 400, lag), truth)


def test_silence_has_no_lag():
    assert measure_lag(np.zeros((88, 50), np.float32), np.ones((88, 50), bool)) == 0


def midi_answers(folder: Path, tiny, played) -> Path:
    """One silent MIDI file a recording; ``played`` adds a track to the first."""
    folder.mkdir()
    for name in FRAMES:
        write_midi(roll_to_notes(np.zeros((88, 1), bool)), folder / f"{name}.mid")
    file = mido.MidiFile(ticks_per_beat=500)
    file.tracks.append(mido.MidiTrack(played))
    file.save(folder / "wtc2-01.mid")
    return folder


@pytest.mark.parametrize(("pedal", "frames"), [("ignore", 5), ("hold", 20)])
def test_the_pedals_rule_is_chosen_and_recorded(tiny, tmp_path, pedal, frames):
    played = [
        mido.Message("control_change", control=64, value=127),
        mido.Message("note_on", note=60),
        mido.Message("note_off", note=60, time=200),
        mido.Message("control_change", control=64, value=0, time=600),
    ]
    joined = join(midi_answers(tmp_path / "pedalled", tiny, played), tmp_path, pedal=pedal)
    assert joined.remarks == ()
    assert read_roll(joined.run, "wtc2-01").sum() == frames
    assert read_record(joined.run).stages[0].configuration == {"pedal": pedal}


def test_what_the_midi_reader_remarks_is_passed_on(tiny, tmp_path):
    joined = join(midi_answers(tmp_path / "open", tiny, [mido.Message("note_on", note=20)]), tmp_path)
    assert [(remark.recording, remark.kind) for remark in joined.remarks] == [("wtc2-01", "midi")]
    assert "1 note beyond the piano's 88 keys" in joined.remarks[0].words


def test_a_midi_file_of_hours_is_refused_without_a_roll_of_hours(tiny, tmp_path):
    played = [mido.Message("note_on", note=60), mido.Message("note_off", note=60, time=40_000_000)]
    folder = midi_answers(tmp_path / "hours", tiny, played)
    tracemalloc.start()
    with pytest.raises(RefusedAnswers, match="wtc2-01: 1000000 frames") as refused:
        join(folder, tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()
    assert {remark.kind for remark in refused.value.remarks} == {"long"}
