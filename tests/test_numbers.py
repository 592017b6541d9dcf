"""Numbers in README and docs are those of the committed results: rows, records beside weights, studies.

Each test says what a page must hold, computed from a file; when results change, it fails with the words to
write. Whitespace and line breaks of the pages do not count.
"""

import json
import re
from functools import cache
from pathlib import Path

import pytest

import audeo_bench
from audeo_bench.notebook import SHARES
from audeo_bench.paper.reported import reported
from audeo_bench.places import checkout

ROOT = checkout() or Path()
RESULTS = sorted((ROOT / "docs" / "results").glob("*.json"))
NOTEBOOK = "docs/notebook"
pytestmark = pytest.mark.skipif(checkout() is None, reason="documents are in the checkout")

SHIPPED = ("resnet", "resnet_aggregation_slope", "video2roll", "video2roll+roll2midi", "keywise")
UNTAUGHT = ("silence", "finger_over_key")
REAL = (
    "keywise@mean",
    "keywise@wide",
    "keywise@both",
    "keywise@akbari",
    "keywise@akbari+roll2midi@akbari",
    "video2roll@akbari",
    "video2roll@akbari+roll2midi@akbari",
    "resnet_aggregation_slope@akbari",
    "resnet@akbari",
    "keywise",
    "video2roll",
    "resnet_aggregation_slope",
    "resnet",
    "finger_over_key",
)
TABLE2 = {
    "resnet+fluidsynth": "ResNet + FluidSynth",
    "video2roll+fluidsynth": "Roll + FluidSynth",
    "video2roll+roll2midi+perfnet": "Midi + PerfNet",
    "video2roll+roll2midi+fluidsynth": "Midi + FluidSynth",
    "truth": "Ground truth",
}


def squeezed(text: str) -> str:
    """One space for any whitespace, and one ``---`` for any alignment of a Markdown column."""
    return " ".join(re.sub(r"\| :?-+:? ", "| --- ", text).split())


def holds(page: str, *texts: str) -> None:
    content = squeezed((ROOT / page).read_text(encoding="utf-8"))
    for text in texts:
        assert squeezed(text) in content, f"{page} should say: {text}"


def table(header: str, rows: list[str]) -> str:
    """A whole Markdown table, so that no further row can hide in it."""
    columns = header.count("|") - 1
    return "\n".join([header, "|" + " --- |" * columns, *rows])


@cache
def board(name: str) -> dict[str, dict]:
    rows = audeo_bench.leaderboard(name, ROOT / "leaderboards")
    rows[list(SHARES)] *= 100  # pages speak of percent
    return {row["contestant"]: row for row in rows.to_dict("records")}


def f1(name: str, system: str) -> float:
    return board(name)[system]["f1"]


@cache
def paper_f1() -> dict[str, str]:
    return {row.system: f"{row.f1:.1f}" for row in reported().table1.rows if row.threshold == 0.4}


def record(name: str) -> dict:
    """What lies beside a shipped weight."""
    (path,) = ROOT.glob(f"*/weights/{name}.json")  # those of another training lie in a folder below
    return json.loads(path.read_text())


@cache
def identified() -> dict[tuple[str, str], dict]:
    content = json.loads((ROOT / "leaderboards/identification-simulated.json").read_text())
    return {(row["system"], row["service"]): row for row in content["rows"]}


def rate(system: str, service: str) -> str:
    return f"{identified()[system, service]['groups']['total']['percent']:.1f}"


def false_accepts(system: str, service: str) -> str:
    return str(identified()[system, service]["false_accepts"]["accepted"])


def test_table_1_of_the_readme():
    def cell(name: str, system: str) -> str:
        row = board(name)[system]
        return f"{row['f1']:.1f} ({row['low']:.1f} to {row['high']:.1f})"

    boards = ("simulated-wtc2", "simulated-wtc2-24", "audeo-reenacted-wtc2")
    rows = [
        f"| {system} | {' | '.join(cell(name, system) for name in boards)} | {paper_f1().get(system, '')} |"
        for system in (*SHIPPED, *UNTAUGHT)
    ]
    header = (
        "| system | simulated F1 % (95 % interval) | the same of 24 recordings | re-enacted "
        "| paper, real video |"
    )
    assert set(board("audeo-reenacted-wtc2")) == {*SHIPPED, *UNTAUGHT}
    holds("README.md", table(header, rows))


def test_real_video_in_the_readme():
    def cells(name: str, system: str) -> str:
        row = board(name)[system]
        return f"{100 * row['onset@100']:.1f} | {row['f1']:.1f} ({row['low']:.1f} to {row['high']:.1f})"

    rows = [
        f"| {system} | {board('akbari-test')[system]['trained_on']} | {cells('akbari-test', system)} "
        f"| {cells('other-keyboards-validation', system)} |"
        for system in REAL
    ]
    header = (
        "| system | trained on | test films: onset F1 % | frame F1 % (95 % interval) "
        "| other keyboards: onset F1 % | frame F1 % (95 % interval) |"
    )
    assert set(board("akbari-test")) == {*REAL, "silence"} == set(board("other-keyboards-validation"))
    holds("README.md", table(header, rows))


def test_what_was_trained_on_what():
    boards = ("simulated-wtc2", "akbari-test", "other-keyboards-validation")
    rows = [
        f"| {system} | {board('simulated-wtc2')[system]['trained_on']} | "
        + " | ".join(f"{100 * board(name)[system]['onset@100']:.1f}" for name in boards)
        + " |"
        for system in ("keywise", "keywise@akbari", "keywise@both", "keywise@wide", "keywise@mean")
    ]
    holds(
        f"{NOTEBOOK}/training.md",
        table("| | trained on | simulated | Akbari's test films | other keyboards |", rows),
    )


def test_what_a_second_round_of_training_gives():
    rows = json.loads((ROOT / "docs" / "results" / "training_budget.json").read_text())["tables"][0]["rows"]
    found = {name: f1.partition(" ")[0] for name, *_, f1 in rows}
    resnet, video2roll = (
        [found[f"{net}, {count} of training"] for count in ("1 round", "2 rounds")]
        for net in ("resnet", "video2roll")
    )
    holds(
        "README.md",
        f"takes ResNet from {resnet[0]} to {resnet[1]} on the 24 recordings and Video2Roll from "
        f"{video2roll[0]} to {video2roll[1]} (first seeds)",
    )


def test_table_2_of_the_readme_and_of_the_notebook():
    reported_rates = {row.system: row.total for row in reported().table2.rows}
    short = [
        f"| {label} | {rate(system, 'landmark')} | {rate(system, 'pitch')} | {reported_rates[system]} |"
        for system, label in TABLE2.items()
    ]
    header = "| system | `landmark` | `pitch` | paper (SoundHound, real recordings) |"
    holds("README.md", table(header, short))
    rows = [
        f"| {label} | {rate(system, 'pitch')} | {false_accepts(system, 'pitch')} "
        f"| {rate(system, 'landmark')} | {false_accepts(system, 'landmark')} | {reported_rates[system]} |"
        for system, label in TABLE2.items()
    ]
    header = "| system | `pitch` | false | `landmark` | false | paper (SoundHound, real recordings) |"
    holds(f"{NOTEBOOK}/identify.md", table(header, rows))


def test_how_much_was_asked():
    totals = [row["groups"]["total"] for row in identified().values()]
    (segments,) = {total["answered"] for total in totals}
    assert sum(total["error"] for total in totals) == 0
    recordings = {len(row["strips"]) for row in identified().values()}.pop()
    holds("README.md", f"% of {segments} segments of {recordings} simulated recordings")
    holds(f"{NOTEBOOK}/identify.md", f"{recordings} recordings, {segments} segments, no errors")
    perfnet, fluidsynth = "video2roll+roll2midi+perfnet", "video2roll+roll2midi+fluidsynth"
    played = [f"{float(rate(perfnet, service)):.0f}" for service in ("pitch", "landmark")]
    beside = [f"{float(rate(fluidsynth, service)):.0f}" for service in ("pitch", "landmark")]
    holds(
        f"{NOTEBOOK}/synthesis.md",
        f"of {segments} segments that it played, the listeners of [identify.md](identify.md) named "
        f"{played[0]} and {played[1]} %, of FluidSynth's from the same rolls {beside[0]} and {beside[1]} %",
    )
    holds(
        f"{NOTEBOOK}/identify.md",
        f"({rate('video2roll+fluidsynth', 'landmark')} to {rate(fluidsynth, 'landmark')})",
    )


def test_validation_of_the_synthesizer():
    holds(
        f"{NOTEBOOK}/synthesis.md",
        f"validation recordings: {100 * record('perfnet')['validation_r2']:.0f} % for the shipped",
    )


def test_frames_that_are_scored():
    rows = (ROOT / "leaderboards" / "audeo-reenacted-wtc2").glob("*.json")
    answers = [json.loads(path.read_text())["answers"].values() for path in rows]
    (frames,) = {sum(answer["frames"] for answer in each) for each in answers}
    paper = re.search(r"[\d,]+(?= frames)", reported().table1.test_set)
    assert paper
    holds("docs/corpus.md", f"{frames:,} frames are scored, the paper counts {paper[0]}")


def test_minutes_of_training():
    minutes = {name: f"{record(name)['training_seconds'] / 60:.0f}" for name in ("keywise", "perfnet")}
    holds(f"{NOTEBOOK}/training.md", f"Keywise's simulated weights took {minutes['keywise']} minutes")
    holds(
        f"{NOTEBOOK}/synthesis.md", f"a small net after {minutes['perfnet']} minutes beside other trainings"
    )


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_tables_of_the_studies(path):
    """A study's page shows its tables whole, and its facts as they were printed."""
    content = json.loads(path.read_text(encoding="utf-8"))
    pages = [page for page in (ROOT / NOTEBOOK).glob("*.md") if f"results/{path.name})" in page.read_text()]
    assert len(pages) == 1, f"one page of {NOTEBOOK} links {path.name}"
    page = str(pages[0].relative_to(ROOT))
    for found in content.get("tables", ()):
        rows = [f"| {' | '.join(row)} |" for row in found["rows"]]
        holds(page, table(f"| {' | '.join(found['header'])} |", rows))
    for fact in ("trials", "asked", "same_hand"):
        holds(page, content.get(fact, ""))
