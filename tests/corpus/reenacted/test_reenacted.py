"""Registered local data, and real performances before the simulated camera."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shared_data import SHARED, needs
from typer.testing import CliRunner

from audeo_bench.api import AudeoBenchError
from audeo_bench.cli.data import app
from audeo_bench.corpus import open_corpus, registry
from audeo_bench.corpus.overview import overview
from audeo_bench.corpus.reenacted.pianoyt import LABELS
from audeo_bench.corpus.reenacted.pressing import FINGERS, SHORTEST_PRESS, key_presses
from audeo_bench.corpus.reenacted.recordings import clavier_work
from audeo_bench.corpus.simulated.fingering import LARGEST_SPAN
from audeo_bench.formats.midi import write_midi
from audeo_bench.keyboard import KEY_X
from audeo_bench.roll import LOWEST_PITCH, Notes, notes_to_roll

needs_pianoyt = needs("pianoyt")
needs_asap = needs("asap")


def notes_of(*rows: tuple[float, float, int, int]) -> Notes:
    table = np.array(sorted(rows, key=lambda row: (row[0], row[2])), float).reshape(-1, 4)
    return Notes(table[:, :2], table[:, 2].astype(np.int64), table[:, 3].astype(np.int64))


@pytest.fixture(autouse=True)
def data_home(tmp_path, monkeypatch) -> Path:
    home = tmp_path / "data home"
    monkeypatch.setenv("AUDEO_BENCH_DATA", str(home))
    return home


@pytest.fixture(scope="module")
def made_up_pianoyt(tmp_path_factory) -> Path:
    """A folder in PianoYT's layout with notes of our own."""
    folder = tmp_path_factory.mktemp("pianoyt")
    for name in ("README.md", "license.txt", "pianoyt.csv"):
        (folder / name).write_text("made up\n")
    (folder / "pianoyt_MIDI").mkdir()
    for number, label in enumerate(LABELS):
        rows = [(10 + 0.4 * i, 10.4 + 0.4 * i, 50 + (i * 5 + number) % 24, 70) for i in range(20)]
        write_midi(notes_of(*rows), folder / label.file)
    return folder


def test_a_registered_folder_opens_as_a_corpus(made_up_pianoyt):
    entry = registry.add("pianoyt", made_up_pianoyt)
    assert entry.as_published is False
    assert len(entry.files) == 21
    corpus = open_corpus("audeo-reenacted")
    assert corpus.provenance == "re-enacted"
    assert corpus.version == f"3+{entry.fingerprint}"
    assert {split: len(ids) for split, ids in corpus.listing().items()} == {
        "wtc1": 15,
        "validation": 3,
        "wtc2": 3,
    }
    recording = corpus.recording("wtc2-01")
    assert recording.split == "wtc2"
    assert recording.title == "Prelude and Fugue No. 1 in C major, BWV 870 (re-enacted)"
    # The ten seconds before the first note are gone but for half a second.
    assert recording.sounding.any(axis=0).argmax() == 12
    assert len(recording) == 213  # 8.5 seconds
    assert recording.frames[:2].shape == (2, 100, 900)
    assert recording.audio is not None
    assert len(recording.audio()) == 640 * len(recording)


@needs_pianoyt
def test_the_papers_test_set_is_there_in_full():
    assert registry.add("pianoyt", SHARED / "pianoyt").as_published
    corpus = open_corpus("audeo-reenacted")
    assert corpus.version == "3"
    recordings = corpus.recordings("wtc2")
    assert [recording.work.bwv for recording in recordings] == [870, 871, 872]
    frames = sum(len(recording) for recording in recordings)
    assert frames == pytest.approx(18_788, rel=0.02)
    assert sum(len(recording.notes or ()) for recording in recordings) == 5608
    for recording in recordings:
        sounding_keys = np.flatnonzero(recording.sounding.any(axis=1))
        assert sounding_keys.min() >= 15
        assert sounding_keys.max() <= 65
        assert recording.pressed is not None
        # Only the shortest presses outlast their labels.
        assert (recording.pressed & ~recording.sounding).sum() < 0.001 * recording.pressed.sum()


@needs_asap
def test_disklavier_performances_are_seen_and_heard():
    registry.add("asap", SHARED / "asap")
    corpus = open_corpus("asap")
    assert all(name.startswith("wtc2-") for name in corpus.ids("wtc2"))
    recording = corpus.recording("wtc1-22-prelude-HuNY01M")
    assert recording.work.bwv == 867
    assert recording.work.title == "Prelude No. 22 in B-flat minor, BWV 867"
    assert recording.pressed is not None
    # The pedal: much sounds that no finger holds.
    assert (recording.sounding & ~recording.pressed).sum() > 0.1 * recording.sounding.sum()


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda folder: shutil.rmtree(folder), "no such folder"),
        (lambda folder: (folder / "license.txt").unlink(), "no license.txt"),
        (lambda folder: (folder / LABELS[-1].file).unlink(), f"audio_{LABELS[-1].pianoyt}.0.midi: missing"),
        (lambda folder: (folder / LABELS[0].file).write_bytes(b"MThd"), f"audio_{LABELS[0].pianoyt}.0.midi"),
        (lambda folder: write_midi(notes_of(), folder / LABELS[0].file), "holds no notes"),
    ],
    ids=["gone", "no licence", "incomplete", "truncated", "empty"],
)
def test_a_folder_that_is_not_whole_is_refused(made_up_pianoyt, tmp_path, spoil, found, data_home):
    folder = tmp_path / "copy"
    shutil.copytree(made_up_pianoyt, folder)
    spoil(folder)
    with pytest.raises(AudeoBenchError, match=found):
        registry.add("pianoyt", folder)
    assert not list(data_home.rglob("*"))


def test_what_is_not_registered_says_how_to_get_it():
    with pytest.raises(AudeoBenchError, match=r"sighttosound.*audeo-bench data add pianoyt DIR"):
        open_corpus("audeo-reenacted")
    with pytest.raises(AudeoBenchError, match="audeo-bench data add asap DIR"):
        open_corpus("asap")
    states = {row["corpus"]: row["state"] for row in overview()}
    assert set(states) == {"simulated", "audeo-reenacted", "asap", "known-works", "audeo"}
    assert states["simulated"] == "version 3"
    assert states["audeo-reenacted"] == "needs data: audeo-bench data add pianoyt DIR"
    assert states["asap"] == "needs data: audeo-bench data add asap DIR"
    assert "audeo-bench import-release DIR" in states["audeo"]


def test_a_folder_that_moved_or_changed_is_named(made_up_pianoyt, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(made_up_pianoyt, folder)
    registry.add("pianoyt", folder)
    write_midi(notes_of((1, 2, 60, 60)), folder / LABELS[-1].file)
    with pytest.raises(AudeoBenchError, match=r"changed since it was registered.*data add pianoyt"):
        open_corpus("audeo-reenacted").recording("wtc2-03")
    shutil.rmtree(folder)
    with pytest.raises(AudeoBenchError, match="no longer there"):
        open_corpus("audeo-reenacted")


def test_a_damaged_registry_entry_is_named(data_home):
    (data_home / "registry").mkdir(parents=True)
    (data_home / "registry" / "pianoyt.json").write_text("{")
    with pytest.raises(AudeoBenchError, match=r"pianoyt.json: not a registry entry"):
        open_corpus("audeo-reenacted")


def test_no_take_of_what_was_played_once(made_up_pianoyt):
    registry.add("pianoyt", made_up_pianoyt)
    with pytest.raises(AudeoBenchError, match="take 1"):
        open_corpus("audeo-reenacted").recordings("wtc2", take=1)


def test_the_command_shows_licence_and_citation(made_up_pianoyt):
    runner = CliRunner()
    shown = runner.invoke(app, ["add", "pianoyt", str(made_up_pianoyt)])
    assert shown.exit_code == 0
    assert "CC BY 4.0" in shown.output
    assert "ICASSP 2020" in shown.output
    assert "NOT the published files" in shown.output
    facts = json.loads(runner.invoke(app, ["info", "audeo-reenacted/wtc2-01", "--json"]).output)
    assert facts["provenance"] == "re-enacted"
    assert "CC BY 4.0" in facts["licence"]
    listed = json.loads(runner.invoke(app, ["list", "--json"]).output)
    assert listed[1]["splits"] == {"wtc1": 15, "validation": 3, "wtc2": 3}


@pytest.mark.parametrize(
    ("book", "number", "bwv", "key"),
    [
        (1, 1, 846, "C major"),
        (1, 8, 853, "E-flat minor"),
        (2, 8, 877, "D-sharp minor"),
        (1, 18, 863, "G-sharp minor"),
        (2, 17, 886, "A-flat major"),
        (2, 24, 893, "B minor"),
        (1, 4, 849, "C-sharp minor"),
    ],
)
def test_works_of_the_clavier(book, number, bwv, key):
    work = clavier_work(book, number)
    assert (work.bwv, work.key) == (bwv, key)


def held_at(notes: Notes, time: float) -> np.ndarray:
    return (notes.intervals[:, 0] <= time) & (notes.intervals[:, 1] > time)


STROKES = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 60), st.integers(36, 86)), min_size=1, max_size=40
)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(STROKES)
def test_acted_out_notes_can_be_held_by_two_hands(strokes):
    by_start = {
        (start, pitch): (start / 8, (start + length) / 8, pitch, 60) for start, length, pitch in strokes
    }
    heard = notes_of(*by_start.values())
    pressed, hands = key_presses(heard)
    assert len(pressed) == len(hands) <= len(heard)
    assert np.diff(pressed.intervals, axis=1).min() >= SHORTEST_PRESS - 1e-9
    struck = [set(zip(notes.intervals[:, 0], notes.pitches, strict=True)) for notes in (pressed, heard)]
    assert struck[0] <= struck[1]
    # A note that has only just begun cannot be left yet, so look after the shortest press.
    for moment in np.unique(pressed.intervals[:, 0]) + SHORTEST_PRESS + 1e-6:
        for hand in (0, 1):
            place = KEY_X[pressed.pitches[held_at(pressed, moment) & (hands == hand)] - LOWEST_PITCH]
            assert len(place) <= FINGERS
            assert not len(place) or np.ptp(place) <= LARGEST_SPAN


def test_a_repeated_key_comes_up_before_it_goes_down_again():
    heard = notes_of(*[(0.4 * i, 0.4 * (i + 1), 60, 70) for i in range(8)])
    pressed, _ = key_presses(heard)
    np.testing.assert_array_equal(pressed.intervals[:, 0], heard.intervals[:, 0])
    gaps = pressed.intervals[1:, 0] - pressed.intervals[:-1, 1]
    np.testing.assert_allclose(gaps, 0.06)
    up = ~notes_to_roll(pressed, 80)[60 - LOWEST_PITCH]
    assert up[:75].sum() >= 7


def test_a_hand_leaves_a_pedalled_note_that_is_out_of_reach():
    rising = (36, 48, 55, 60, 64, 84)
    heard = notes_of(*[(0.5 * i, 4.0, pitch, 70) for i, pitch in enumerate(rising)])
    pressed, _ = key_presses(heard)
    assert len(pressed) == len(heard)
    assert pressed.intervals[pressed.pitches == 36, 1].item() < 4


def test_a_chord_for_three_hands_loses_its_softest_notes():
    heard = notes_of(*[(0, 1, pitch, 20 if pitch == 61 else 80) for pitch in range(36, 87, 5)])
    pressed, _ = key_presses(heard)
    assert 4 <= len(pressed) < len(heard)
    assert 61 not in pressed.pitches
