"""``audeo-bench identify`` over a tiny corpus, whose frames carry the roll for a stand-in contestant."""

import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile
from loopback import Loopback, match
from test_catalogue import Melody, melody
from test_shazam import HASTY
from typer.testing import CliRunner

from audeo_bench import cli, corpus
from audeo_bench.api import FRAME_HEIGHT, FRAME_WIDTH, SAMPLE_RATE, Recording
from audeo_bench.identify import job, shazam
from audeo_bench.identify.catalogue import embedded
from audeo_bench.identify.catalogue.store import build
from audeo_bench.identify.shazam import ShazamService
from audeo_bench.roll import notes_to_roll
from audeo_bench.synth.fluidsynth import render

SECONDS = 33
STAND_IN = """
import numpy as np
from audeo_bench.api import VideoToRoll, windows

class StandIn(VideoToRoll):
    name = "stand_in"

    def roll(self, frames):
        pixels = [window[:, 0, :88] for _, window in windows(frames)]
        return (np.concatenate(pixels).T > 0).astype(np.float32)
"""


class RollAsFrames:
    def __init__(self, roll):
        self._roll, self.shape = roll, (roll.shape[1], FRAME_HEIGHT, FRAME_WIDTH)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, window):
        part = self._roll[:, window]
        frames = np.zeros((part.shape[1], FRAME_HEIGHT, FRAME_WIDTH), np.uint8)
        frames[:, 0, :88] = 255 * part.T
        return frames


class Melodies(corpus.Corpus):
    name, version, provenance = "melodies", "1", "simulated"

    def listing(self):
        return {"wtc1-variants": ("melody-1",), "wtc2-other": ("melody-2", "melody-77")}

    def make(self, recording_id):
        seed = int(recording_id.split("-")[1])
        roll = notes_to_roll(melody(seed), SECONDS * 25)
        return Recording(
            recording_id,
            f"Melody {seed}",
            Melody(seed).work,
            self.split_of(recording_id),
            "simulated",
            RollAsFrames(roll),
            roll,
            audio=lambda: render(melody(seed), seconds=SECONDS),
        )


@pytest.fixture(scope="module")
def small_catalogue(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache") / "small"
    return build([Melody(seed) for seed in range(6)], folder, "melodies", "simulated")


@pytest.fixture
def run(tmp_path, monkeypatch, small_catalogue):
    monkeypatch.setattr(corpus, "open_corpus", lambda name, seed=0: Melodies(seed))
    monkeypatch.setattr(embedded, "embedded_catalogue", lambda *_, **__: small_catalogue)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "240")
    (tmp_path / "stand_in.py").write_text(STAND_IN)

    def invoke(*arguments):
        # Other processes would not find the melodies.
        return CliRunner().invoke(cli.app, ["identify", "--workers", "1", *arguments])

    return invoke


def totals(output: str) -> dict[tuple[str, str], dict]:
    return {(row["service"], row["system"]): row["groups"]["total"] for row in json.loads(output)["rows"]}


def test_the_whole_table(run):
    first = run("--system", "./stand_in.py+fluidsynth", "--system", "truth", "--json")
    assert first.exit_code == 0, first.output
    found = totals(first.stdout)
    assert set(found) == {(s, p) for s in ("pitch", "landmark") for p in ("stand_in+fluidsynth", "truth")}
    # 33 seconds are a segment of 20 and one of 13; melody-77 is in no catalogue.
    for counts in found.values():
        assert counts["answered"] == 6
    pitch = found["pitch", "truth"]
    assert (pitch["right"], pitch["wrong"], pitch["nothing"]) == (4, 0, 2)
    assert found["pitch", "stand_in+fluidsynth"]["right"] == 4
    record = json.loads(first.stdout)
    assert record["provenance"] == "simulated"
    assert record["rows"][0]["strips"]["melody-1"] == ["right", "right"]
    played = record["systems"]["stand_in+fluidsynth"]
    assert [stage["name"] for stage in played] == ["stand_in", "fluidsynth"]
    # Rows come as they are there, before the table.
    assert "stand_in+fluidsynth, pitch: " in first.stderr.split("truth, pitch: 66.7 % of 6 (")[0]
    low, high = next(row["interval"] for row in record["rows"] if row["system"] == "truth")
    assert 0 <= low < 66.7 < high <= 100  # of three performances one is in no catalogue
    assert all(len(stage["sha256"]) == 64 for stage in played)
    again = run("--system", "./stand_in.py+fluidsynth", "--system", "truth")
    assert again.exit_code == 0, again.output
    assert "Table 2 by pitch (simulated: corpus melodies 1" in again.stdout
    assert re.search(r"melody-1\W+██", again.stdout)


def test_answers_are_kept_and_judged_again_without_asking(run, monkeypatch):
    assert run("--system", "truth", "--service", "pitch").exit_code == 0
    monkeypatch.setattr(job, "ask_all", lambda *_: pytest.fail("asked again"))
    monkeypatch.setattr(job, "table2_systems", lambda *_: pytest.fail("played again"))
    again = run("--rejudge", "--json", "--export", "answers.jsonl")
    assert again.exit_code == 0, again.output
    assert totals(again.stdout)["pitch", "truth"]["right"] == 4
    assert len(Path("answers.jsonl").read_text(encoding="utf-8").splitlines()) == 6


def test_a_dry_run_runs_nothing_and_asks_nobody(run, tmp_path, monkeypatch):
    monkeypatch.setattr(job, "table2_systems", lambda *_: pytest.fail("loaded a system"))
    monkeypatch.setattr(embedded, "embedded_catalogue", lambda *_: pytest.fail("built the catalogue"))
    plan = run("--system", "truth", "--service", "shazam", "--service", "pitch", "--dry-run", "--ask-anyway")
    assert plan.exit_code == 0, plan.output
    assert "shazam: 6 queries, 0 already answered, 6 to ask, about 0:01:36" in plan.stdout
    assert "pitch: 6 queries" in plan.stdout
    assert not (tmp_path / "runs").exists()


def test_a_dry_run_counts_what_is_answered(run):
    assert run("--system", "truth", "--service", "pitch", "--recording", "melody-2").exit_code == 0
    plan = run("--system", "truth", "--service", "pitch", "--dry-run")
    assert "pitch: 6 queries, 2 already answered, 4 to ask" in plan.stdout


def test_limit_and_recording_are_quick_looks(run):
    found = run("--system", "truth", "--service", "pitch", "--recording", "melody-2")
    assert found.exit_code == 0, found.output
    assert "QUICK LOOK" in found.stdout
    unknown = run("--system", "truth", "--service", "pitch", "--recording", "melody-9")
    assert unknown.exit_code == 2
    assert "'melody-9': not in wtc1-variants or wtc2-other" in unknown.output


def test_a_system_answers_for_the_recording_asked_about_only(run, tmp_path):
    found = run("--system", "./stand_in.py+fluidsynth", "--service", "pitch", "--recording", "melody-2")
    assert found.exit_code == 0, found.output
    assert [path.stem for path in tmp_path.glob("runs/*/stand_in/rolls/*.npz")] == ["melody-2"]


def test_any_audio_file(run, tmp_path):
    soundfile.write(tmp_path / "my.wav", render(melody(4), seconds=25), SAMPLE_RATE)
    found = run("my.wav", "--service", "pitch")
    assert found.exit_code == 0, found.output
    assert "Melody 4" in found.stdout
    soundfile.write(tmp_path / "short.wav", np.zeros(SAMPLE_RATE), SAMPLE_RATE)
    short = run("short.wav")
    assert short.exit_code == 2
    assert "short.wav: shorter than 12 seconds" in short.output


def test_two_files_keep_their_names(run, tmp_path):
    for folder, seed in (("a", 4), ("b", 5)):
        (tmp_path / folder).mkdir()
        soundfile.write(tmp_path / folder / "same.wav", render(melody(seed), seconds=21), SAMPLE_RATE)
    found = run("a/same.wav", "b/same.wav", "--service", "pitch", "--json")
    assert found.exit_code == 0, found.output
    (listener,) = json.loads(found.stdout)
    said = [(query["recording"], query["reply"]["answer"]["title"]) for query in listener["queries"]]
    assert said == [("a/same.wav", "Melody 4"), ("b/same.wav", "Melody 5")]
    alone = run("b/same.wav", "--service", "pitch")
    assert "Melody 5" in alone.stdout and "Melody 4" not in alone.stdout


def test_titles_from_outside_are_shown_literally(run, tmp_path):
    soundfile.write(tmp_path / "[red]x[y].wav", render(melody(4), seconds=21), SAMPLE_RATE)
    found = run("[red]x[y].wav", "--service", "pitch")
    assert found.exit_code == 0, found.output
    assert "[red]x[y].wav" in found.stdout


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_shazam_is_not_asked_about_music_that_nobody_recorded(run, tmp_path, monkeypatch, dry):
    monkeypatch.setattr(job, "table2_systems", lambda *_: pytest.fail("played"))
    refused = run("--service", "shazam", *dry)
    assert refused.exit_code == 2
    assert "nobody ever recorded them" in refused.output and "--corpus known-works" in refused.output
    assert not (tmp_path / "runs").exists()


class RealMelodies(Melodies):
    provenance = "re-enacted"


def test_shazam_is_asked_about_real_works(run, monkeypatch):
    monkeypatch.setattr(corpus, "open_corpus", lambda name, seed=0: RealMelodies(seed))
    with Loopback(default=match("Melody 1", "Nobody")) as server:
        hasty = partial(ShazamService, replace(HASTY, time_limit=10), server.url)
        monkeypatch.setattr(shazam, "ShazamService", lambda pacing: hasty())
        asked = run("--service", "shazam", "--system", "truth", "--recording", "melody-1", "--json")
    assert asked.exit_code == 0, asked.output
    assert len(server.answered) == 2
    assert totals(asked.stdout)["shazam", "truth"]["right"] == 2


def test_a_corpus_without_an_identification_test_is_refused(run, monkeypatch):
    monkeypatch.setattr(Melodies, "listing", lambda self: {"wtc1": ("melody-1",)})
    refused = run("--system", "truth")
    assert refused.exit_code == 2
    assert "has no identification test, only wtc1" in refused.output


def test_a_system_without_sound_is_refused(run):
    refused = run("--system", "./stand_in.py")
    assert refused.exit_code == 2
    assert "add a synthesizer" in refused.output
