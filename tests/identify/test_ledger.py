import json
import sqlite3

import numpy as np
import pytest

from audeo_bench.api import SAMPLE_RATE, AudeoBenchError, Work
from audeo_bench.identify.ledger import Ledger
from audeo_bench.identify.segments import cut
from audeo_bench.identify.service import Reply
from audeo_bench.identify.titles import Answer

WORK = Work(
    "Johann Sebastian Bach", "Prelude and Fugue No. 1", "The Well-Tempered Clavier, Book I", 1, 846, "C major"
)


@pytest.fixture
def segments():
    return cut(np.random.default_rng(1).uniform(-0.1, 0.1, 60 * SAMPLE_RATE))


@pytest.fixture
def ledger(tmp_path, segments):
    with Ledger(tmp_path / "run" / "identify.sqlite") as ledger:
        ledger.add_recording("ground truth", "wtc1-01", "wtc1-variants", "No. 1", WORK, segments)
        yield ledger


def test_an_answer_is_found_again_by_another_process(ledger, segments):
    reply = Reply(Answer("平均律 第1巻", "グールド", "album"), {"matches": [1]})
    ledger.record("shazam", "1", segments[0].sha256, reply)
    with Ledger(ledger.path) as other:
        assert other.find("shazam", "1", segments[0].sha256) == reply
        assert other.find("shazam", "2", segments[0].sha256) is None
        assert other.find("pitch", "1", segments[0].sha256) is None


def test_the_first_answer_stands(ledger, segments):
    ledger.record("shazam", "1", segments[0].sha256, Reply(Answer("first")))
    ledger.record("shazam", "1", segments[0].sha256, Reply(Answer("second")))
    assert ledger.find("shazam", "1", segments[0].sha256).answer.title == "first"


def test_queries_hold_answers_faults_and_open_questions(ledger, segments):
    ledger.record("shazam", "1", segments[0].sha256, Reply(Answer("title")))
    ledger.note_fault("shazam", "1", segments[1].sha256, "first fault")
    ledger.note_fault("shazam", "1", segments[1].sha256, "second fault")
    queries = list(ledger.queries("shazam", "1"))
    assert [query.index for query in queries] == [0, 1, 2]
    assert [query.fault for query in queries] == [None, "second fault", None]
    assert [query.reply is None for query in queries] == [False, True, True]
    assert queries[0].work == WORK


def test_an_answer_after_a_fault_counts(ledger, segments):
    ledger.note_fault("shazam", "1", segments[0].sha256, "fault")
    ledger.record("shazam", "1", segments[0].sha256, Reply(Answer()))
    assert next(ledger.queries("shazam", "1")).fault is None


def test_a_recording_noted_again_replaces_its_segments(ledger, segments):
    ledger.add_recording("ground truth", "wtc1-01", "wtc1-variants", "No. 1", WORK, segments[:1])
    assert len(list(ledger.queries("shazam", "1"))) == 1


def test_export_is_one_json_object_a_line(ledger, segments, tmp_path):
    ledger.record("shazam", "1", segments[0].sha256, Reply(Answer("Präludium"), {"matches": []}))
    assert ledger.export(tmp_path / "answers.jsonl") == 3
    lines = [
        json.loads(line) for line in (tmp_path / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert lines[0]["reply"] == {
        "answer": {"title": "Präludium", "artist": "", "album": ""},
        "response": {"matches": []},
    }
    assert lines[0]["work"]["bwv"] == 846
    assert {line["service"] for line in lines} == {"shazam"}


def test_what_is_no_ledger_is_refused_and_kept(tmp_path):
    path = tmp_path / "identify.sqlite"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(AudeoBenchError, match=r"identify\.sqlite: not a ledger"):
        Ledger(path)
    assert path.read_bytes().startswith(b"not a database")


def test_a_ledger_of_the_future_is_refused(tmp_path):
    path = tmp_path / "identify.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version=99")
    with pytest.raises(AudeoBenchError, match="schema 99"):
        Ledger(path)


def test_a_full_disk_is_called_that(ledger, segments):
    pages = ledger._database.execute("PRAGMA page_count").fetchone()[0]
    ledger._database.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(OSError, match="No space left") as caught, ledger:
        for index in range(1000):
            ledger.note_fault("shazam", "1", segments[0].sha256, f"{index}" * 1000)
    assert caught.value.filename == str(ledger.path)


def test_a_folder_in_the_ledgers_place(tmp_path):
    (tmp_path / "identify.sqlite").mkdir()
    with pytest.raises(OSError, match=r"unable to open"):
        Ledger(tmp_path / "identify.sqlite")
