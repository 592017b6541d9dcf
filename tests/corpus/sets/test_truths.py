"""Whose labels are a film's truth, and how far two of them agree."""

from pathlib import Path

import numpy as np
import pytest
from film_server import FilmServer, make_film
from typer.testing import CliRunner

from audeo_bench.api import AudeoBenchError, Notes
from audeo_bench.cli import app
from audeo_bench.corpus import open_corpus
from audeo_bench.corpus.audeo.recordings import import_recordings
from audeo_bench.corpus.sets import films_of
from audeo_bench.corpus.sets.fetch import fetch, plan
from audeo_bench.corpus.sets.labels import read_roll
from audeo_bench.formats.midi import write_midi
from audeo_bench.paper.truths import agreements
from audeo_bench.runs.task import open_task


def one_note(path: Path, onset: float, offset: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_midi(Notes(np.array([[onset, offset]]), np.array([61]), np.array([80])), path)


@pytest.fixture
def film(tmp_path: Path, server: FilmServer) -> Path:
    """The folder of the paper's films, one of which is here for 9 seconds, with labels by PianoYT."""
    folder = tmp_path / "films"
    server.files["/wtc2-01.mp4"] = make_film(tmp_path / "film.mp4", seconds=9).read_bytes()
    one_note(folder / "pianoyt_MIDI/audio_169.0.midi", 4.0, 5.0)
    assert fetch(plan("audeo-films", folder, ["wtc2-01"], f"{server.url}/{{id}}.mp4"), print) == []
    return folder


def release(folder: Path) -> Path:
    """The authors' labels of frames 100 to 199: the note of PianoYT, held twice as long."""
    for start in (100, 150):
        piece = folder / f"midi/testing/Bach Prelude and Fugue No.1 B2/{start}-{start + 50}.npz"
        piece.parent.mkdir(parents=True, exist_ok=True)
        roll = np.zeros((50, 88))
        roll[:, 40] = start == 100
        np.savez(piece, midi=roll)
    return folder


def test_the_authors_labels_go_first_then_pianoyts_then_transkuns(film: Path, tmp_path: Path) -> None:
    one_note(film / "wtc2-01.transkun.mid", 3.0, 5.0)
    (here,) = films_of("audeo-films")
    assert [labels.by for labels in here.labels] == ["PianoYT", "Transkun"]
    recording = open_corpus("audeo-films").recording("wtc2-01")
    # From the first key on, as in the paper, to the end of the film.
    assert len(recording) == len(recording.frames) == 9 * 25 - 100
    assert recording.sounding[40].sum() == 25 and recording.sounding[40, 0]
    assert open_task("audeo-films", "wtc2", tmp_path).subject.truth_by == "PianoYT"

    before = open_corpus("audeo-films").version
    import_recordings(release(tmp_path / "release"))
    (here,) = films_of("audeo-films")
    assert [labels.by for labels in here.labels] == ["the authors' release", "PianoYT", "Transkun"]
    corpus = open_corpus("audeo-films")
    recording = corpus.recording("wtc2-01")
    # Only frames of which the release speaks.
    assert len(recording) == 100 and recording.sounding[40].sum() == 50
    assert corpus.truth_by("wtc2") == "the authors' release"
    assert corpus.version != before

    (film / "pianoyt_MIDI/audio_169.0.midi").unlink()
    assert [labels.by for labels in films_of("audeo-films")[0].labels] == ["the authors' release", "Transkun"]


def test_two_truths_are_scored_against_each_other(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "240")
    assert agreements("audeo-films") == []
    import_recordings(release(tmp_path / "release"))
    (found,) = agreements("audeo-films")
    assert (found.film, found.truth, found.beside) == ("wtc2-01", "the authors' release", "PianoYT")
    # 25 frames alike, 25 in which one of them is silent, 50 in which both are.
    assert (found.frames, found.paper, found.whole) == (100, 75.0, 66.7)
    said = CliRunner().invoke(app, ["data", "info", "audeo-films"])
    assert said.exit_code == 0, said.output
    assert "the authors' release" in said.stdout and "75.0" in said.stdout and "66.7" in said.stdout


def test_a_roll_may_say_which_frames_it_speaks_of(tmp_path: Path) -> None:
    roll = np.ones((88, 2))
    np.savez(tmp_path / "some.npz", sounding=roll, numbers=np.array([1, 3]))
    found, known = read_roll(tmp_path / "some.npz")
    assert known.tolist() == [False, True, False, True] and found[0].tolist() == known.tolist()
    for numbers in ([3, 1], [-1, 1], [0, 10**12], [1]):
        np.savez(tmp_path / "bad.npz", sounding=roll, numbers=np.array(numbers))
        with pytest.raises(AudeoBenchError, match="numbers must rise"):
            read_roll(tmp_path / "bad.npz")


def test_what_no_system_is_scored_on_counts_in_no_agreement(tmp_path: Path) -> None:
    make_film(tmp_path / "a.mp4", seconds=9)
    one_note(tmp_path / "a.mid", 1.0, 3.0)
    one_note(tmp_path / "a.transkun.mid", 1.0, 2.0)
    row = '[[film]]\nid = "a"\nstart_s = 0\nmidi = "a.mid"\n'
    text = f'name = "mine"\ntruth = "true MIDI"\nlabels = ["transkun"]\n{row}'
    (tmp_path / "mine.toml").write_text(text)
    assert fetch(plan(str(tmp_path / "mine.toml")), print) == []
    (apart,) = agreements("mine")
    (tmp_path / "mine.toml").write_text(text + "blocked = [[2.0, 4.0]]\n")
    (alike,) = agreements("mine")
    assert (apart.frames - alike.frames, alike.paper, alike.whole) == (50, 100.0, 100.0) and apart.paper < 100
