"""``compare``, ``join``, ``submit``, ``leaderboard``, ``fidelity`` as typed, and the names for notebooks."""

import json
from pathlib import Path

import numpy as np
import pytest
from tiny_corpus import FRAMES, LENGTHENER, READER, TinyCorpus, write_contestant
from typer.testing import CliRunner

import audeo_bench
from audeo_bench.cli import app
from audeo_bench.leaderboards.rows import write_row
from audeo_bench.score import score

PLACE = ("--corpus", "tiny")


@pytest.fixture
def here(tiny, tmp_path, monkeypatch):
    """A working folder with boards of its own, two contestants, and the corpus ``tiny``."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "leaderboards").mkdir()
    write_contestant(tmp_path, "reader", READER)
    write_contestant(tmp_path, "lengthener", LENGTHENER)
    return tmp_path


def run(*arguments: str, code: int = 0):
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == code, result.output
    return result


def refused(*arguments: str) -> str:
    lines = run(*arguments, code=2).stderr.strip().splitlines()
    assert lines[-1].startswith("audeo-bench: error: ")
    return lines[-1]


def test_a_new_contestant_is_compared_with_the_leaderboard(here):
    run("midi", *PLACE, "--system", "./reader.py", "--no-figure")
    run("submit", "runs/tiny-wtc2/reader")
    out = run("compare", "./reader.py+./lengthener.py", *PLACE, "--against", "leaderboard").stdout
    assert "reader+lengthener against 1 on tiny wtc2 (simulated)" in out
    assert "wtc2-03" in out and "Ranks" in out
    answer = json.loads(run("compare", "./reader.py+./lengthener.py", *PLACE, "--json").stdout)
    (found,) = answer["comparisons"]
    # The lengthener adds the frame that rings on: exactly the truth.
    assert found["right"] == "reader" and found["difference"] > 0.03
    assert set(found["recordings"]) == set(FRAMES) and min(found["recordings"].values()) > 0
    # Three recordings of less than 20 s are three blocks, too few for any p below 5 %.
    assert found["verdict"] == "no difference shown"
    assert {place["name"] for place in answer["ranks"]} == {"reader", "reader+lengthener"}


def test_against_a_run_a_stage_and_a_system(here):
    run("midi", *PLACE, "--system", "./reader.py+./lengthener.py", "--no-figure")
    run("submit", "runs/tiny-wtc2/reader+lengthener")

    def opponents(*against: str) -> list[str]:
        arguments = [part for text in against for part in ("--against", text)]
        answer = json.loads(run("compare", "./reader.py", *PLACE, *arguments, "--json").stdout)
        return [found["right"] for found in answer["comparisons"]]

    assert opponents("runs/tiny-wtc2/reader+lengthener") == ["reader+lengthener"]
    assert opponents("lengthener") == ["reader+lengthener"]
    assert opponents("./reader.py+./lengthener.py") == ["reader+lengthener"]
    assert opponents("./reader.py") == ["reader (./reader.py)"]


def test_weights_may_be_for_either_side(here):
    weighed = READER.replace(
        '    name = "reader"\n', '    name = "weighed"\n    def load(self, weights): pass\n'
    )
    (here / "weighed.py").write_text(weighed.replace("class Reader", "class Weighed"))
    (here / "some.weights").write_text("")
    for pair in (["./weighed.py", "--against", "./reader.py"], ["./reader.py", "--against", "./weighed.py"]):
        run("compare", *pair, *PLACE, "--weights", "weighed=some.weights")


def test_two_files_of_one_name_are_two_systems(here):
    (here / "other").mkdir()
    (here / "other/reader.py").write_text(READER.replace("0.9 / 255", "0.8 / 255"))
    answer = run("compare", "./reader.py", "--against", "./other/reader.py", *PLACE, "--json")
    (found,) = json.loads(answer.stdout)["comparisons"]
    assert found["right"].startswith("reader-")


def test_answers_join_are_compared_and_submitted(here):
    folder = here / "mine"
    folder.mkdir()
    for name in FRAMES:
        np.savez(folder / f"{name}.npz", roll=TinyCorpus().recording(name).sounding.astype(np.float32))
    (folder / "wtc2-01.npz").rename(here / "away.npz")
    result = run("join", "mine", *PLACE, code=2)
    assert result.stderr == "audeo-bench: error: mine: wtc2-01: no wtc2-01.npz or wtc2-01.mid.\n"
    (here / "away.npz").rename(folder / "wtc2-01.npz")
    assert "wtc2-01; a contestant that saw" in refused("join", "mine", *PLACE, "--trained-on", "tiny/wtc2-01")
    said = run("join", "mine", *PLACE, "--trained-on", "maestro/v3").stdout
    assert "mark       unknown training data: maestro/v3" in said
    run("join", "mine", *PLACE, "--trained-on", "tiny/wtc1")
    run("submit", "runs/tiny-wtc2/mine")
    run("compare", "mine", *PLACE, "--against", "./reader.py")


def test_boards_are_built_checked_and_verified(here):
    run("midi", *PLACE, "--system", "./reader.py", "--no-figure")
    run("submit", "runs/tiny-wtc2/reader")
    assert "differ from a fresh build" in refused("leaderboard", "build", "--check")
    run("leaderboard", "build")
    run("leaderboard", "build", "--check")
    assert "only reported" in (here / "leaderboards" / "README.md").read_text()
    assert run("leaderboard", "verify").stdout.startswith("verified  tiny-wtc2/reader")
    run("leaderboard", "build")
    assert "| verified from rolls " in (here / "leaderboards" / "README.md").read_text()


def test_each_fault_is_one_line(here, make_row):
    assert "no rows to compare with" in refused("compare", "./reader.py", *PLACE)
    assert "write <average>" in refused("compare", "./reader.py", *PLACE, "--metric", "f1")
    assert "no such folder" in refused("join", "nowhere", *PLACE)
    assert "not a run folder" in refused("submit", "runs/nowhere")
    assert "no such folder" in refused("leaderboard", "build", "--boards", "nowhere", "--check")
    row = write_row(make_row("keywise"), here / "leaderboards")
    row.write_text(row.read_text().replace('"frames": 1200', '"frames": "1200"', 1))
    for command in (("leaderboard", "build"), ("leaderboard", "verify"), ("fidelity",)):
        assert "keywise.json: answers" in refused(*command)


def test_a_run_of_other_recordings_is_not_compared(here, make_row):
    write_row(make_row("keywise"), here / "leaderboards")
    (here / "leaderboards" / "simulated-wtc2").rename(here / "leaderboards" / "tiny-wtc2")
    assert "the row says simulated-wtc2" in refused("compare", "./reader.py", *PLACE)


def test_check_says_what_holds_and_fails_for_what_does_not(here):
    assert "pass" in run("check", "./lengthener.py").stdout
    assert "unknown contestant" in run("check", "nobody", code=1).stdout


def test_fidelity_stands_paper_and_reproduction_side_by_side(here, make_row):
    for name, right in (("resnet", 0.5), ("video2roll", 0.7), ("video2roll+roll2midi", 0.6)):
        write_row(make_row(name, right, seed=int(10 * right)), here / "leaderboards")
    answer = json.loads(run("fidelity", "--format", "json").stdout)
    cells = {(c["row"], c["column"], c["variant"]): c for c in answer["cells"]}
    cell = cells[("ResNet [27]", "f1", "frame_mean, 51 keys, threshold 0.4")]
    assert cell["paper"] == 49.7 and cell["provenance"] == "simulated"
    assert cell["difference"] == pytest.approx(cell["reproduced"] - 49.7)
    assert (cell["verdict"], cell["low"] > 49.75) == ("above", True)
    missing = cells[("ResNet+Aggregation+slope [27]", "f1", "frame_mean, 51 keys, threshold 0.4")]
    assert missing["verdict"] == "not reproduced"
    order = next(order for order in answer["orders"] if order["column"] == "f1")
    assert any("video2roll+roll2midi" in pair for pair in order["broken"])
    assert sum(cell["table"] == "Table 2" for cell in answer["cells"]) == 15
    assert sum(cell["note"] is not None for cell in answer["cells"]) == 2
    markdown = run("fidelity", "--format", "markdown").stdout
    assert "| ResNet [27] at 0.4 | f1 | 49.7 |" in markdown
    assert "Contradicts" in run("fidelity").stdout


def test_the_ten_lines_of_the_readme_join(here):
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    lines = readme.partition("Save this as `my_model.py`")[2].partition("```python\n")[2].partition("```")[0]
    (here / "my_model.py").write_text(lines)
    assert "fail" not in run("check", "./my_model.py").stdout
    run("midi", *PLACE, "--system", "./my_model.py", "--limit", "1", "--no-figure")
    run("compare", "./my_model.py", *PLACE, "--against", "./reader.py")
    run("submit", "runs/tiny-wtc2/my_model")
    run("leaderboard", "build")
    assert "my\\_model" in (here / "leaderboards" / "README.md").read_text()


def test_names_for_notebooks(here):
    run("midi", *PLACE, "--system", "./reader.py+./lengthener.py", "--no-figure")
    run("submit", "runs/tiny-wtc2/reader+lengthener")
    table = audeo_bench.load_run("runs/tiny-wtc2/reader")
    assert {"recording", "metric", "value"} <= set(table.columns)
    difference = audeo_bench.compare("runs/tiny-wtc2/reader", "runs/tiny-wtc2/reader+lengthener")
    assert difference["difference"][0] < 0
    board = audeo_bench.leaderboard("tiny-wtc2")
    assert list(board["contestant"]) == ["reader+lengthener"]
    assert board["f1"][0] == pytest.approx(1)
    roll = np.eye(88, dtype=bool)
    assert set(score(roll, roll.astype(float))["value"]) == {1.0}
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        audeo_bench.nothing  # noqa: B018
