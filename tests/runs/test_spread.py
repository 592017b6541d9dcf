"""A crew's answers are those of one process: the same bytes in the same folders, whoever gave them."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import numpy as np
import pytest
from dask_workers import workers
from tiny_corpus import LENGTHENER, READER, TinyCorpus, write_contestant

from audeo_bench.api import AudeoBenchError, Recording
from audeo_bench.contestants import parcel
from audeo_bench.contestants.loading import find, systems
from audeo_bench.crew import Crew, crew
from audeo_bench.records import RunRecord
from audeo_bench.runs.evaluation import evaluate
from audeo_bench.runs.folder import read_record
from audeo_bench.runs.spread import spread
from audeo_bench.runs.task import Task

distributed = pytest.importorskip("distributed")

DRAWING = """
import random
import numpy as np
from audeo_bench.api import KEYS, VideoToRoll
from ink import WIDTH

class Drawing(VideoToRoll):
    def roll(self, frames):
        return np.full((KEYS, len(frames)), (random.random() + np.random.random()) / WIDTH)
"""
SLOW = READER.replace("        columns", "        import time; time.sleep(0.3)\n        columns")
STATEFUL = """
import numpy as np
from audeo_bench.api import KEYS, VideoToRoll

class Stateful(VideoToRoll):
    keeps_state = True
    answered = 0
    def roll(self, frames):
        self.answered += 1
        return np.full((KEYS, len(frames)), self.answered / 4)
"""


@pytest.fixture(scope="module")
def two():
    with crew(2) as who:
        yield who


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("contestants")
    for name, text in (("reader", READER), ("lengthener", LENGTHENER), ("drawing", DRAWING), ("slow", SLOW)):
        write_contestant(folder, name, text)
    write_contestant(folder, "stateful", STATEFUL)
    (folder / "ink.py").write_text("WIDTH = 2\n")
    return folder


def chains(folder, *names: str):
    return systems("+".join(f"{folder}/{part}.py" for part in name.split("+")) for name in names)


def task(runs) -> Task:
    return Task(TinyCorpus(), "wtc2", runs)


def kept(runs) -> dict[str, bytes]:
    """All files below a folder but what says when and how fast."""
    files = [path for path in runs.rglob("*") if path.is_file() and not path.name.startswith(".")]
    return {str(path.relative_to(runs)): path.read_bytes() for path in files if path.name != "run.json"}


def untimed(record: RunRecord) -> RunRecord:
    answers = {
        name: record.answers[name].model_copy(update={"seconds": 0.0}) for name in sorted(record.answers)
    }
    hardware = {name: value for name, value in record.origin.hardware.items() if name != "threads"}
    origin = record.origin.model_copy(update={"hardware": hardware})
    return record.model_copy(update={"answers": answers, "origin": origin, "started": None, "finished": None})


def test_two_workers_keep_what_one_process_keeps(two, folder, tmp_path):
    asked = chains(folder, "reader", "reader+lengthener", "drawing")
    evaluate(asked, task(tmp_path / "one"))
    results = evaluate(asked, task(tmp_path / "two"), crew=two)
    assert [result.record.status for result in results] == ["success"] * 3
    assert kept(tmp_path / "two") == kept(tmp_path / "one")
    assert len(kept(tmp_path / "one")) == 3 * (3 + 1)
    for result in results:
        there = read_record(task(tmp_path / "one").folder(result.record.system))
        assert untimed(result.record) == untimed(there)
    assert not [path for path in (tmp_path / "two").iterdir() if path.name.startswith(".")]


def test_what_is_there_is_not_asked_again(two, folder, tmp_path):
    (asked,) = chains(folder, "reader+lengthener")
    (first,) = chains(folder, "reader")
    evaluate([first], task(tmp_path))
    before = read_record(task(tmp_path).folder("reader"))
    runs = spread([asked], task(tmp_path), two)
    assert runs["reader"].record.answers == before.answers
    assert runs["reader+lengthener"].record.status == "success"


@pytest.mark.slow
def test_twenty_workers_that_are_killed_change_nothing(two, folder, tmp_path, monkeypatch):
    asked = chains(folder, "slow", "slow+lengthener", "drawing")
    evaluate(asked, task(tmp_path / "undisturbed"))
    moments, done, killed = random.Random(0), two.done, []

    def deadly(units):
        for answered in done(units):
            there = workers()
            if there and len(killed) < 20 and moments.random() < 0.4:
                victim = moments.choice(there)
                victim.kill()
                killed.append(victim.pid)
            yield answered

    monkeypatch.setattr(two, "done", deadly)
    for attempt in range(40):
        evaluate(asked, task(tmp_path / f"disturbed{attempt}"), crew=two)
        assert kept(tmp_path / f"disturbed{attempt}") == kept(tmp_path / "undisturbed")
        if len(killed) == 20:
            break
    assert len(set(killed)) == 20


def test_a_fault_names_the_recording_and_what_was_finished_stays(two, folder, tmp_path):
    write_contestant(
        folder,
        "breaking",
        READER.replace("        columns", "        assert len(frames) != 75\n        columns"),
    )
    with pytest.raises(AudeoBenchError, match=r"breaking\.py, line 13: breaking failed on recording wtc2-02"):
        spread(chains(folder, "reader", "breaking"), task(tmp_path), two)
    record = read_record(task(tmp_path).folder("breaking"))
    assert record.status == "error"
    assert "wtc2-02" not in record.answers
    assert read_record(task(tmp_path).folder("reader")).status in ("success", "error")
    write_contestant(folder, "breaking", READER)
    evaluate(chains(folder, "reader", "breaking"), task(tmp_path), crew=two)
    assert read_record(task(tmp_path).folder("breaking")).status == "success"


def test_one_process_answers_for_what_keeps_state(two, folder, tmp_path):
    stateful, reader = chains(folder, "stateful", "reader")
    assert set(spread([stateful, reader], task(tmp_path), two)) == {"reader"}
    results = evaluate([stateful, reader], task(tmp_path), crew=two)
    assert [result.record.status for result in results] == ["success"] * 2


def test_a_contestant_travels_by_content(folder, tmp_path, monkeypatch):
    """A scheduler's workers that see other files than the command does."""
    monkeypatch.setenv("AUDEO_BENCH_CACHE", str(tmp_path / "cache"))
    asked = chains(folder, "drawing", "reader")
    evaluate(asked, task(tmp_path / "one"))
    monkeypatch.setattr(parcel, "_same", lambda folder, digests: False)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        crew(1, cluster.scheduler_address) as who,
    ):
        results = evaluate(asked, task(tmp_path / "two"), crew=who)
    assert kept(tmp_path / "two") == kept(tmp_path / "one")
    assert len(list((tmp_path / "cache" / "contestants").rglob("ink.py"))) == 1
    assert untimed(results[0].record) == untimed(read_record(task(tmp_path / "one").folder("drawing")))


def test_a_parcel_without_content_is_for_the_same_files(folder):
    packed = parcel.pack(find(f"{folder}/slow.py"), content=False)
    assert parcel.unpack(packed).path == folder / "slow.py"
    write_contestant(folder, "slow", SLOW + "\n")
    with pytest.raises(AudeoBenchError, match=r"slow\.py: changed while it was in use"):
        parcel.unpack(packed)
    write_contestant(folder, "slow", SLOW)


@dataclass(frozen=True)
class Rendered:
    """Frames that are made when they are sliced, as a camera's are."""

    made: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        return self.made.shape

    def __len__(self) -> int:
        return len(self.made)

    def __getitem__(self, window: slice) -> np.ndarray:
        return self.made[window]


class FilmedCorpus(TinyCorpus):
    def make(self, recording_id: str) -> Recording:
        recording = super().make(recording_id)
        return replace(recording, frames=Rendered(np.asarray(recording.frames)))


def test_frames_are_kept_for_a_window_of_recordings_only(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("audeo_bench.runs.spread.WINDOW", 1)
    there: list[int] = []

    class Watching(Crew):
        def done(self, units):
            for unit, found in super().done(units):
                there.append(len(list(tmp_path.rglob("*.npy"))))
                yield unit, found

    asked = chains(folder, "reader", "drawing")
    runs = spread(asked, Task(FilmedCorpus(), "wtc2", tmp_path), Watching())
    assert {run.record.status for run in runs.values()} == {"success"}
    assert max(there) == 1
