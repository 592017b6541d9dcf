"""Trainings of one contestant: one line where they differ in the seed alone."""

from __future__ import annotations

import json

import pytest
from tiny_corpus import READER, write_contestant

from audeo_bench.contestants.loading import system
from audeo_bench.leaderboards.boards import read_boards
from audeo_bench.leaderboards.crossing import crossed
from audeo_bench.leaderboards.opponents import opponents
from audeo_bench.leaderboards.rows import read_row, row_path, write_row
from audeo_bench.leaderboards.trainings import trained_on, untrained_name
from audeo_bench.report.boards import build
from audeo_bench.runs.predict import predict
from audeo_bench.runs.task import Task
from audeo_bench.score import value


@pytest.fixture
def trained(make_row):
    """``trained("video2roll@both-seed1", seed=1)``: a row of that training."""

    def make(
        name: str, seed: int | None, right: float = 0.6, data: tuple[str, ...] = ("simulated/wtc1",), **facts
    ):
        row = make_row(name, right, seed=int(100 * right) + 10 * (seed or 0))
        stage = row.stages[0].model_copy(
            update={"name": name, "training_seed": seed, "trained_on": data, **facts}
        )
        return row.model_copy(update={"stages": (stage,)})

    return make


def names(folder) -> list[tuple[str, int]]:
    (board,) = read_boards(folder)
    return [(entry.name, len(entry.rows)) for entry in board.entries]


def test_seeds_are_one_line_with_their_mean_and_spread(tmp_path, trained):
    rows = [
        trained(f"video2roll@both{end}", seed, 0.6 + 0.02 * seed)
        for seed, end in enumerate(("", "-seed1", "-seed2"))
    ]
    for row in (*rows, trained("keywise@both", 0, 0.9)):
        write_row(row, tmp_path)
    (board,) = read_boards(tmp_path)
    assert [(e.name, e.rank, len(e.rows)) for e in board.entries] == [
        ("keywise@both", 1, 1),
        ("video2roll@both", 2, 3),
    ]
    line = board.entries[1]
    each = [100 * value(row.scores, board.measure) for row in rows]
    found = line.numbers(board.measure)
    assert found.values["f1"] == pytest.approx(sum(each) / 3)
    assert found.seeds == pytest.approx(tuple(each))
    assert found.low is not None and found.high is not None and found.low < found.values["f1"] < found.high
    assert board.standing.systems["video2roll@both"].value == pytest.approx(sum(each) / 300)
    assert [row.contestant for row in line.rows] == [row.contestant for row in rows]
    markdown, page = (path.read_text() for path in build(tmp_path))
    shown = f"3 seeds: {min(each):.1f} to {max(each):.1f}"
    assert shown in markdown and shown in page
    assert "| simulated/wtc1 |" in markdown and "trained on simulated/wtc1" in page


def test_further_seeds_of_the_usual_weights_are_one_line_with_them(tmp_path, trained):
    for seed, end in enumerate(("", "@simulated-seed1", "@simulated-seed2")):
        write_row(trained(f"video2roll{end}", seed, 0.6 + 0.02 * seed), tmp_path)
    write_row(trained("video2roll@akbari-seed1", 1), tmp_path)
    assert sorted(names(tmp_path)) == [("video2roll", 3), ("video2roll@akbari-seed1", 1)]


@pytest.mark.parametrize(
    "other",
    [
        {"name": "video2roll@both-seed1", "seed": 0},  # the same seed: they differ in something else
        {"name": "video2roll@both-seed1", "seed": None},
        {"name": "video2roll@both-seed1", "seed": 1, "data": ("akbari/train", "simulated/wtc1")},
        {"name": "video2roll@both-seed1", "seed": 1, "parameters": 5},
        {"name": "video2roll@both-seed1", "seed": 1, "sha256": "c" * 64},
        {"name": "video2roll@akbari-seed1", "seed": 1},
    ],
)
def test_what_differs_in_more_than_the_seed_stays_apart(tmp_path, trained, other):
    write_row(trained("video2roll@both", 0), tmp_path)
    write_row(trained(**other, right=0.5), tmp_path)
    assert names(tmp_path) == [("video2roll@both", 1), (other["name"], 1)]


def test_opponents_are_the_boards_lines(tmp_path, trained):
    rows = [trained("video2roll@both", 0), trained("video2roll@both-seed1", 1), trained("keywise", 0)]
    paths = {row.contestant: write_row(row, tmp_path) for row in rows}
    found = opponents(["leaderboard"], "keywise", paths, read=lambda text: pytest.fail(text))
    assert {name: len(line.trainings) for name, line in found.items()} == {"video2roll@both": 2}


def test_data_of_all_stages_are_named_once(trained):
    first = trained("a", 0, data=("simulated/wtc1~t3", "simulated/wtc1")).stages
    second = trained("b", 0, data=("akbari/train",)).stages
    assert trained_on((*first, *second)) == "akbari/train, simulated/wtc1"
    assert trained_on(trained("c", None, data=()).stages) == "nothing"
    assert untrained_name("keywise@both-seed1+roll2midi@both") == "keywise+roll2midi"


def test_what_stands_on_two_boards_is_put_side_by_side(tmp_path, make_row):
    for split in ("wtc2", "wtc2-24"):
        write_row(make_row("keywise", 0.8, split=split), tmp_path)
    write_row(make_row("video2roll", 0.6), tmp_path)
    table = crossed(read_boards(tmp_path))
    assert table.boards == ("simulated-wtc2", "simulated-wtc2-24")
    assert [line.name for line in table.lines] == ["keywise"]
    assert all(cell and 50 < cell.f1 < 100 for cell in table.lines[0].cells)
    assert "## Trained on, tested on" in build(tmp_path)[0].read_text()


def test_a_row_of_an_older_schema_is_read(tmp_path, make_row):
    path = write_row(make_row("keywise"), tmp_path)
    today = read_row(path)
    content = json.loads(path.read_text())
    content["schema"] = 2
    content["intervals"] = {"draws": 1, "seed": 0, "level": 0.95, "f1": {}}
    for stage in content["stages"]:
        del stage["training_seed"]
    path.write_text(json.dumps(content))
    assert read_row(path) == today and row_path(today, tmp_path) == path


LEARNED = READER.replace(
    'name = "reader"', 'name = "reader"\n    trained_on = ("tiny/wtc1",)\n\n    def load(self, weights): pass'
)


def test_seed_and_cost_of_a_training_come_from_the_record_beside_the_weights(tiny, tmp_path):
    path = write_contestant(tmp_path / "contestants", "reader", LEARNED)
    weights = tmp_path / "weights" / "reader.safetensors"
    weights.parent.mkdir()
    weights.write_bytes(b"learned")
    task = Task(tiny, "wtc2", tmp_path / "runs")
    chosen = system(str(path), [str(weights)])
    record = {
        "seed": 3,
        "weights_sha256": chosen.stages[0].weights_sha256,
        "training_seconds": 60.5,
        "hardware": {"processor": "a processor", "threads": 2},
    }
    weights.with_suffix(".json").write_text(json.dumps(record))
    [stage] = predict(chosen, task).record.stages
    assert stage.training_seed == 3
    assert stage.training is not None
    assert (stage.training.unit, stage.training.cost) == ("CPU-seconds", 121)  # two threads
    record["training_processor_seconds"] = 70.0  # of both, of which the machine gave no more
    weights.with_suffix(".json").write_text(json.dumps(record))
    [stage] = predict(chosen, Task(tiny, "wtc2", tmp_path / "others")).record.stages
    assert stage.training is not None and stage.training.cost == 70
