"""Small catalogues of random melodies: building, searching, rejecting, and staying offline."""

import asyncio
import csv
import json
import socket
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audeo_bench.api import SAMPLE_RATE, AudeoBenchError, Work
from audeo_bench.crew import Crew, crew
from audeo_bench.formats.midi import write_midi
from audeo_bench.identify.catalogue import landmark, pitch
from audeo_bench.identify.catalogue.engine import CatalogueService
from audeo_bench.identify.catalogue.sources import SimulatedSource, folder_sources, simulated_sources
from audeo_bench.identify.catalogue.store import Catalogue, build
from audeo_bench.identify.segments import cut
from audeo_bench.identify.titles import judge
from audeo_bench.roll import Notes
from audeo_bench.synth.fluidsynth import render

PIECES = 10


def melody(seed: int, tempo: float = 1.0) -> Notes:
    """Forty seconds of two random voices."""
    rng = np.random.default_rng(seed)
    onsets, pitches = [], []
    for low, step in ((40, 0.5), (62, 0.25)):
        start = 0.3
        while start < 40:
            onsets.append(start)
            pitches.append(low + int(rng.integers(0, 22)))
            start += step * int(rng.integers(1, 4))
    order = np.lexsort((pitches, onsets))
    start = np.asarray(onsets)[order] / tempo
    return Notes(
        np.stack([start, start + 0.35], 1), np.asarray(pitches)[order], np.full(len(order), 80, np.int64)
    )


@dataclass(frozen=True)
class Melody:
    seed: int

    @property
    def id(self) -> str:
        return f"melody-{self.seed}"

    @property
    def work(self) -> Work:
        return Work("Nobody", f"Melody {self.seed}", number=self.seed)

    def audio(self) -> np.ndarray:
        return render(melody(self.seed), program=1)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory) -> Catalogue:
    folder = tmp_path_factory.mktemp("catalogue") / "melodies"
    return build([Melody(seed) for seed in range(PIECES)], folder, "melodies", "simulated")


def ask(service, audio):
    return asyncio.run(service.ask(cut(audio)[0]))


@pytest.mark.parametrize("engine", ["pitch", "landmark"])
@pytest.mark.parametrize("tempo", [1.0, 1.12])
def test_another_tempo_and_instrument_is_recognised_where_it_is(catalogue, engine, tempo):
    service = CatalogueService(engine, catalogue)
    whole = render(melody(3, tempo), program=0)
    reply = ask(service, whole[10 * SAMPLE_RATE : 30 * SAMPLE_RATE])
    assert reply.answer.title == "Melody 3"
    assert judge(Melody(3).work, reply.answer) == "match"
    best = reply.response["candidates"][0]
    assert abs(best["start"] - 10 * tempo) < 1.5
    assert best["stretch"] == pytest.approx(tempo, rel=0.06)


@pytest.mark.parametrize("engine", ["pitch", "landmark"])
def test_a_piece_that_nobody_knows_is_rejected(catalogue, engine):
    service = CatalogueService(engine, catalogue)
    reply = ask(service, render(melody(99), program=0, seconds=20))
    assert reply.answer.title == ""
    assert reply.response["accepted"] is False
    assert len(reply.response["candidates"]) > 1


@pytest.mark.parametrize("engine", ["pitch", "landmark"])
@pytest.mark.parametrize("sound", ["silence", "noise"])
def test_what_is_no_music_is_rejected(catalogue, engine, sound):
    audio = np.zeros(20 * SAMPLE_RATE, np.float32)
    if sound == "noise":
        audio += np.random.default_rng(0).uniform(-0.5, 0.5, len(audio)).astype(np.float32)
    assert ask(CatalogueService(engine, catalogue), audio).answer.title == ""


@pytest.mark.parametrize("engine", ["pitch", "landmark"])
def test_silence_is_like_no_piece(catalogue, engine):
    assert getattr(catalogue, engine).search(np.zeros(20 * SAMPLE_RATE, np.float32)) == []


def test_two_performances_of_a_work_do_not_spoil_its_margin(tmp_path):
    @dataclass(frozen=True)
    class Again(Melody):
        def audio(self) -> np.ndarray:
            return render(melody(self.seed, 1.05), program=2)

    both = build([Melody(0), Again(0), Melody(1)], tmp_path / "c", "twice", "simulated")
    assert (len(both.entries), both.pieces) == (3, 2)
    reply = ask(CatalogueService("pitch", both), render(melody(0), seconds=20))
    assert reply.answer.title == "Melody 0"


def test_the_offline_engines_open_no_socket(catalogue, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a socket was opened")

    audio = render(melody(2), seconds=20)
    loop = asyncio.new_event_loop()  # the loop itself makes a pair of local sockets, before the trap is set
    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    opened = Catalogue(catalogue.folder)
    for engine in ("pitch", "landmark"):
        reply = loop.run_until_complete(CatalogueService(engine, opened).ask(cut(audio)[0]))
        assert reply.answer.title == "Melody 2"
    loop.close()


def test_workers_build_the_same_catalogue(catalogue, tmp_path):
    sources = simulated_sources(distractors=2)[-2:]
    one = build(sources, tmp_path / "one", "n", "simulated")
    with crew(2) as workers:
        two = build(sources, tmp_path / "two", "n", "simulated", workers)
    assert one.digest == two.digest
    assert one.entries == two.entries


class LastFirst(Crew):
    def done(self, units):
        return reversed([*super().done(units)])


def test_who_is_done_first_does_not_matter(catalogue, tmp_path):
    again = build(
        [Melody(seed) for seed in range(PIECES)], tmp_path / "c", "melodies", "simulated", LastFirst()
    )
    assert again.digest == catalogue.digest


def test_the_index_is_read_through_memory_maps(catalogue):
    assert isinstance(catalogue._array("pitch.npy"), np.memmap)
    assert isinstance(catalogue._array("moments.npy"), np.memmap)


def test_other_feature_versions_are_refused(catalogue, tmp_path):
    record = json.loads((catalogue.folder / "catalogue.json").read_text())
    record["versions"]["pitch"] = 99
    (tmp_path / "catalogue.json").write_text(json.dumps(record))
    with pytest.raises(AudeoBenchError, match="build it again"):
        Catalogue(tmp_path)


def test_damage_is_one_clear_error(catalogue, tmp_path):
    with pytest.raises(AudeoBenchError, match="no catalogue there"):
        Catalogue(tmp_path)
    (tmp_path / "catalogue.json").write_bytes((catalogue.folder / "catalogue.json").read_bytes())
    (tmp_path / "pitch.npy").write_bytes((catalogue.folder / "pitch.npy").read_bytes()[:1000])
    with pytest.raises(AudeoBenchError, match="cannot be read"):
        Catalogue(tmp_path)
    for name in ("pitch.npy", "moments.npy", "pointers.npy"):
        (tmp_path / name).write_bytes((catalogue.folder / name).read_bytes())
    Catalogue(tmp_path)
    flipped = bytearray((tmp_path / "pitch.npy").read_bytes())
    flipped[5000] ^= 1
    (tmp_path / "pitch.npy").write_bytes(flipped)
    with pytest.raises(AudeoBenchError, match="not what was built"):
        Catalogue(tmp_path)
    with pytest.raises(AudeoBenchError, match="no catalogue there"):
        Catalogue(tmp_path / "pitch.npy")
    (tmp_path / "catalogue.json").write_text("{")
    with pytest.raises(AudeoBenchError, match="not the JSON that is expected"):
        Catalogue(tmp_path)


def test_a_failed_build_leaves_nothing_and_spares_other_folders(tmp_path):
    @dataclass(frozen=True)
    class Broken(Melody):
        def audio(self) -> np.ndarray:
            raise AudeoBenchError("broken.mid: cannot be read")

    with pytest.raises(AudeoBenchError, match=r"broken\.mid"):
        build([Broken(0)], tmp_path / "c", "n", "simulated")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "precious.txt").write_text("keep")
    with pytest.raises(AudeoBenchError, match="no catalogue"):
        build([Melody(0)], tmp_path, "n", "simulated")
    assert (tmp_path / "precious.txt").read_text() == "keep"


def test_what_a_killed_build_left_is_cleared_away(tmp_path):
    left = tmp_path / ".c-4194399-abc"  # beyond any process's number
    left.mkdir()
    build([Melody(0)], tmp_path / "c", "n", "simulated")
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_a_folder_with_titles_becomes_a_catalogue(tmp_path):
    write_midi(melody(5), tmp_path / "a.mid")
    with (tmp_path / "titles.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "title", "composer", "bwv"])
        writer.writerow(["a.mid", "Präludium", "Johann Sebastian Bach", "846"])
    (source,) = folder_sources(tmp_path, tmp_path / "titles.csv")
    assert source.work == Work("Johann Sebastian Bach", "Präludium", bwv=846)
    built = build([source], tmp_path / "catalogue", "mine", "own")
    assert built.entries[0].seconds == pytest.approx(41, abs=1)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("file,title\nmissing.mid,T\n", "line 2.*missing.mid is no file"),
        ("name,title\na.mid,T\n", "has no column file"),
        ("file,title,bwv\na.mid,T,x\n", "whole numbers"),
    ],
)
def test_wrong_title_files_are_refused(tmp_path, text, complaint):
    (tmp_path / "a.mid").touch()
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(AudeoBenchError, match=complaint):
        folder_sources(tmp_path, tmp_path / "t.csv")


def test_the_embedded_sources_are_every_work_and_500_others():
    sources = simulated_sources()
    assert len(sources) == 48 + 9 + 500
    assert len({source.id for source in sources}) == len(sources)
    works = {SimulatedSource(book, number).work for book in (1, 2) for number in (1, 24)}
    assert len(works) == 4


def test_salience_follows_the_pitch_and_forgets_the_loudness():
    notes = Notes(np.array([[0.5, 4.0]]), np.array([60]), np.array([90]))
    loud = render(notes, seconds=5)
    found = pitch.salience(loud)
    assert found.shape[1] == len(pitch.PITCHES)
    assert found[3:8].sum(0).argmax() == pitch.PITCHES.index(60)
    quiet = pitch.salience(loud * np.float32(0.05))
    assert np.abs(found.astype(float) - quiet).max() < 0.05


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_postings_hold_every_landmark_of_every_entry(seed, most):
    rng = np.random.default_rng(seed)
    parts = [
        np.column_stack(
            [rng.integers(0, 64, (n, 2)), rng.integers(2, 31, n), rng.integers(0, 500, n)]
        ).astype(np.uint32)
        for n in rng.integers(0, most, 3)
    ]
    moments, pointers, starts = landmark.build_postings(parts, [500, 500, 500])
    assert len(moments) == sum(map(len, parts)) == pointers[-1]
    for part, start in zip(parts, starts[:-1], strict=True):
        for row, key in zip(part, landmark.hashes(part), strict=True):
            assert int(row[3]) + start in moments[pointers[key] : pointers[key + 1]].astype(np.int64)


def metronome(frequency: float, beats_a_minute: float) -> np.ndarray:
    click = np.sin(2 * np.pi * frequency * np.arange(SAMPLE_RATE // 20) / SAMPLE_RATE) * np.hanning(
        SAMPLE_RATE // 20
    )
    audio = np.zeros(20 * SAMPLE_RATE)
    for start in np.arange(0, 19.9, 60 / beats_a_minute):
        first = int(start * SAMPLE_RATE)
        audio[first : first + len(click)] += click[: len(audio) - first]
    return 0.5 * audio


def a_few_notes(count: int, seed: int) -> np.ndarray:
    whole = melody(seed)
    chosen = np.sort(np.random.default_rng(seed).choice(60, count, replace=False))
    part = Notes(whole.intervals[chosen], whole.pitches[chosen], whole.velocities[chosen])
    return render(part, seconds=20.0)


@pytest.mark.parametrize("engine", ["pitch", "landmark"])
def test_clicks_noise_and_a_handful_of_notes_are_named_after_nothing(catalogue, engine):
    service = CatalogueService(engine, catalogue)
    queries = [metronome(440 * 1.2**step, 60 + 10 * step) for step in range(0, 10, 3)]
    queries += [a_few_notes(count, seed=count) for count in (1, 3, 6)]
    queries.append(np.random.default_rng(0).normal(0, 0.1, 20 * SAMPLE_RATE))
    assert [ask(service, query).answer.title for query in queries] == [""] * len(queries)
