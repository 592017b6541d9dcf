"""A run keeps what a system answered, resumes, refuses what is no roll, and is scored without the model."""

import errno
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from mounting import mounted
from tiny_corpus import FRAMES, LENGTHENER, READER, TinyCorpus, write_contestant

from audeo_bench.api import AudeoBenchError
from audeo_bench.contestants.answer import check_roll
from audeo_bench.contestants.loading import system
from audeo_bench.contestants.process import Worker
from audeo_bench.records import StoredScores, read, write
from audeo_bench.runs.folder import read_record, read_roll, roll_path, roll_sha256
from audeo_bench.runs.frame_cache import kept_frames
from audeo_bench.runs.predict import predict
from audeo_bench.runs.scoring import score_run
from audeo_bench.runs.task import Task
from audeo_bench.score import Measure, read_scores, value

NOISY = """
import numpy as np

from audeo_bench.api import Frames, VideoToRoll


class Noisy(VideoToRoll):
    name = "noisy"

    def roll(self, frames: Frames) -> np.ndarray:
        return np.random.default_rng(len(frames)).random((88, len(frames)), np.float32)
"""
"""Its rolls hardly compress: 85 KB for the tiny corpus."""


def counting_contestant(folder, name="counting"):
    """A reader that leaves an x in ``<name>.calls`` for every recording it answers for."""
    text = READER.replace(
        "    def roll(self, frames: Frames) -> np.ndarray:\n",
        "    def roll(self, frames: Frames) -> np.ndarray:\n"
        "        from pathlib import Path\n"
        '        with Path(__file__).with_suffix(".calls").open("a") as file:\n'
        '            file.write("x")\n',
    )
    return write_contestant(folder, name, text)


def task(tmp_path, **options) -> Task:
    return Task(TinyCorpus(), "wtc2", tmp_path / "runs", **options)


def folder(tmp_path, system: str):
    return task(tmp_path).folder(system)


def calls(path) -> int:
    return len(path.with_suffix(".calls").read_text())


def test_a_run_keeps_rolls_and_says_what_made_them(tmp_path):
    reader = system(str(write_contestant(tmp_path, "reader", READER)))
    run = predict(reader, task(tmp_path, seed=3))
    folder, record = run.folder, run.record
    assert folder == tmp_path / "runs" / "tiny-wtc2-seed3" / "reader"
    assert record == read_record(folder)
    assert record.status == "success"
    assert record.subject.split_hash == TinyCorpus().split_hash("wtc2")
    assert record.subject.provenance == "simulated"
    assert record.origin.seed == 3
    assert record.stages[0].sha256 == reader.stages[0].sha256
    assert {"python", "numpy", "audeo-bench"} <= set(record.origin.versions)
    assert record.finished is not None
    for name, frames in FRAMES.items():
        roll = read_roll(folder, name)
        assert (roll.shape, roll.dtype) == ((88, frames), np.float32)
        np.testing.assert_array_equal(roll > 0.5, TinyCorpus().recording(name).pressed)
    assert [p.name for p in folder.rglob("*") if p.name.startswith(".")] == [".lock"]


def test_the_same_run_again_asks_nothing(tmp_path):
    path = counting_contestant(tmp_path)
    for _ in range(2):
        predict(system(str(path)), task(tmp_path))
    assert calls(path) == 3


def test_a_changed_contestant_is_asked_again_a_comment_is_no_change(tmp_path, capsys):
    path = counting_contestant(tmp_path)
    predict(system(str(path)), task(tmp_path))
    path.write_text("# A word more.\n" + path.read_text().replace("class Reader", "\n\nclass Reader"))
    predict(system(str(path)), task(tmp_path))
    assert (calls(path), capsys.readouterr().err) == (3, "")
    path.write_text(path.read_text().replace("0.9 / 255", "0.8 / 255"))
    predict(system(str(path)), task(tmp_path))
    assert calls(path) == 6
    assert re.search(r"counting answers anew: \S+/counting\.py changed", capsys.readouterr().err)


@pytest.mark.parametrize("late", [False, True])
def test_a_changed_neighbour_is_asked_again(tmp_path, capsys, late):
    beside = f"loudness_{late}"
    (tmp_path / f"{beside}.py").write_text("GAIN = 0.9\n")
    lines = f"        from {beside} import GAIN\n" if late else ""
    text = READER.replace("0.9 / 255", "GAIN / 255").replace("        columns", f"{lines}        columns")
    text = (
        text if late else text.replace("import numpy as np", f"import numpy as np\nfrom {beside} import GAIN")
    )
    path = write_contestant(tmp_path, f"neighbour_{late}", text)
    first = predict(system(str(path)), task(tmp_path)).record
    assert any(place.endswith(f"{beside}.py") for place in first.stages[0].code)
    (tmp_path / f"{beside}.py").write_text("GAIN = 0.2\n")
    predict(system(str(path)), task(tmp_path))
    assert f"{beside}.py changed" in capsys.readouterr().err


def test_what_a_link_leads_to_and_what_a_class_reads_is_asked_again(tmp_path, capsys):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/linked_gain.py").write_text("GAIN = 0.9\n")
    (tmp_path / "linked_gain.py").symlink_to(tmp_path / "elsewhere/linked_gain.py")
    (tmp_path / "table.json").write_text("[1]")
    text = READER.replace("import numpy as np", "import numpy as np\nfrom linked_gain import GAIN").replace(
        "    def roll", '    reads = ("table.json",)\n    def roll', 1
    )
    path = write_contestant(tmp_path, "linking", text)
    predict(system(str(path)), task(tmp_path))
    for changed, content in (("elsewhere/linked_gain.py", "GAIN = 0.2\n"), ("table.json", "[2]")):
        (tmp_path / changed).write_text(content)
        predict(system(str(path)), task(tmp_path))
        assert f"{changed} changed" in capsys.readouterr().err


@pytest.mark.parametrize("changed", ["editing", "gain_beside"])
def test_code_that_changes_while_it_answers_leaves_no_answer(tmp_path, changed):
    (tmp_path / "gain_beside.py").write_text("GAIN = 0.9\n")
    text = READER.replace("import numpy as np", "import numpy as np\nfrom gain_beside import GAIN")
    edit = f"""open(__file__.replace("editing", "{changed}"), "a").write("\\nMORE = 1\\n")"""
    text = text.replace("        columns", f"        {edit}\n        columns", 1)
    path = write_contestant(tmp_path, "editing", text)
    with pytest.raises(AudeoBenchError, match=rf"{changed}\.py: changed while it was in use"):
        predict(system(str(path)), task(tmp_path))
    assert not read_record(task(tmp_path).folder("editing")).answers


def test_docstrings_count_where_they_are_read(tmp_path, capsys):
    text = READER.replace("0.9 / 255", "float(Reader.__doc__) / 255").replace(
        "class Reader(VideoToRoll):", 'class Reader(VideoToRoll):\n    """0.9"""'
    )
    path = write_contestant(tmp_path, "documented", text)
    predict(system(str(path)), task(tmp_path))
    path.write_text(path.read_text().replace("0.9", "0.2"))
    predict(system(str(path)), task(tmp_path))
    assert "documented.py changed" in capsys.readouterr().err


def test_another_file_of_the_same_name_never_takes_a_run_over(tmp_path):
    for folder_name in ("one", "two"):
        write_contestant(tmp_path / folder_name, "reader", READER)
    predict(system(str(tmp_path / "one" / "reader.py")), task(tmp_path))
    with pytest.raises(
        AudeoBenchError, match=r"holds the answers of \S+one/reader\.py, not of \S+two/reader"
    ):
        predict(system(str(tmp_path / "two" / "reader.py")), task(tmp_path))


def test_a_damaged_answer_is_asked_again(tmp_path):
    path = counting_contestant(tmp_path)
    predict(system(str(path)), task(tmp_path))
    roll_path(folder(tmp_path, "counting"), "wtc2-02").write_bytes(b"PK")
    predict(system(str(path)), task(tmp_path))
    assert calls(path) == 4


def test_an_interrupted_run_is_marked_and_continues(tmp_path, monkeypatch):
    path = counting_contestant(tmp_path)
    answered = []

    def stop_at_the_third(worker, frames, recording, read, roll=Worker.roll):
        if len(answered) == 2:
            raise KeyboardInterrupt
        answered.append(recording)
        return roll(worker, frames, recording, read)

    with monkeypatch.context() as patch:
        patch.setattr(Worker, "roll", stop_at_the_third)
        with pytest.raises(KeyboardInterrupt, match=r"2 of 3 recordings of counting are kept in .*run"):
            predict(system(str(path)), task(tmp_path))
    assert read_record(folder(tmp_path, "counting")).status == "cancelled"
    with pytest.raises(AudeoBenchError, match=r"status is 'cancelled', with 2 recordings answered"):
        score_run(folder(tmp_path, "counting"), corpus=TinyCorpus())
    assert predict(system(str(path)), task(tmp_path)).record.status == "success"
    assert calls(path) == 3


def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    reader = system(str(write_contestant(tmp_path, "reader", READER)))
    with monkeypatch.context() as patch:
        patch.setattr(np, "savez_compressed", full)
        with pytest.raises(OSError, match="No space"):
            predict(reader, task(tmp_path))
    assert list((folder(tmp_path, "reader") / "rolls").iterdir()) == []
    assert read_record(folder(tmp_path, "reader")).status == "error"
    assert predict(reader, task(tmp_path)).record.status == "success"


def test_a_disk_that_is_really_full(tmp_path):
    noisy = system(str(write_contestant(tmp_path, "noisy", NOISY)))
    with mounted(tmp_path / "disk", "size=320k") as disk:
        (disk / "filler").write_bytes(bytes(280_000))  # room for the records, not for the rolls
        with pytest.raises(OSError, match=r"No space left on device: '.*wtc2-0\d.npz'"):
            predict(noisy, Task(TinyCorpus(), "wtc2", disk))
        assert list((disk / "tiny-wtc2" / "noisy" / "rolls").iterdir()) == []
        (disk / "filler").unlink()
        assert predict(noisy, Task(TinyCorpus(), "wtc2", disk)).record.status == "success"


def test_a_chain_shares_its_first_stage(tmp_path):
    first = counting_contestant(tmp_path)
    second = write_contestant(tmp_path, "lengthener", LENGTHENER)
    predict(system(str(first)), task(tmp_path))
    record = predict(system(f"{first}+{second}"), task(tmp_path)).record
    assert calls(first) == 3
    assert [stage.name for stage in record.stages] == ["counting", "lengthener"]
    before = read_record(folder(tmp_path, "counting")).answers["wtc2-01"].seconds
    assert record.answers["wtc2-01"].seconds >= before
    scores = score_run(folder(tmp_path, "counting+lengthener"), corpus=TinyCorpus())
    assert value(scores) == 1.0


def test_scores_are_stored_and_other_thresholds_need_no_model(tmp_path):
    path = counting_contestant(tmp_path)
    predict(system(str(path)), task(tmp_path))
    low = score_run(folder(tmp_path, "counting"), [0.4], TinyCorpus())
    high = score_run(folder(tmp_path, "counting"), [0.95], TinyCorpus())
    assert value(low, Measure("recall")) > 0.9
    assert value(high, Measure("recall", threshold=0.95)) < 0.2
    stored = read_scores(folder(tmp_path, "counting") / "scores.json")
    assert stored.thresholds == high.thresholds == (0.3, 0.4, 0.5, 0.95)
    assert score_run(folder(tmp_path, "counting"), [0.4], TinyCorpus()) == high, "what is there stays"
    assert calls(path) == 3


def test_limit_is_a_marked_quick_look(tmp_path):
    reader = system(str(write_contestant(tmp_path, "reader", READER)))
    run = predict(reader, task(tmp_path, limit=1))
    record = run.record
    assert (record.subject.limit, list(record.answers)) == (1, ["wtc2-01"])
    assert score_run(run.folder, corpus=TinyCorpus()).subject.limit == 1


def test_one_recording_alone_is_the_start_of_the_whole_run(tmp_path):
    first = counting_contestant(tmp_path)
    chain = system(f"{first}+{write_contestant(tmp_path, 'lengthener', LENGTHENER)}")
    one = [TinyCorpus().recording("wtc2-02")]
    record = predict(chain, task(tmp_path), one).record
    assert (record.status, list(record.answers), calls(first)) == ("started", ["wtc2-02"], 1)
    record = predict(chain, task(tmp_path)).record
    assert (record.status, sorted(record.answers), calls(first)) == ("success", sorted(FRAMES), 3)
    record = predict(chain, task(tmp_path), one).record
    assert (record.status, len(record.answers), calls(first)) == ("success", 3, 3)


def test_a_folder_of_another_corpus_is_refused(tmp_path):
    corpus = type("Newer", (TinyCorpus,), {"version": "2"})()
    message = "version 1 of corpus tiny, but now it is 2"
    reader = system(str(write_contestant(tmp_path, "reader", READER)))
    predict(reader, task(tmp_path))
    with pytest.raises(AudeoBenchError, match=message):
        predict(reader, Task(corpus, "wtc2", tmp_path / "runs"))
    with pytest.raises(AudeoBenchError, match=message):
        score_run(folder(tmp_path, "reader"), corpus=corpus)
    assert len(list((folder(tmp_path, "reader") / "rolls").iterdir())) == 3


def test_a_truncated_or_foreign_roll_is_not_scored(tmp_path):
    reader = system(str(write_contestant(tmp_path, "reader", READER)))
    predict(reader, task(tmp_path))
    path = roll_path(folder(tmp_path, "reader"), "wtc2-02")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AudeoBenchError, match=r"wtc2-02\.npz: not a whole array file"):
        score_run(folder(tmp_path, "reader"), corpus=TinyCorpus())
    np.savez_compressed(path, roll=np.zeros((88, FRAMES["wtc2-02"]), np.float32))
    with pytest.raises(AudeoBenchError, match=r"wtc2-02\.npz: not the roll that run\.json names"):
        score_run(folder(tmp_path, "reader"), corpus=TinyCorpus())
    path.unlink()
    with pytest.raises(AudeoBenchError, match=r"wtc2-02\.npz: missing"):
        score_run(folder(tmp_path, "reader"), corpus=TinyCorpus())


def test_a_hand_edited_record_is_refused(tmp_path):
    (tmp_path / "run.json").write_text('{"schema": 3, "status": "success"}')
    with pytest.raises(AudeoBenchError, match=r"run\.json: system: Field required"):
        read_record(tmp_path)
    with pytest.raises(AudeoBenchError, match="not a run folder"):
        read_record(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (np.zeros((88, 4), np.float32), r"of shape \(88, 5\), but its shape is \(88, 4\)\."),
        (np.zeros((5, 88), np.float32), r"but its shape is \(5, 88\); it looks transposed"),
        (np.full((88, 5), np.nan, np.float32), "but 440 values are not finite, first at key 0, frame 0"),
        (np.full((88, 5), 1.5, np.float32), "but its values run from 1.5 to 1.5; apply a sigmoid to logits"),
        (np.zeros((88, 5), np.int64), "but its dtype is int64"),
        (None, "but its dtype is object"),
        ([[1.0], [1.0, 2.0]], "but it is list, which is no array"),
    ],
)
def test_what_is_no_roll_is_refused(answer, found):
    with pytest.raises(AudeoBenchError, match=rf"^mine, recording wtc2-01: the answer must be .*{found}"):
        check_roll(answer, 5, "mine", "wtc2-01")


def test_a_roll_may_be_bool_or_any_float_or_a_tensor():
    import torch

    roll = np.random.default_rng(0).random((88, 5)) > 0.5
    for answer in (roll, roll.astype(np.float64), torch.from_numpy(roll).float().requires_grad_()):
        checked = check_roll(answer, 5, "mine", "wtc2-01")
        assert checked.dtype == np.float32
        np.testing.assert_array_equal(checked, roll)


def test_a_contestant_that_fails_is_named_with_its_line(tmp_path):
    text = READER.replace("columns = [", "columns = [1 / 0 or ")
    reader = system(str(write_contestant(tmp_path, "reader", text)))
    message = r"reader\.py, line \d+: reader failed on recording wtc2-01: ZeroDivisionError: division by zero"
    with pytest.raises(AudeoBenchError, match=message):
        predict(reader, task(tmp_path))
    record = read_record(folder(tmp_path, "reader"))
    assert record.status == "error"
    assert record.error is not None
    assert "ZeroDivisionError" in record.error


def test_random_contestants_repeat_themselves_under_a_seed(tmp_path):
    text = READER.replace(
        "return np.concatenate", "return np.random.rand(88, len(frames)) + 0 * np.concatenate"
    )
    reader = system(str(write_contestant(tmp_path, "reader", text)))
    one, two = (predict(reader, Task(TinyCorpus(), "wtc2", tmp_path / name, seed=5)) for name in "ab")
    other = predict(reader, task(tmp_path, seed=6))
    hashes = [[answer.roll_sha256 for answer in run.record.answers.values()] for run in (one, two, other)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_frames_are_read_once_for_several_systems(tmp_path):
    reads = []

    class Counted:
        shape = (30, 100, 900)

        def __len__(self):
            return 30

        def __getitem__(self, window):
            reads.append((window.start, window.stop))
            return np.arange(30, dtype=np.uint8)[window, None, None] * np.ones((1, 100, 900), np.uint8)

    recording = replace(TinyCorpus().recording("wtc2-01"), frames=Counted())
    with kept_frames([recording], tmp_path) as (kept,):
        for window in (slice(0, 10), slice(5, 20), slice(0, 30), slice(8, 12)):
            assert kept.frames[window][:, 0, 0].tolist() == list(range(30))[window]
        assert reads == [(0, 10), (10, 20), (20, 30)]
    assert list(tmp_path.iterdir()) == []


def test_where_the_disk_is_short_frames_are_not_kept(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)

    class Drawn:
        shape = (30, 100, 900)

    recording = replace(TinyCorpus().recording("wtc2-01"), frames=Drawn())
    with kept_frames([recording], tmp_path) as kept:
        assert list(kept) == [recording]


def test_half_precision_is_compared_as_it_was_answered(tmp_path):
    """0.4 in float16 is less than 0.4 in float32, and a perfect answer all the same."""
    text = READER.replace("np.float32(0.9 / 255)", "np.float32(0.4 / 255)").replace(
        "return np.concatenate(columns, axis=1) * np.float32(0.4 / 255)",
        "return (np.concatenate(columns, axis=1) * np.float32(0.4 / 255)).astype(np.float16)",
    )
    run = predict(system(str(write_contestant(tmp_path, "half", text))), task(tmp_path))
    assert read_roll(run.folder, "wtc2-01").dtype == np.float16
    assert value(score_run(run.folder, corpus=TinyCorpus()), Measure("precision", "micro")) == 1.0
    assert value(score_run(run.folder, corpus=TinyCorpus()), Measure("recall", "micro")) > 0.9


def test_a_folder_that_may_not_be_written_is_scored(tmp_path, monkeypatch):
    run = predict(system(str(write_contestant(tmp_path, "reader", READER))), task(tmp_path))

    def refuse(*arguments):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("audeo_bench.runs.scoring.write", refuse)
    assert value(score_run(run.folder, corpus=TinyCorpus()), Measure("precision", "micro")) == 1.0
    assert not (run.folder / "scores.json").exists()


def test_scores_of_other_rolls_are_made_again(tmp_path):
    run = predict(system(str(write_contestant(tmp_path, "reader", READER))), task(tmp_path))
    first = score_run(run.folder, corpus=TinyCorpus())
    path = write_contestant(tmp_path, "reader", READER.replace("0.9 / 255", "0.3 / 255"))
    predict(system(str(path)), task(tmp_path))
    assert score_run(run.folder, corpus=TinyCorpus()) != first


def test_only_the_authors_answers_may_leave_frames_out(tmp_path):
    run = predict(system(str(write_contestant(tmp_path, "reader", READER))), task(tmp_path))
    roll, some = read_roll(run.folder, "wtc2-01"), np.zeros(FRAMES["wtc2-01"], bool)
    some[:60] = True
    run.keep("wtc2-01", roll, some)
    with pytest.raises(AudeoBenchError, match="some of its frames only"):
        score_run(run.folder, corpus=TinyCorpus())
    run.update(answers={name: run.record.answers[name] for name in ("wtc2-02", "wtc2-03")})
    with pytest.raises(AudeoBenchError, match=r"wtc2-01\.npz: not the roll that run\.json names"):
        score_run(run.folder, corpus=TinyCorpus())


def test_the_truths_provenance_is_the_corpuses(tmp_path):
    run = predict(system(str(write_contestant(tmp_path, "reader", READER))), task(tmp_path))
    run.update(subject=run.record.subject.model_copy(update={"provenance": "recorded"}))
    with pytest.raises(AudeoBenchError, match="provenance recorded of corpus tiny, but now it is simulated"):
        score_run(run.folder, corpus=TinyCorpus())


@pytest.fixture
def answered(tmp_path):
    """The folder of a run that is scored."""
    run = predict(system(str(write_contestant(tmp_path, "reader", READER))), task(tmp_path))
    score_run(run.folder, corpus=TinyCorpus())
    return run.folder


def again(folder):
    """The same command, as after an edit of the run folder."""
    reader = system(str(folder.parents[2] / "reader.py"))
    return score_run(predict(reader, task(folder.parents[2])).folder, corpus=TinyCorpus())


def edit(path, change) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def perfect_f1(stored):
    for recording in stored["scores"]["recordings"].values():
        for blocks in recording["blocks"].values():
            blocks["f1"] = blocks["frames"]


def another_recording(stored):
    """What no bound and no count gives away."""
    recordings = stored["scores"]["recordings"]
    recordings["wtc2-02"]["notes"], recordings["wtc2-03"]["notes"] = None, None


def first_alone(stored):
    del stored["scores"]["recordings"]["wtc2-02"], stored["scores"]["recordings"]["wtc2-03"]


@pytest.mark.parametrize("change", [perfect_f1, another_recording, first_alone])
def test_edited_scores_are_made_again(answered, change, capsys):
    true = score_run(answered, corpus=TinyCorpus())
    edit(answered / "scores.json", change)
    assert score_run(answered, corpus=TinyCorpus()) == true
    assert "scores.json: " in (said := capsys.readouterr().err) and "the rolls are scored anew" in said
    assert score_run(answered, corpus=TinyCorpus()) == true
    assert capsys.readouterr().err == ""


def test_scores_of_some_recordings_alone_are_not_all(answered):
    stored = read(answered / "scores.json", StoredScores)
    first = {"wtc2-01": stored.scores.recordings["wtc2-01"]}
    part = stored.scores.model_copy(update={"recordings": first})
    write(answered / "scores.json", StoredScores.of(stored.rolls, part))
    assert score_run(answered, corpus=TinyCorpus()) == stored.scores


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c["subject"].update(limit=-1), "subject.limit"),
        (lambda c: c["subject"].update(seed=-3), "subject.seed"),
        (lambda c: c.update(stages=[]), "stages"),
        (lambda c: c["answers"]["wtc2-01"].update(seconds=1e308), "answers.wtc2-01.seconds"),
        (lambda c: c["answers"]["wtc2-01"].update(seconds=1e-300), "answers.wtc2-01.seconds"),
        (lambda c: c["answers"]["wtc2-01"].update(frames=7), "says 7 frames of wtc2-01, its roll .* 120"),
    ],
)
def test_what_no_run_says_is_refused(answered, change, said):
    edit(answered / "run.json", change)
    (answered / "scores.json").unlink()
    with pytest.raises(AudeoBenchError, match=rf"run\.json: .*{said}"):
        score_run(answered, corpus=TinyCorpus())


@pytest.mark.parametrize("emptied", ["stages", "corpus_code"])
def test_a_run_that_names_no_code_is_not_current(answered, emptied, capsys):
    def empty(content):
        if emptied == "stages":
            content["stages"][0]["code"] = {}
        else:
            content["corpus_code"] = {}

    edit(answered / "run.json", empty)
    again(answered)
    assert "reader answers anew: run.json does not say from which code" in capsys.readouterr().err
    again(answered)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda roll: roll * np.nan, "no probabilities"),
        (lambda roll: roll * np.inf, "no probabilities"),
        (lambda roll: roll - 1, "no probabilities"),
        (lambda roll: roll + 1, "no probabilities"),
        (lambda roll: roll[:, :7], "7 frames, the recording has 120"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_an_altered_roll_is_named_and_answered_anew(answered, change, said, capsys):
    true, roll = score_run(answered, corpus=TinyCorpus()), change(read_roll(answered, "wtc2-01"))
    np.savez_compressed(roll_path(answered, "wtc2-01"), roll=roll)
    edit(answered / "run.json", lambda c: c["answers"]["wtc2-01"].update(roll_sha256=roll_sha256(roll)))
    with pytest.raises(AudeoBenchError, match=rf"wtc2-01\.npz: .*{said}"):
        score_run(answered, corpus=TinyCorpus())
    assert again(answered) == true
    assert "reader answers wtc2-01 anew" in capsys.readouterr().err
