"""``audeo-bench perform``: a video comes back with the sound of what is played in it."""

from __future__ import annotations

import json
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import audeo_bench
from audeo_bench.api import AudeoBenchError, RollToMidi, VideoToRoll
from audeo_bench.cli import app
from audeo_bench.film.writing import write_video
from audeo_bench.formats.midi import read_midi, write_midi
from audeo_bench.keyboard.warp import homography
from audeo_bench.perform.film import Reader, Where, notes_of, perform, rolls
from audeo_bench.perform.outputs import Outputs
from audeo_bench.perform.sound_files import Voice
from audeo_bench.roll import Notes, roll_to_notes
from audeo_bench.synth.fluidsynth import render_roll

FRAMES = 60

READER = """
import numpy as np

from audeo_bench.api import VideoToRoll, windows


class Reader(VideoToRoll):
    name = "reader"

    def roll(self, frames):
        pieces = [
            window[:, 30:70, :880].reshape(-1, 40, 88, 10)[..., 2:8].mean((1, 3)).T
            for _, window in windows(frames)
        ]
        return (np.concatenate(pieces, axis=1) / 255).astype(np.float32)
"""


def played() -> np.ndarray:
    """A scale: key 30 + n is down for eight frames from frame 5 n on."""
    roll = np.zeros((88, FRAMES), bool)
    for number in range(10):
        roll[30 + number, 5 * number : 5 * number + 8] = True
    return roll


def film_of(roll: np.ndarray) -> np.ndarray:
    """Columns 10 k to 10 k + 9 are bright where key k is down."""
    frames = np.zeros((roll.shape[1], 100, 900), np.uint8)
    frames[:, :, :880] = 230 * np.repeat(roll.T, 10, axis=1)[:, None]
    return frames


@pytest.fixture
def reader(tmp_path: Path) -> Path:
    path = tmp_path / "reader.py"
    path.write_text(READER)
    return path


@pytest.fixture
def silent(tmp_path: Path) -> Path:
    path = tmp_path / "silent.mp4"
    write_video(path, film_of(played()))
    return path


def packets(path: Path) -> list[tuple[int | None, bytes]]:
    with av.open(str(path)) as container:
        return [(packet.pts, bytes(packet)) for packet in container.demux(video=0) if packet.size]


def test_a_video_gets_the_sound_of_what_is_played(silent: Path, reader: Path, tmp_path: Path) -> None:
    output, midi, wav = tmp_path / "heard.mp4", tmp_path / "heard.mid", tmp_path / "heard.wav"
    made = perform(silent, Outputs(output, midi, wav), Reader(str(reader)))
    assert made.copied
    assert len(made.notes) == 10
    assert [data for _, data in packets(output)] == [data for _, data in packets(silent)]
    truth = roll_to_notes(played())
    np.testing.assert_allclose(read_midi(midi).notes.intervals, truth.intervals)
    np.testing.assert_array_equal(read_midi(midi).notes.pitches, truth.pitches)
    expected = render_roll(played())
    np.testing.assert_allclose(soundfile.read(wav)[0], expected, atol=1e-4)
    with av.open(str(output)) as container:
        heard = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
        assert container.streams.audio[0].codec_context.name == "aac"
    assert abs(len(heard) - len(expected)) <= 2048
    length = min(len(heard), len(expected))
    assert np.corrcoef(heard[:length], expected[:length])[0, 1] > 0.95  # at the same moments


def test_the_film_keeps_its_picture_in_another_container(silent: Path, reader: Path, tmp_path: Path) -> None:
    made = perform(
        silent,
        Outputs(tmp_path / "heard.mkv"),
        Reader(f"{reader}+fluidsynth"),
        voice=Voice(instrument="koto"),
    )
    assert made.copied
    assert len(packets(tmp_path / "heard.mkv")) == FRAMES


def test_a_picture_that_the_format_cannot_hold_is_encoded(reader: Path, tmp_path: Path) -> None:
    source = tmp_path / "old.avi"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("huffyuv", rate=25)
        stream.width, stream.height, stream.pix_fmt = 900, 100, "yuv422p"
        for picture in film_of(played()):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="gray")))
        container.mux(stream.encode(None))
    made = perform(source, Outputs(tmp_path / "new.mp4"), Reader(str(reader)))
    assert not made.copied
    assert len(made.notes) == 10
    with av.open(str(tmp_path / "new.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert len(list(container.decode(video=0))) == FRAMES


def test_the_crop_is_cut_out(reader: Path, tmp_path: Path) -> None:
    large = np.full((FRAMES, 240, 1000), 230, np.uint8)
    large[:, 120:220, 60:960] = film_of(played())
    write_video(tmp_path / "large.mp4", large)
    command = [
        "perform",
        str(tmp_path / "large.mp4"),
        "-o",
        str(tmp_path / "out.mp4"),
        "--crop",
        "60,120,960,220",
    ]
    answer = CliRunner().invoke(app, [*command, "--system", str(reader)])
    assert answer.exit_code == 0, answer.output
    assert "notes: 10 in 2.4 s by reader" in answer.output
    assert "crop 60,120,960,220" in answer.output


def test_what_cannot_be_done_is_said(silent: Path, reader: Path, tmp_path: Path) -> None:
    with pytest.raises(AudeoBenchError, match="is the input itself"):
        perform(silent, Outputs(silent), Reader(str(reader)))
    with pytest.raises(AudeoBenchError, match=r"ends in \.mp4"):
        perform(silent, Outputs(tmp_path / "out.webm"), Reader(str(reader)))
    with pytest.raises(AudeoBenchError, match="outside of the picture"):
        perform(silent, Outputs(tmp_path / "out.mp4"), Reader(str(reader)), Where(crop=(0, 0, 2000, 100)))
    with pytest.raises(AudeoBenchError, match=r"gone\.mp4: missing, no such file"):
        perform(tmp_path / "gone.mp4", Outputs(tmp_path / "out.mp4"), Reader(str(reader)))
    write_video(tmp_path / "wall.mp4", np.full((5, 200, 400), 90, np.uint8))
    with pytest.raises(AudeoBenchError, match=r"wall\.mp4: no keyboard found.*give its corners"):
        perform(tmp_path / "wall.mp4", Outputs(tmp_path / "out.mp4"), Reader(str(reader)))
    answer = CliRunner().invoke(app, ["perform", str(silent), "-o", "out.mp4", "--crop", "1,2,3"])
    assert answer.exit_code == 2
    assert "four whole numbers" in answer.output
    assert not (tmp_path / "out.mp4").exists()


def test_the_answer_is_checked_as_in_midi(silent: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text(READER.replace(") / 255)", ") * 0 + 7)"))
    with pytest.raises(AudeoBenchError, match=r"values run from 7 to 7"):
        perform(silent, Outputs(midi=tmp_path / "out.mid"), Reader(str(wrong)))
    assert not (tmp_path / "out.mid").exists()


def test_a_tilted_keyboard_is_read_by_its_corners(reader: Path, tmp_path: Path) -> None:
    corners = np.array([[560.0, 250.0], [60.0, 300.0], [50.0, 210.0], [550.0, 160.0]])  # upside down
    matrix = homography(corners)
    tilted = [
        cv2.warpPerspective(frame, matrix, (640, 360), flags=cv2.INTER_LINEAR) for frame in film_of(played())
    ]
    write_video(tmp_path / "tilted.mp4", np.stack(tilted), crf=5)
    made = perform(
        tmp_path / "tilted.mp4",
        Outputs(midi=tmp_path / "out.mid"),
        Reader(str(reader)),
        Where(corners=corners),
    )
    np.testing.assert_array_equal(np.unique(made.notes.pitches), np.arange(51, 61))


def test_the_name_for_notebooks_takes_files_as_text(silent: Path, reader: Path, tmp_path: Path) -> None:
    outputs = audeo_bench.perform.Outputs(film=str(tmp_path / "out.mp4"), midi=str(tmp_path / "out.mid"))  # type: ignore[arg-type]
    made = audeo_bench.perform(str(silent), outputs, audeo_bench.perform.Reader(str(reader)))
    assert read_midi(tmp_path / "out.mid").notes.pitches.tolist() == made.notes.pitches.tolist()
    assert (tmp_path / "out.mp4").exists()
    assert len(audeo_bench.perform(silent, reader=Reader(str(reader))).notes) == len(made.notes)
    with pytest.raises(AttributeError):
        audeo_bench.perform.Writer  # noqa: B018


def test_overlay_and_truth(silent: Path, reader: Path, tmp_path: Path) -> None:
    true = roll_to_notes(played())
    write_midi(Notes(true.intervals + 1.5, true.pitches, true.velocities), tmp_path / "true.mid")
    arguments = [
        str(silent),
        "--overlay",
        str(tmp_path / "look.mp4"),
        "--against",
        str(tmp_path / "true.mid"),
    ]
    answer = CliRunner().invoke(app, ["perform", *arguments, "--system", str(reader), "--json"])
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.stdout)
    assert found["against"]["lag_s"] == pytest.approx(-1.5, abs=0.01)
    assert found["against"]["onset_50"] == 1.0
    with av.open(str(tmp_path / "look.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == FRAMES
    assert frames[0].shape == (140, 900, 3)
    lit = frames[3].astype(int)
    assert (lit[..., 0] - lit[..., 2]).max() > 60  # key 30 is lit in colour; the film is grey


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 9), min_size=1, max_size=8))
def test_notes_cross_the_borders_of_pieces(seed: int, lengths: list[int]) -> None:
    whole = np.random.default_rng(seed).random((88, sum(lengths))) < 0.5
    pieces = np.split(whole, np.cumsum(lengths)[:-1], axis=1)
    joined, direct = notes_of(pieces), roll_to_notes(whole)
    np.testing.assert_allclose(joined.intervals, direct.intervals)
    np.testing.assert_array_equal(joined.pitches, direct.pitches)
    np.testing.assert_array_equal(joined.velocities, direct.velocities)


class Follower(VideoToRoll):
    """Answers with the brightness of four frames ago: context that spans must supply."""

    def roll(self, frames):
        brightness = np.asarray(frames[0 : len(frames)]).mean((1, 2)) / 255
        late = np.concatenate([np.zeros(4), brightness])[: len(frames)]
        return np.repeat(late[None], 88, 0).astype(np.float32)


class Double(RollToMidi):
    def midi(self, roll):
        return np.minimum(1, 2 * roll)


@pytest.mark.parametrize("span", [7, 20, 1000])
def test_spans_answer_as_the_whole_does(span: int) -> None:
    frames = np.random.default_rng(0).integers(0, 255, (61, 10, 90), dtype=np.uint8)
    joined = np.concatenate(list(rolls(Follower().roll, [Double().midi], frames, span, context=4)), axis=1)
    np.testing.assert_array_equal(joined, Double().midi(Follower().roll(frames)))
