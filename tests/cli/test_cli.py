"""The command line: fast help, tables and JSON, and one line for every fault."""

import errno
import json
import os
import re
import resource
import shlex
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tiny_corpus import LENGTHENER, READER, write_contestant
from typer.testing import CliRunner

from audeo_bench import __version__, corpus
from audeo_bench.cli import app
from audeo_bench.contestants import loading

TINY_COMMAND = Path(__file__).parents[1] / "tiny_command.py"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working folder in which the corpus ``tiny`` and two contestants are known."""
    monkeypatch.setitem(corpus.CORPORA, "tiny", "tiny_corpus:TinyCorpus")
    monkeypatch.chdir(tmp_path)
    write_contestant(tmp_path, "reader", READER)
    write_contestant(tmp_path, "lengthener", LENGTHENER)
    return tmp_path


def run(*arguments: str, code: int = 0):
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == code, result.output
    return result


def refused(*arguments: str, code: int = 2) -> str:
    """The one line on stderr."""
    lines = run(*arguments, code=code).stderr.strip().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("audeo-bench: error: ")
    return lines[0]


def test_version():
    assert run("--version").stdout == f"audeo-bench {__version__}\n"


def test_help_imports_nothing_heavy():
    """What makes start-up slow is imports, so they are what is held."""
    code = "import sys; import audeo_bench.cli; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"numpy", "torch", "pandas", "pydantic", "matplotlib", "scipy", "av", "rich"} & set(loaded)


def test_help_is_fast():
    """Processor time, so that a busy machine does not fail it."""

    def spent() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    times = []
    for _ in range(3):
        before = spent()
        subprocess.run([sys.executable, "-m", "audeo_bench", "--help"], capture_output=True, check=True)
        times.append(spent() - before)
    assert min(times) < 0.3


@pytest.mark.parametrize("command", ["midi", "score", "train"])
def test_every_command_has_an_example(command):
    assert "audeo-bench" in run(command, "--help").stdout


def test_midi_prints_reported_beside_reproduced(here, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    out = run("midi", "--corpus", "tiny", "--system", "./reader.py+./lengthener.py", "--per-recording").stdout
    assert "Table 1 (simulated: corpus tiny 1, wtc2, 255 frames; frame_mean, 51 keys, %)" in out
    assert re.search(r"Video2Roll Net +│.*│ +0\.4 │ paper +│ +61\.2 │ +65\.6 │ +46\.4 │ +56\.4", out)
    assert re.search(
        r"reader\+lengthener +│.*│ +0\.4 │ simulated +│ +100\.0 │ +100\.0 │ +100\.0 │ +100\.0", out
    )
    assert "QUICK LOOK" not in out
    assert (here / "runs" / "tiny-wtc2" / "reader+lengthener" / "figure.png").stat().st_size > 5000
    assert (here / "runs" / "tiny-wtc2" / "reader" / "run.json").exists()


def test_a_reproduced_row_shows_its_difference(here, monkeypatch):
    """A contestant that bears a paper system's name stands beside the paper's row."""
    monkeypatch.setattr(loading, "_name", lambda path: path.stem)
    write_contestant(here, "resnet", READER)
    answer = run("midi", "--corpus", "tiny", "--system", "./resnet.py", "--json", "--no-figure")
    reported, reproduced = json.loads(answer.stdout)["rows"][:2]
    assert (reported["source"], reported["values"]["f1"]) == ("paper", 49.7)
    assert (reproduced["source"], reproduced["system"]) == ("simulated", "resnet")
    assert reproduced["difference"]["f1"] == pytest.approx(reproduced["values"]["f1"] - 49.7)


def test_a_limited_run_says_so_and_stands_apart(here):
    out = run("midi", "--corpus", "tiny", "--system", "./reader.py", "--limit", "1", "--no-figure").stdout
    assert "QUICK LOOK, first 1 recordings only, for no board" in out
    assert (here / "runs" / "tiny-wtc2-limit1" / "reader").is_dir()
    assert not (here / "runs" / "tiny-wtc2").exists()


def test_other_averages_leave_the_papers_cells_out(here):
    arguments = ("midi", "--corpus", "tiny", "--system", "./reader.py", "--average", "micro", "--json")
    rows = json.loads(run(*arguments, "--keys", "88", "--threshold", "0.3,0.5").stdout)["rows"]
    assert [(row["source"], row["threshold"]) for row in rows] == [("simulated", 0.3), ("simulated", 0.5)]


def test_score_reads_a_run_folder_again(here, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    run("midi", "--corpus", "tiny", "--system", "./reader.py", "--no-figure")
    (here / "reader.py").unlink()
    out = run("score", "runs/tiny-wtc2/reader", "--threshold", "0.2,0.95", "--notes", "--causes").stdout
    assert re.search(r"reader +│.*│ +0\.2 │", out)
    assert re.search(r"reader +│.*│ +0\.95 │", out)
    assert "onset@50" in out
    assert "F1 by register" in out


@pytest.mark.parametrize("turned", [False, True])
def test_score_reads_arrays_of_either_orientation(here, turned):
    rng = np.random.default_rng(0)
    labels, probabilities = rng.random((200, 88)) < 0.1, rng.random((200, 88)).astype(np.float32)
    if turned:
        labels, probabilities = labels.T, probabilities.T
    np.savez(here / "rolls.npz", labels=labels, probabilities=probabilities)
    found = json.loads(run("score", "rolls.npz", "--threshold", "0.5", "--json").stdout)
    recall = {(row["keys"], row["average"]): row["value"] for row in found if row["metric"] == "recall"}
    truth, predicted = (labels, probabilities >= 0.5) if turned else (labels.T, probabilities.T >= 0.5)
    assert recall["88", "micro"] == pytest.approx((truth & predicted).sum() / truth.sum(), abs=1e-12)
    assert "frame_mean" in run("score", "rolls.npz").stdout


class TestBadInput:
    """One clear line on stderr and exit code 2."""

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["midi", "--corpus", "tiny", "--split", "wtc3"], r"no split 'wtc3'; did you mean wtc\d"),
            (["midi", "--corpus", "tini"], "no corpus 'tini'; did you mean tiny"),
            (["midi", "--corpus", "tiny", "--system", "keywize"], "did you mean 'keywise'"),
            (
                ["midi", "--corpus", "tiny", "--system", "./gone.py"],
                r"\./gone\.py: no such contestant file",
            ),
            (["midi", "--threshold", "high"], "--threshold 'high': give numbers with commas"),
            (
                ["midi", "--corpus", "tiny", "--system", "./reader.py", "--threshold", "0"],
                "thresholds: found",
            ),
            (["score", "gone"], "gone: no such run folder or .npz file"),
            (["score", "."], "not a run folder"),
            (["score", "reader.py"], "reader.py: not a whole array file"),
            (["train"], "name one contestant"),
        ],
    )
    def test_named_wrongly(self, here, arguments, message):
        assert re.search(message, refused(*arguments))

    def test_truncated_arrays(self, here):
        np.savez_compressed(here / "rolls.npz", labels=np.zeros((9, 88)), probabilities=np.zeros((9, 88)))
        whole = (here / "rolls.npz").read_bytes()
        (here / "rolls.npz").write_bytes(whole[: len(whole) // 2])
        assert "rolls.npz: not a whole array file" in refused("score", "rolls.npz")

    def test_a_contestant_that_answers_nonsense(self, here):
        write_contestant(here, "reader", READER.replace("0.9 / 255", "-1"))
        message = refused("midi", "--corpus", "tiny", "--system", "./reader.py")
        assert "reader, recording wtc2-01: the answer must be floats in [0, 1] or bool" in message
        assert not list((here / "runs").rglob("*.npz"))

    @pytest.mark.parametrize(
        ("fault", "code", "message"),
        [
            (OSError(errno.ENOSPC, "No space left on device", "runs/x"), 2, "runs/x: the disk is full"),
            (OSError(errno.ENAMETOOLONG, "File name too long", "yyy"), 2, "yyy: File name too long; give"),
            (RuntimeError("Symlink loop from 'loop'"), 2, "Symlink loop from 'loop'; give another path"),
            (PermissionError(errno.EACCES, "Permission denied", "runs/x"), 2, "runs/x: Permission denied"),
            (KeyboardInterrupt("2 of 3 recordings are kept"), 130, "interrupted; 2 of 3 recordings are kept"),
        ],
    )
    def test_what_happens_to_anyone(self, here, monkeypatch, fault, code, message):
        def fail(*arguments, **options):
            raise fault

        monkeypatch.setattr("audeo_bench.runs.evaluation.predict", fail)
        arguments = ("midi", "--corpus", "tiny", "--system", "./reader.py")
        assert message in refused(*arguments, code=code)

    def test_a_fault_of_the_program_is_not_hidden(self, here, monkeypatch):
        def fail(*arguments, **options):
            raise ZeroDivisionError

        monkeypatch.setattr("audeo_bench.runs.evaluation.predict", fail)
        result = CliRunner().invoke(app, ["midi", "--corpus", "tiny", "--system", "./reader.py"])
        assert isinstance(result.exception, ZeroDivisionError)


def test_old_names_of_options_are_understood_and_not_shown(here):
    run("midi", "--corpus", "tiny", "--contestant=./reader.py", "--no-figure", "--midi")
    assert len(list((here / "runs/tiny-wtc2/reader/midi").glob("wtc2-0*.mid"))) == 3
    csv = run("score", "runs/tiny-wtc2/reader", "--thresholds", "0.2", "--format", "csv").stdout
    assert csv.startswith("# Table 1 (")
    assert next(line for line in csv.splitlines() if line[0] != "#").startswith(
        "System,Trained on,Threshold,Source,Precision"
    )
    as_json = run("score", "runs/tiny-wtc2/reader", "--json").stdout
    assert run("score", "runs/tiny-wtc2/reader", "--format", "json").stdout == as_json
    assert "--contestant" not in run("midi", "--help").stdout


@pytest.mark.parametrize("group", [(), ("data",), ("leaderboard",), ("catalogue",)])
def test_summaries_are_folded_not_cut(group, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shown = run(*group, "--help").stdout
    assert max(map(len, shown.splitlines())) <= 80
    assert not re.search(r"\w\.\.\.$", shown, re.M)


WAITING = """
import time
from audeo_bench.api import VideoToRoll

class Waiting(VideoToRoll):
    def roll(self, frames):
        open("begun", "w").close()
        time.sleep(600)
"""


def test_sigterm_lets_go_of_what_a_command_holds(here):
    write_contestant(here, "waiting", WAITING)
    command = [sys.executable, str(TINY_COMMAND), "midi", "--corpus", "tiny", "--system", "./waiting.py"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as started:
        while started.poll() is None and not Path("begun").exists():
            time.sleep(0.05)
        assert list((here / "runs").rglob(".lock-holder"))
        started.terminate()
        said = started.communicate(timeout=60)[1]
    assert started.returncode == 130
    assert said.startswith("audeo-bench: error: interrupted;")
    assert not list((here / "runs").rglob(".lock-holder"))


@pytest.mark.skipif(sys.platform == "win32", reason="a shell's >&-")
def test_a_closed_standard_output_is_said():
    done = subprocess.run(
        f"{shlex.quote(sys.executable)} -m audeo_bench data list >&-",
        shell=True,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "audeo-bench: error: the standard output is closed; use > /dev/null\n"
