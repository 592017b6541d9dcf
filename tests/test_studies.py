"""Every study runs from a checkout as ``python -m studies.NAME`` and is named in the notebook."""

import importlib
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from audeo_bench.places import checkout

ROOT = checkout() or Path()
pytestmark = pytest.mark.skipif(checkout() is None, reason="studies are in the checkout")
LIBRARIES = ("noise", "tables", "transcribe")
STUDIES = sorted(path.stem for path in (ROOT / "studies").glob("*.py") if path.stem not in LIBRARIES)


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_says_what_it_needs(name):
    app = typer.Typer()
    app.command()(importlib.import_module(f"studies.{name}").main)
    helped = CliRunner().invoke(app, ["--help"])
    assert helped.exit_code == 0, helped.output
    assert f"studies.{name}`" in (ROOT / "docs" / "notebook" / "README.md").read_text()


def test_ratios_are_those_that_the_manual_claims():
    """``python -m studies.ratios`` measures what the pages say, in the words that they say it in."""
    ratios = importlib.import_module("studies.ratios")
    for claim in ratios.CLAIMS.values():
        assert claim.words is None or claim.words in (ROOT / claim.page).read_text()
