"""The README's lines are run as they stand there."""

import re
import shlex

import pytest
from typer.testing import CliRunner

from audeo_bench.cli import app
from audeo_bench.places import checkout

ROOT = checkout()
pytestmark = pytest.mark.skipif(ROOT is None, reason="the README is in the checkout")


def blocks(language: str) -> list[str]:
    assert ROOT is not None
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(), re.S)


def test_the_second_command_is_what_ci_runs():
    assert ROOT is not None
    setup, tests = (part.strip() for part in blocks("bash")[1].split("&&"))
    script = (ROOT / ".ci" / "run").read_text()
    assert setup in script
    assert tests in script


@pytest.mark.slow
def test_a_model_in_ten_lines(tmp_path, monkeypatch):
    (model,) = blocks("python")
    assert len([line for line in model.splitlines() if line.strip()]) <= 10
    command = next(block for block in blocks("bash") if "my_model.py" in block)
    program, *arguments = shlex.split(command)
    assert program == "audeo-bench"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_model.py").write_text(model)
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert re.search(r"my_model +│ nothing +│ +0\.4 │ simulated", result.stdout)
    assert "QUICK LOOK" in result.stdout
