"""Rows: strict to read, steady to write."""

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audeo_bench.api import AudeoBenchError
from audeo_bench.files import file_name
from audeo_bench.keyboard.names import key_name
from audeo_bench.leaderboards.excerpt import cut_excerpt, from_runs, to_runs
from audeo_bench.leaderboards.rows import read_row, write_row
from audeo_bench.records import as_text
from audeo_bench.score import MAIN, Measure


def test_a_row_reads_back_as_it_was_written(tmp_path, make_row):
    row = make_row("keywise+roll2midi")
    path = write_row(row, tmp_path)
    assert path == tmp_path / "simulated-wtc2" / "keywise+roll2midi.json"
    assert read_row(path) == row


def test_rows_review_as_diffs(make_row):
    text = as_text(make_row("keywise"))
    assert json.dumps(json.loads(text), sort_keys=True) == json.dumps(json.loads(text))
    assert '"contestant": "keywise",\n' in text
    counts = next(line for line in text.splitlines() if line.strip().startswith("[ 500"))
    assert counts.strip(" ,") == "[ 500, 500, 200 ]", "a list of numbers stays on one line"


def edit(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c["times"].update(seconds="12.5"), r"times.seconds.*valid number.*'12\.5'"),
        (lambda c: c["answers"]["wtc2-01"].update(frames="1200"), r"answers.wtc2-01.frames.*'1200'"),
        (lambda c: c["scores"]["recordings"]["wtc2-02"]["blocks"].pop("51"), "wtc2-02"),
        (lambda c: c.update(comment="the best"), "comment.*not permitted"),
        (lambda c: c.pop("marks"), "marks: Field required"),
        (lambda c: c["answers"].pop("wtc2-03"), "answers and scores name different recordings"),
        (lambda c: c["answers"]["wtc2-01"].update(roll_sha256="abc"), "roll_sha256"),
        (lambda c: c.update(schema=0), "schema 0, from an older audeo-bench.*submit the run again"),
        (lambda c: c.update(schema=4), "schema 4, from a newer audeo-bench.*update"),
        (lambda c: c.update(contestant="another"), "the row says simulated-wtc2/another"),
        (lambda c: c.update(contestant="../../escape"), "contestant"),
    ],
)
def test_an_edited_row_is_one_clear_error(tmp_path, make_row, change, words):
    path = write_row(make_row("keywise"), tmp_path)
    edit(path, change)
    with pytest.raises(AudeoBenchError, match=words) as fault:
        read_row(path)
    assert str(path) in str(fault.value)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"schema": 1e400}'])
def test_what_is_no_row_is_one_clear_error(tmp_path, content):
    path = tmp_path / "keywise.json"
    path.write_bytes(content)
    with pytest.raises(AudeoBenchError, match=r"keywise\.json"):
        read_row(path)


def test_names_become_safe_file_names():
    assert file_name("my_model+roll2midi@both") == "my_model+roll2midi@both"
    assert re.fullmatch(r"my-model\.py-[0-9a-f]{6}", file_name("./my model.py"))
    assert "/" not in file_name("a/../../b")
    different = ("模型a", "网络a", "模型", "a", "a b", "a-b", "a" * 121, "a" * 122)
    assert len({file_name(name) for name in different}) == len(different)
    assert all(len(file_name(name)) <= 120 for name in different)
    with pytest.raises(AudeoBenchError, match="no letter or digit"):
        file_name("...")


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.floats(0, 1))
def test_runs_hold_the_roll(seed, frames, density):
    roll = np.random.default_rng(seed).random((88, frames)) < density
    np.testing.assert_array_equal(from_runs(to_runs(roll), frames), roll)


@pytest.mark.parametrize(
    "runs", [{"H4": "0+1"}, {"C4": "0+0"}, {"C4": "5+6"}, {"C4": "3+2 1+1"}, {"C4": "x"}]
)
def test_malformed_runs_are_refused(runs):
    with pytest.raises(AudeoBenchError, match="excerpt"):
        from_runs(runs, 10)


def test_pitch_names():
    assert [key_name(key) for key in (0, 1, 39, 40, 87)] == ["A0", "A#0", "C4", "C#4", "C8"]


def test_every_contestant_shows_the_same_busiest_twenty_seconds():
    truth = np.zeros((88, 1400), bool)
    truth[40, 600:900:10] = True
    for answer in (np.zeros((88, 1400)), np.ones((88, 1400))):
        excerpt = cut_excerpt(answer, truth, 0.5)
        assert (excerpt.start, excerpt.frames) == (500, 500)
        np.testing.assert_array_equal(from_runs(excerpt.truth, 500), truth[:, 500:1000])


def test_measures_have_names():
    assert str(MAIN) == "frame_mean.51@0.4"
    assert Measure.parse("micro.88@0.5").threshold == 0.5
    for wrong in ("micro", "mean.88@0.4", "micro.87@0.4", "micro.88@x"):
        with pytest.raises(AudeoBenchError, match="such as frame_mean"):
            Measure.parse(wrong)


def _edit(path, change) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def _causes(content):
    return content["scores"]["recordings"]["wtc2-01"]["causes"][1]


def _notes(content, notes):
    content["scores"]["recordings"]["wtc2-01"]["notes"] = notes


def _blocks(content, keys="51"):
    return content["scores"]["recordings"]["wtc2-01"]["blocks"][keys]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.update(schema=True), "true or false"),
        (lambda c: c["scores"].update(metric_version="1"), "metric_version"),
        (lambda c: _blocks(c)["f1"][1].__setitem__(0, 99999.0), "f1 above 100 %"),
        (lambda c: _blocks(c)["tp"][1].__setitem__(0, -1), "greater than or equal to 0"),
        (lambda c: _blocks(c)["tp"][1].__setitem__(0, 99999), "another truth at another threshold"),
        (lambda c: [row.__setitem__(0, 99999) for row in _blocks(c)["tp"]], "frames and keys cannot give"),
        (lambda c: _causes(c)["false_positives"].update(other=10**6), "do not add up to its false positives"),
        (lambda c: _causes(c).update(false_positives={}), "causes"),
        (lambda c: _causes(c)["by_register"].update(tp=[]), "errors by group"),
        (lambda c: _blocks(c)["f1"][1].__setitem__(0, 500.0), "contradict its counts"),
        (lambda c: _blocks(c)["precision"][1].__setitem__(0, 500.0), "contradict its counts"),
        (lambda c: _blocks(c, "88")["fp"][1].__setitem__(0, 0), "contradict its counts"),
        (lambda c: _notes(c, [{}, {}, {}]), "lacks note metrics"),
        (lambda c: c["scores"].update(thresholds=[]), "thresholds"),
        (lambda c: _blocks(c).update({name: [[], [], []] for name in _blocks(c)}), "frames and keys cannot"),
        (lambda c: c["scores"].pop("metric_version"), "metric_version"),
        (lambda c: c.pop("schema"), "schema: Field required"),
        (lambda c: c["scores"]["subject"].pop("provenance"), "simulated, re-enacted or recorded"),
        (lambda c: c["scores"]["subject"].update(limit=1), "first 1 recordings alone"),
        (lambda c: c["scores"]["subject"].update(limit=-1), "limit"),
        (lambda c: c["scores"]["subject"].update(seed=-3), "seed"),
        (lambda c: c.update(stages=[]), "stages"),
        (lambda c: c["times"].update(seconds=1e-300, frames_per_second=1e300), "times.seconds"),
        (lambda c: c["times"].update(seconds=1.0), "times that do not fit its frames"),
        (lambda c: c["times"].update(submitted="lately"), "no date and time"),
        (lambda c: c["times"].update(submitted=None), "times.submitted"),
        (lambda c: c["answers"]["wtc2-01"]["excerpt"].update(start=1000), "ends behind its 1200 frames"),
        (lambda c: c["answers"]["wtc2-01"].update(frames=60), "60 frames answered, 1200 scored"),
        (lambda c: c["scores"]["subject"].update(corpus="audeo"), "its scores are for audeo-wtc2"),
    ],
)
def test_what_cannot_be_is_no_row(tmp_path, make_row, change, said):
    path = write_row(make_row("keywise"), tmp_path)
    _edit(path, change)
    with pytest.raises(AudeoBenchError, match=rf"keywise\.json: .*{said}"):
        read_row(path)
