"""``audeo-bench synth``: every kind of source becomes a WAV file."""

from __future__ import annotations

from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from audeo_bench.api import AudeoBenchError
from audeo_bench.cli import app
from audeo_bench.formats.midi import write_midi
from audeo_bench.perform.sound_files import Voice, render_files
from audeo_bench.perform.sources import read_roll_file, read_scores
from audeo_bench.records import Answer, Origin, RunRecord, StageRecord, Subject, write
from audeo_bench.roll import KEYS, Notes
from audeo_bench.runs.folder import roll_path
from audeo_bench.synth.fluidsynth import render, render_roll


@pytest.fixture
def roll() -> np.ndarray:
    roll = np.zeros((KEYS, 50), bool)
    roll[39, 5:30] = roll[43, 20:45] = True
    return roll


def write_npz(path: Path, **arrays: np.ndarray) -> Path:
    np.savez_compressed(path, allow_pickle=False, **arrays)
    return path


def heard(path: Path) -> np.ndarray:
    samples, rate = soundfile.read(path, dtype="float32")
    assert rate == 16_000
    assert samples.ndim == 1
    return samples


def test_a_roll_sounds_as_the_paper_renders_it(roll: np.ndarray, tmp_path: Path) -> None:
    source = write_npz(tmp_path / "piece.npz", roll=np.where(roll, 0.4, 0.39))
    [(path, seconds, _)] = render_files(source)
    assert path == tmp_path / "piece.wav"
    assert seconds == 2.0
    np.testing.assert_allclose(heard(path), render_roll(roll), atol=1e-4)


def test_a_midi_file_keeps_its_velocities(tmp_path: Path) -> None:
    notes = Notes(np.array([[0.0, 0.5], [1.0, 1.5]]), np.array([60, 60]), np.array([120, 30]))
    write_midi(notes, tmp_path / "two.mid")
    [(path, seconds, _)] = render_files(tmp_path / "two.mid", tmp_path / "own" / "two.wav")
    samples = heard(path)
    assert seconds == 2.52  # one second after the last note, in whole frames of 0.04 s
    np.testing.assert_allclose(samples, render(notes, seconds=seconds), atol=1e-4)
    [(path, _, _)] = render_files(tmp_path / "two.mid", tmp_path / "even.wav", velocity=100)
    loud, second = (np.abs(heard(path)[start : start + 8000]).max() for start in (0, 16_000))
    assert second == pytest.approx(loud, rel=0.1)


def test_a_midi_files_pedal_is_heard_and_what_is_left_out_is_said(tmp_path: Path) -> None:
    file = mido.MidiFile(ticks_per_beat=500)
    file.add_track().extend(
        [
            mido.Message("control_change", control=64, value=127, channel=3),
            mido.Message("note_on", note=60, channel=3),
            mido.Message("note_on", note=36, channel=9),
            mido.Message("note_off", note=60, channel=3, time=200),
            mido.Message("control_change", control=64, value=0, channel=0),
            mido.Message("control_change", control=121, value=0, channel=3, time=1800),
        ]
    )
    file.save(tmp_path / "held.mid")
    answer = CliRunner().invoke(app, ["synth", str(tmp_path / "held.mid")])
    assert answer.exit_code == 0, answer.output
    assert answer.stderr == f"{tmp_path / 'held.mid'}: 1 note on channel 10 (drums) left out\n"
    held = Notes(np.array([[0.0, 2.0]]), np.array([60]), np.array([64]))
    np.testing.assert_allclose(heard(tmp_path / "held.wav"), render(held, seconds=3.0), atol=1e-4)


@pytest.mark.parametrize("ends_after", [None, 0])
def test_a_midi_file_without_a_note_is_not_a_silent_success(tmp_path: Path, ends_after: int | None) -> None:
    file, track = mido.MidiFile(), mido.MidiTrack()
    if ends_after is not None:
        track.append(mido.Message("note_on", note=60))
        track.append(mido.Message("note_off", note=60, time=ends_after))
    file.tracks.append(track)
    file.save(tmp_path / "none.mid")
    answer = CliRunner().invoke(app, ["synth", str(tmp_path / "none.mid")])
    assert answer.exit_code == 2
    assert answer.stderr.endswith("none.mid: has no note that lasts, so there is nothing to play.\n")
    assert not list(tmp_path.glob("*.wav"))


def test_a_run_becomes_a_folder_of_files(roll: np.ndarray, tmp_path: Path) -> None:
    answer = Answer(frames=50, seconds=1.0, roll_sha256="0" * 64)
    record = RunRecord(
        status="success",
        system="mine",
        stages=(
            StageRecord(
                name="mine",
                sha256=None,
                weights_sha256=None,
                parameters=None,
                configuration={},
                trained_on=(),
            ),
        ),
        subject=Subject(),
        origin=Origin.here(),
        started="2026-11-21T12:00:00+00:00",
        answers={"wtc2-01": answer, "wtc2-02": answer},
    )
    write(tmp_path / "run.json", record)
    for name in record.answers:
        roll_path(tmp_path, name).parent.mkdir(exist_ok=True)
        write_npz(roll_path(tmp_path, name), roll=roll.astype(np.float32))
    paths = [path for path, _, _ in render_files(tmp_path)]
    assert paths == [tmp_path / "audio" / "wtc2-01.wav", tmp_path / "audio" / "wtc2-02.wav"]
    assert len(heard(paths[1])) == 32_000


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("keys", [slice(0, 88), slice(15, 66)])
def test_rolls_are_read_however_they_lie(roll: np.ndarray, tmp_path: Path, turned: bool, keys: slice) -> None:
    stored = roll[keys].T if turned else roll[keys]
    path = write_npz(tmp_path / "piece.npz", midi=stored, other=np.zeros(3))
    np.testing.assert_array_equal(read_roll_file(path), roll)


def test_another_instrument_is_asked_for_by_name(roll: np.ndarray, tmp_path: Path) -> None:
    source = write_npz(tmp_path / "piece.npz", sounding=roll)
    answer = CliRunner().invoke(
        app, ["synth", str(source), "--instrument", "koto", "-o", str(tmp_path / "k.wav")]
    )
    assert answer.exit_code == 0, answer.output
    assert "k.wav (2.0 s)" in answer.output
    np.testing.assert_allclose(heard(tmp_path / "k.wav"), render_roll(roll, program=107), atol=1e-4)
    answer = CliRunner().invoke(app, ["synth", str(source), "--instrument", "kotto"])
    assert answer.exit_code == 2
    assert "did you mean koto" in answer.output


OWN = """
import numpy as np
from audeo_bench.api import Synthesizer

class Hum(Synthesizer):
    name = "hum"

    def audio(self, roll):
        return np.repeat(roll.any(0), 640) * np.float32(0.25) * np.sin(0.1 * np.arange(640 * roll.shape[1]))
"""


def test_a_strangers_synthesiser_plays_too(roll: np.ndarray, tmp_path: Path) -> None:
    (tmp_path / "hum.py").write_text(OWN)
    source = write_npz(tmp_path / "piece.npz", roll=roll)
    [(path, _, _)] = render_files(source, voice=Voice(str(tmp_path / "hum.py")))
    samples = heard(path)
    assert 0.2 < np.abs(samples).max() <= 1
    assert not samples[: 5 * 640].any()


def test_what_cannot_be_played_is_named(roll: np.ndarray, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("c d e")
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 and no more")
    np.save(tmp_path / "object.npy", np.array([{"a": 1}], object), allow_pickle=True)
    np.save(tmp_path / "flat.npy", np.zeros(88))
    write_npz(tmp_path / "other.npz", logits=roll, loud=roll)
    for name, found in {
        "notes.txt": "neither a roll",
        "gone.npz": "no such file",
        "broken.npz": "not a whole array file",
        "object.npy": "not a whole array file",
        "flat.npy": r"float64 of shape \(88,\)",
        "other.npz": "holds logits",
        "gone": "no such file",
    }.items():
        with pytest.raises(AudeoBenchError, match=f"{name}: .*{found}"):
            list(read_scores(tmp_path / name))
    source = write_npz(tmp_path / "piece.npz", roll=roll)
    with pytest.raises(AudeoBenchError, match="is a video to roll contestant"):
        list(render_files(source, voice=Voice("keywise")))
    with pytest.raises(AudeoBenchError, match=r"ends in \.wav"):
        list(render_files(source, tmp_path / "out.mp3"))
