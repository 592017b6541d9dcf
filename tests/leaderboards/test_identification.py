"""Table 2's rows on the boards."""

import json

import pytest
from typer.testing import CliRunner

from audeo_bench.api import AudeoBenchError
from audeo_bench.cli import app
from audeo_bench.leaderboards.identification import read_identifications, submit_identification
from audeo_bench.records import CorpusName, Identification, IdentificationRow, Origin, Tally, write
from audeo_bench.report.boards import build


@pytest.fixture
def identified(tmp_path):
    """A run folder as ``audeo-bench identify`` leaves it."""
    outcomes = ["right", "right", "wrong", "nothing", "error"]
    row = IdentificationRow(
        service="pitch",
        version="1",
        system="resnet+fluidsynth",
        groups={
            "total": Tally.of(outcomes),
            "wtc1_variants": Tally.of([]),
            "wtc2_other": Tally.of(outcomes),
        },
        strips={"wtc2-01": outcomes},
        false_accepts=None,
        median_margin=None,
    )
    record = Identification(
        corpus=CorpusName(name="simulated", version="1", seed=0),
        provenance="simulated",
        quick_look=False,
        title_rules=1,
        origin=Origin.here(),
        rows=[row],
    )
    return write(tmp_path / "run" / "identify.json", record).parent


def test_rates_stand_beside_the_papers_with_their_denominator(identified, tmp_path):
    folder = tmp_path / "leaderboards"
    result = CliRunner().invoke(app, ["submit", str(identified), "--boards", str(folder)])
    assert result.exit_code == 0, result.output
    markdown, page = (path.read_text() for path in build(folder))
    assert (
        "| pitch 1 | resnet+fluidsynth | – | 50.0 (*55.9*) | – (*74.2*) | 50.0 (*52.9*) | 4 | 1 | 1 | 1 |"
        in markdown
    )
    assert 'class="segment error"' in page and "another service" in page
    result = CliRunner().invoke(app, ["fidelity", "--boards", str(folder), "--format", "json"])
    cells = [cell for cell in json.loads(result.stdout)["cells"] if cell["table"] == "Table 2"]
    assert (cells[0]["paper"], cells[0]["reproduced"], cells[0]["verdict"]) == (55.9, 50.0, "another service")
    assert cells[-1]["verdict"] == "not reproduced"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.update(quick_look=True), "quick look"),
        (lambda c: c["rows"][0]["groups"]["total"].update(unasked=3), "3 segments"),
        (lambda c: c["rows"][0]["groups"]["total"].update(right=3), "add up"),
        (lambda c: c["rows"][0]["groups"]["total"].update(percent="50.0"), "percent"),
    ],
)
def test_what_is_not_finished_or_not_true_is_refused(identified, tmp_path, change, words):
    path = identified / "identify.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(AudeoBenchError, match=words):
        submit_identification(identified, tmp_path / "leaderboards")
    assert read_identifications(tmp_path / "leaderboards") == []
