"""From nothing to Table 1 and Table 2 on the paper's own films, by the commands of docs/reproduce.md.

Small stand-ins for the 27 films lie on a server on this machine; yt-dlp fetches them, and a net of a few
steps answers for them.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from film_server import FilmServer
from typer.testing import CliRunner

import audeo_bench.training.gan as training_gan
from audeo_bench.cli import app
from audeo_bench.corpus import open_corpus
from audeo_bench.corpus.sets import read_manifest, shipped_sets
from audeo_bench.film.writing import write_video
from audeo_bench.formats.midi import write_midi
from audeo_bench.formats.text import read_json
from audeo_bench.paper.reported import reported
from audeo_bench.roll import Notes
from audeo_bench.synth.fluidsynth import render

SMALLER = 16
"""The stand-ins' pictures are so much smaller than the films'; the release's crops are given in theirs."""
TRAINED, TESTED = 4.6, 13.0
"""Seconds: more than a window of Roll2Midi, and than the least that a listener is asked about."""


def run(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.stdout


def melody(number: int, seconds: float) -> Notes:
    """Six notes a second, another walk over the keys in each film."""
    rng = np.random.default_rng(number)
    onsets = 0.4 + np.arange(int(6 * (seconds - 0.8))) / 6
    pitches = 60 + np.cumsum(rng.integers(-4, 5, len(onsets))) % 24
    return Notes(np.stack([onsets, onsets + 0.15], 1), pitches, np.full(len(onsets), 80))


def pictures(notes: Notes, crop: tuple[float, ...], size: tuple[int, int], seconds: float) -> np.ndarray:
    """Keys as light stripes in the crop, dark while they are down."""
    left, top, right, bottom = (round(edge / SMALLER) for edge in crop)
    frames = np.full((round(25 * seconds), size[1], size[0]), 60, np.uint8)
    frames[:, top:bottom, left:right] = 200
    for (onset, offset), pitch in zip(notes.intervals, notes.pitches, strict=True):
        column = left + round((pitch - 21) / 88 * (right - left))
        frames[round(25 * onset) : round(25 * offset), top:bottom, column : column + 2] = 90
    return frames


def stand_ins(server: FilmServer, folder: Path) -> None:
    """All 27 films, named by their ids on YouTube, with labels beside them; the tested ones sound."""
    for number, film in enumerate(read_manifest(shipped_sets()["audeo-films"]).films):
        seconds = TESTED if film.split == "wtc2" else TRAINED
        notes = melody(number, seconds)
        assert film.crop is not None and film.picture is not None
        size = film.picture[0] // SMALLER, film.picture[1] // SMALLER
        sound = render(notes, seconds=seconds) if film.split == "wtc2" else None
        write_video(folder / "film.mp4", pictures(notes, film.crop, size, seconds), sound)
        write_midi(notes, folder / f"{film.id}.mid")
        server.files[f"/{film.youtube}.mp4"] = (folder / "film.mp4").read_bytes()
        server.files[f"/{film.youtube}.mid"] = (folder / f"{film.id}.mid").read_bytes()


@pytest.mark.slow
def test_from_nothing_to_both_tables(
    tmp_path: Path, server: FilmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "240")
    monkeypatch.setenv("AUDEO_BENCH_CACHE", str(tmp_path / "cache"))
    # Another process would not know of the small training below.
    monkeypatch.setattr("audeo_bench.training.apart.apart", lambda contestant, trains, *given: trains(*given))
    monkeypatch.setattr("audeo_bench.training.recipes.DRAWS_PER_EPOCH", 64)
    monkeypatch.setattr(training_gan.fit_refiner, "__defaults__", (1, 2, 2))
    monkeypatch.chdir(tmp_path)
    labels = tmp_path / "labels"
    labels.mkdir()
    stand_ins(server, labels)

    said = run("data", "fetch", "audeo-films", "--into", "films", "--source", f"{server.url}/{{id}}.mp4")
    assert "audeo-films: 27 films to bring into" in said
    assert "Table 1, every row, on all 3 films" in said
    assert len(list(Path("films").glob("*.mp4"))) == 27

    little = ("--corpus", "audeo-films", "--width", 8, "--epochs", 1, "--device", "cpu")
    for system in ("video2roll", "video2roll+roll2midi"):
        run("train", system, *little, "--precision", "32-true")
    made = read_json(Path("trainings/audeo-films-width8/video2roll.json"), remedy="")
    assert made["trained_on"] == ["audeo-films/wtc1"] and made["chosen_on"] == ["audeo-films/validation"]

    trained = "video2roll@audeo-films-width8"
    chosen = ("--system", trained, "--system", f"{trained}+roll2midi")
    table1 = json.loads(run("midi", "--corpus", "audeo-films", *chosen, "--no-figure", "--json"))
    assert table1["subject"]["provenance"] == "recorded"
    assert table1["subject"]["truth_by"] == "PianoYT"
    ours = [row for row in table1["rows"] if row["source"] == "recorded"]
    assert {row["system"] for row in ours} == {trained, f"{trained}+roll2midi"}
    # Each stands below the paper's cells, with the difference to them.
    assert all(row["difference"] for row in ours)
    assert sum(row["source"] == "paper" for row in table1["rows"]) == len(reported().table1.rows)
    assert open_corpus("audeo-films").split_of("wtc2-01") == "wtc2"

    tested = sorted(labels.glob("wtc2-*.mid"))
    titles = [f'{path.name},"{open_corpus("audeo-films").work(path.stem).title}"' for path in tested]
    (tmp_path / "titles.csv").write_text("\n".join(["file,title", *titles]) + "\n")
    run("catalogue", "build", "known", "--folder", labels, "--titles", "titles.csv", "--workers", 1)
    played = ("--system", f"{trained}+fluidsynth", "--system", "truth")
    asked = ("--service", "pitch", "--catalogue", "known", "--workers", 1)
    table2 = json.loads(run("identify", "--corpus", "audeo-films", *played, *asked, "--json"))
    assert table2["provenance"] == "recorded"
    rows = {row["system"]: row for row in table2["rows"]}
    assert rows[f"{trained}+fluidsynth"]["groups"]["total"]["answered"] == 3
    # The films' own sound is recognised.
    assert rows["truth"]["groups"]["total"]["right"] == 3
