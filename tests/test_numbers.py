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
SHIPPED = (*SHIPPED, "keywise+roll2midi")
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


@cache
def second_seed() -> dict[str, float]:
    content = json.loads((ROOT / "docs/results/table1-seed1.json").read_text())
    return {row["system"]: row["values"]["f1"] for row in content["rows"] if row["threshold"] == 0.4}


def record(name: str) -> dict:
    """What lies beside a shipped weight."""
    (path,) = ROOT.glob(f"*/weights/{name}.json")
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

    rows = [
        f"| {system} | {cell('simulated-wtc2', system)} | {cell('audeo-reenacted-wtc2', system)} "
        f"| {paper_f1().get(system, '')} |"
        for system in SHIPPED
    ]
    header = (
        "| system | simulated F1 % (95 % interval) | re-enacted F1 % (95 % interval) | paper, real video |"
    )
    assert set(board("simulated-wtc2")) == set(SHIPPED) == set(board("audeo-reenacted-wtc2"))
    holds("README.md", table(header, rows))


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
        f"whose frame F1 are {f1('simulated-wtc2', 'video2roll') - f1('simulated-wtc2', 'resnet'):.1f} apart",
    )


def test_both_seeds_of_the_training():
    rows = [
        f"| {system} | {f1('simulated-wtc2', system):.1f} | {second_seed()[system]:.1f} "
        f"| {paper_f1().get(system, '')} |"
        for system in SHIPPED
        if system in second_seed()
    ]
    page = f"{NOTEBOOK}/training.md"
    header = "| system | shipped (seed 0) | seed 1 | paper (real video) |"
    holds(page, table(header, rows))
    seeds = [{system: f1("simulated-wtc2", system) for system in SHIPPED}, second_seed()]

    def lead(upper: str, lower: str) -> str:
        return " and ".join(f"{seed[upper] - seed[lower]:.1f}" for seed in seeds)

    apart = max(abs(seeds[0][system] - seeds[1][system]) for system in second_seed())
    holds(
        page,
        f"The seeds agree within {apart:.1f} points",
        f"ResNet < Video2Roll (by {lead('video2roll', 'resnet')}) < Roll2Midi "
        f"(by {lead('video2roll+roll2midi', 'video2roll')})",
        "Keywise with its own Roll2Midi leads Video2Roll with its by "
        f"{lead('keywise+roll2midi', 'video2roll+roll2midi')}",
        f"was trained with seed 0 only: {seeds[0]['resnet_aggregation_slope']:.1f}, above Video2Roll, which "
        f"the paper has above it ({paper_f1()['resnet_aggregation_slope']} and {paper_f1()['video2roll']})",
    )


def test_validation_of_both_seeds():
    later = json.loads((ROOT / "docs/results/table1-seed1.json").read_text())["trainings"]

    def pair(name: str) -> tuple[str, str]:
        return tuple(f"{100 * found['validation_f1']:.1f}" for found in (record(name), later[name]))  # type: ignore

    (here, there), (resnet, resnet_later) = pair("video2roll"), pair("resnet")
    holds(
        f"{NOTEBOOK}/training.md",
        f"on the validation works Video2Roll leads too, {here} against {resnet} with seed 0 and "
        f"{there} against {resnet_later} with seed 1",
    )
    holds(
        f"{NOTEBOOK}/synthesis.md",
        f"validation recordings: {100 * record('perfnet')['validation_r2']:.0f} % for the shipped",
    )


def test_the_order_on_re_enacted_performances():
    value = {system: f"{f1('audeo-reenacted-wtc2', system):.1f}" for system in SHIPPED}
    step = f1("audeo-reenacted-wtc2", "video2roll+roll2midi") - f1("audeo-reenacted-wtc2", "video2roll")
    ranks = {system: board("audeo-reenacted-wtc2")[system]["rank"] for system in SHIPPED}
    assert ranks["keywise"] == ranks["keywise+roll2midi"] == 1
    assert {rank for system, rank in ranks.items() if "keywise" not in system} == {3}
    holds(
        f"{NOTEBOOK}/training.md",
        f"({value['keywise+roll2midi']}, {value['keywise']}), then of one rank aggregation + slope, "
        f"Roll2Midi, ResNet and Video2Roll ({value['resnet_aggregation_slope']}, "
        f"{value['video2roll+roll2midi']}, {value['resnet']}, {value['video2roll']})",
        f"Roll2Midi adds {step:.1f} points",
    )


def test_frames_that_are_scored():
    rows = (ROOT / "leaderboards" / "audeo-reenacted-wtc2").glob("*.json")
    answers = [json.loads(path.read_text())["answers"].values() for path in rows]
    (frames,) = {sum(answer["frames"] for answer in each) for each in answers}
    paper = re.search(r"[\d,]+(?= frames)", reported().table1.test_set)
    assert paper
    holds("docs/corpus.md", f"{frames:,} frames are scored, the paper counts {paper[0]}")
    holds(f"{NOTEBOOK}/training.md", f"({frames:,} frames of the paper's own test recordings' labels)")


def test_minutes_of_training():
    names = (*SHIPPED, "perfnet")
    minutes = {name: f"{record(name)['training_seconds'] / 60:.0f}" for name in names}
    refiners = (minutes["video2roll+roll2midi"], minutes["keywise+roll2midi"])
    holds(
        f"{NOTEBOOK}/training.md",
        f"in minutes: ResNet {minutes['resnet']}, aggregation + slope {minutes['resnet_aggregation_slope']}, "
        f"Video2Roll {minutes['video2roll']}, Keywise {minutes['keywise']}, "
        f"Roll2Midi {' and '.join(refiners)}, PerfNet {minutes['perfnet']}",
    )
    holds(f"{NOTEBOOK}/synthesis.md", f"a small net after {minutes['perfnet']} minutes of one core")
    holds(f"{NOTEBOOK}/identify.md", f"a small net of {minutes['perfnet']} minutes' training")


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
