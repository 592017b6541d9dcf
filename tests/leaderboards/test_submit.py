"""From a run to a row, and who is kept off a board."""

import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from tiny_corpus import READER

from audeo_bench.api import AudeoBenchError
from audeo_bench.corpus import CORPORA
from audeo_bench.corpus.sets.here import open_set
from audeo_bench.leaderboards.leaks import check_training
from audeo_bench.leaderboards.rows import read_row
from audeo_bench.leaderboards.submit import credit_of, make_row, submit
from audeo_bench.leaderboards.verify import verify
from audeo_bench.records import as_text, write
from audeo_bench.report.boards import build
from audeo_bench.runs.folder import read_record, roll_path
from audeo_bench.score import Measure, value


def trained_on(*names: str) -> str:
    return READER.replace('name = "reader"', f'name = "reader"\n    trained_on = {names!r}')


def test_a_run_becomes_a_row(tiny_run, tmp_path):
    row = read_row(submit(tiny_run(), tmp_path / "leaderboards"))
    assert (row.board, row.contestant, row.answered_by) == ("tiny-wtc2", "reader", "harness")
    assert set(row.answers) == {"wtc2-01", "wtc2-02", "wtc2-03"}
    # The reader sees pressed keys; the truth rings a frame longer: nothing wrong, something missing.
    assert value(row.scores, Measure("precision", "micro")) == 1.0
    assert 0.7 < value(row.scores, Measure("recall", "micro")) < 1.0
    assert row.origin.command == "audeo-bench midi"


def test_the_same_command_gives_the_same_row_apart_from_times(tiny_run):
    texts = []
    for _ in range(2):
        row = make_row(run := tiny_run())
        texts.append(as_text(row.model_copy(update={"times": row.times.model_copy(update=TIMELESS)})))
        for path in run.rglob("*.npz"):
            path.unlink()
        (run / "run.json").unlink()
    assert texts[0] == texts[1]


TIMELESS = {"started": None, "submitted": "", "seconds": None, "frames_per_second": None}


def test_a_row_is_replaced_only_when_asked(tiny_run, tmp_path):
    run, boards = tiny_run(), tmp_path / "leaderboards"
    first = submit(run, boards)
    with pytest.raises(AudeoBenchError, match="--replace"):
        submit(run, boards)
    assert submit(run, boards, replace=True) == first
    assert submit(run, boards, name="my second try") != first


def test_a_quick_look_is_for_no_board(tiny_run):
    with pytest.raises(AudeoBenchError, match="quick look at 1 recordings"):
        make_row(tiny_run(limit=1))


def test_an_unfinished_run_is_for_no_board(tiny_run):
    record = read_record(run := tiny_run())
    write(run / "run.json", record.model_copy(update={"status": "cancelled"}))
    with pytest.raises(AudeoBenchError, match="cancelled"):
        make_row(run)


def test_a_roll_that_was_changed_is_refused(tiny_run):
    run = tiny_run()
    np.savez_compressed(roll_path(run, "wtc2-01"), roll=np.zeros((88, 120), np.float32))
    with pytest.raises(AudeoBenchError, match=r"not the roll that run\.json names"):
        make_row(run)


@pytest.mark.parametrize("name", ["tiny/wtc2", "tiny/wtc2-02"])
def test_who_saw_a_test_recording_is_refused(tiny_run, name):
    with pytest.raises(AudeoBenchError, match="test recording wtc2-0"):
        make_row(tiny_run(text=trained_on("tiny/wtc1", name)))


def test_who_trained_on_the_composition_in_another_performance_is_marked():
    from audeo_bench.corpus import open_corpus

    marks = check_training(("simulated/wtc2-01~t1",), open_corpus("simulated"), "wtc2", "mine")
    assert marks == ("same composition: trained on wtc2-01's composition in simulated/wtc2-01~t1",)


def test_who_saw_the_whole_recording_saw_a_stretch_of_it():
    from audeo_bench.corpus import open_corpus

    with pytest.raises(AudeoBenchError, match="test recording wtc2-02@30s"):
        check_training(("simulated/wtc2-02",), open_corpus("simulated"), "wtc2-24", "mine")


@pytest.mark.parametrize("name", ["audeo-films-found/wtc2", "pianoyt/{number}"])
def test_a_film_is_the_same_recording_in_whatever_set_it_stands(name):
    """Three sets list the paper's test films; here they need not be."""
    films = {film.id: film for film in open_set("audeo-films")[0].films}
    (number,) = (film.id for film in open_set("pianoyt")[0].films if film.youtube == films["wtc2-02"].youtube)
    tested = SimpleNamespace(
        name="audeo-films",
        seed=0,
        ids=lambda split: [film.id for film in films.values() if film.split == split],
        work=lambda recording: films[recording].played,
        whole=lambda recording: recording,
    )
    with pytest.raises(AudeoBenchError, match="test recording wtc2-0"):
        check_training((name.format(number=number),), tested, "wtc2", "mine")  # type: ignore[arg-type]
    assert check_training(("audeo-films-found/wtc1",), tested, "wtc2", "mine") == ()  # type: ignore[arg-type]


def test_training_data_nobody_here_knows_is_marked(tiny):
    assert check_training(("maestro/v3",), tiny, "wtc2", "mine") == ("unknown training data: maestro/v3",)
    assert check_training(("tiny/wtc1", "tiny/wtc1-01~t2", "tiny/wtc1~t1"), tiny, "wtc2", "mine") == ()
    with pytest.raises(AudeoBenchError, match="corpus/split"):
        check_training(("everything",), tiny, "wtc2", "mine")


def test_weights_must_say_what_they_saw(tiny_run):
    record = read_record(run := tiny_run())
    stage = record.stages[0].model_copy(update={"weights_sha256": "a" * 64})
    write(run / "run.json", record.model_copy(update={"stages": (stage,)}))
    with pytest.raises(AudeoBenchError, match="does not say what they saw"):
        make_row(run)


def test_two_processes_may_submit_at_once(tiny_run, tmp_path):
    run, boards = tiny_run(), tmp_path / "leaderboards"
    # The row is made before the lock is taken, so both processes reach it together.
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from audeo_bench.api import AudeoBenchError\n"
        "from audeo_bench.corpus import CORPORA\n"
        "from audeo_bench.leaderboards.submit import submit\n"
        "CORPORA['tiny'] = 'tiny_corpus:TinyCorpus'\n"
        "try: print(submit(Path(sys.argv[2]), Path(sys.argv[3])))\n"
        "except AudeoBenchError as fault: print('error:', fault)\n"
    )
    command = [sys.executable, "-c", script, str(Path(__file__).parents[1]), str(run), str(boards)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = sorted(process.communicate(timeout=120)[0] for process in both)
    assert answers[0].endswith("reader.json\n")
    assert answers[1].startswith("error:") and "--replace" in answers[1]
    read_row(boards / "tiny-wtc2" / "reader.json")
    assert [p.name for p in (boards / "tiny-wtc2").iterdir()] == ["reader.json"]


def test_a_mark_stays_where_rolls_are_and_films_are_not(tiny_run, tmp_path, monkeypatch):
    boards = tmp_path / "leaderboards"
    submit(tiny_run(), boards)
    verify(boards, tmp_path / "runs")
    monkeypatch.delitem(CORPORA, "tiny")
    (found,) = verify(boards, tmp_path / "runs")
    assert found.state == "verified" and "unchanged since" in found.words


def test_verify_marks_rows_by_what_their_rolls_say(tiny_run, tmp_path):
    boards, runs = tmp_path / "leaderboards", tmp_path / "runs"
    path = submit(run := tiny_run(), boards)
    (found,) = verify(boards, runs)
    rolls = read_row(path).rolls_sha256
    assert (found.state, found.words) == ("verified", f"equal to {run}, from rolls {rolls[:12]}…")
    (elsewhere,) = verify(boards, tmp_path / "no-runs")
    assert elsewhere.state == "verified" and "unchanged since" in elsewhere.words

    content = json.loads(path.read_text())
    content["scores"]["recordings"]["wtc2-01"]["blocks"]["51"]["f1"][1][0] -= 0.001
    path.write_text(json.dumps(content))
    (another_than_it_is,) = verify(boards, runs)
    assert another_than_it_is.state == "wrong"
    assert "scores.recordings.wtc2-01.blocks.51.f1" in another_than_it_is.words
    assert verify(boards, tmp_path / "no-runs")[0].state == "reported"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c["scores"]["subject"].pop("truth"), "scores.subject.truth is None, recomputed sounding"),
        (lambda c: c["scores"]["subject"].update(truth_by="me"), "scores.subject.truth_by is me"),
        (
            lambda c: c["stages"][0].update(configuration={}),
            "stages.0.configuration.gain is None, recomputed",
        ),
        (
            lambda c: c["stages"][0].pop("code_sha256"),
            "stages.0.code_sha256 is None, recomputed [0-9a-f]{12}…;",
        ),
    ],
)
def test_a_row_that_leaves_out_what_is_known_is_not_verified(tiny_run, tmp_path, change, said):
    boards = tmp_path / "leaderboards"
    text = READER.replace(
        "    def roll", '    def describe(self):\n        return {"gain": 0.9}\n\n    def roll'
    )
    path = submit(tiny_run(text=text), boards)
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    (found,) = verify(boards, tmp_path / "runs")
    assert found.state == "wrong"
    assert re.search(said, found.words)


def test_a_row_from_before_a_field_that_says_nothing_is_verified(tiny_run, tmp_path):
    path = submit(tiny_run(), tmp_path / "leaderboards")
    content = json.loads(path.read_text())
    del content["scores"]["subject"]["films_here"]
    path.write_text(json.dumps(content))
    assert verify(tmp_path / "leaderboards", tmp_path / "runs")[0].state == "verified"


def test_equal_rolls_of_other_code_are_equal(tiny_run, tmp_path):
    boards, runs = tmp_path / "leaderboards", tmp_path / "runs"
    submit(tiny_run(), boards)
    tiny_run(text=READER + "\nUNUSED = 1\n")
    (found,) = verify(boards, runs)
    assert found.state == "verified" and found.words.endswith("answered by other code than now")
    tiny_run(text=READER.replace("0.9 / 255", "0.8 / 255"))
    (found,) = verify(boards, runs)
    assert found.state == "wrong"


def test_weights_of_a_smoke_training_are_for_no_board(tiny_run):
    record = read_record(run := tiny_run())
    stage = record.stages[0].model_copy(update={"configuration": {"smoke": True}})
    write(run / "run.json", record.model_copy(update={"stages": (stage,)}))
    with pytest.raises(AudeoBenchError, match="reader has the weights of a smoke training"):
        make_row(run)


@pytest.mark.parametrize("name", ["wtc2-04", "../../../x"])
def test_an_answer_for_no_recording_of_the_split_is_refused(tiny_run, name):
    record = read_record(run := tiny_run())
    answers = record.answers | {name: record.answers["wtc2-01"]}
    write(run / "run.json", record.model_copy(update={"answers": answers}))
    with pytest.raises(AudeoBenchError, match=rf"run\.json: answers for '{name}', which is none of the 3"):
        make_row(run)
    assert set(make_row(tiny_run()).answers) == {"wtc2-01", "wtc2-02", "wtc2-03"}  # the same command heals it


def test_verify_finds_a_row_whose_hash_is_not_its_rolls(tiny_run, tmp_path):
    boards, runs = tmp_path / "leaderboards", tmp_path / "runs"
    path = submit(tiny_run(), boards)
    content = json.loads(path.read_text())
    content["answers"]["wtc2-03"]["roll_sha256"] = "0" * 64
    path.write_text(json.dumps(content))
    (found,) = verify(boards, runs)
    assert found.state == "wrong" and "hashes are not those of the rolls" in found.words


def test_a_row_says_who_made_its_model(tiny_run, tmp_path):
    credit = credit_of("A. Pianist", "https://example.org/paper", "https://example.org/code")
    folder = tmp_path / "leaderboards"
    row = read_row(submit(tiny_run(), folder, credit=credit))
    assert row.credit == credit
    page = build(folder)[1].read_text()
    assert '<a href="https://example.org/paper" rel="noopener">paper</a>' in page
    assert "A. Pianist" in page


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "example.org", "https://a b", 'https://a"onclick']
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(AudeoBenchError, match=r"submit --paper .* give an address"):
        credit_of(paper=address)
