"""Many systems on many recordings, answered by a crew: one unit is one system on one recording.

What each function that runs on a worker gives depends on its arguments alone, so that answers are those of
one process, whoever gives them and in whatever order.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from audeo_bench.api import Frames
from audeo_bench.contestants.loading import System
from audeo_bench.contestants.module import Contestant
from audeo_bench.contestants.parcel import Parcel, pack, unpack
from audeo_bench.contestants.process import IDLE, Declared, Worker
from audeo_bench.corpus import Corpus
from audeo_bench.crew import Crew, Unit
from audeo_bench.errors import AudeoBenchError
from audeo_bench.files import atomic_write, temporary_folder
from audeo_bench.progress import progress_bar
from audeo_bench.provenance import place
from audeo_bench.runs.folder import Run, open_run, read_roll
from audeo_bench.runs.frame_cache import LIMIT_BYTES
from audeo_bench.runs.predict import finished, stage_record
from audeo_bench.runs.task import Task

WINDOW = 8
"""Recordings whose frames are kept at a time, while all systems answer for them."""


@dataclass(frozen=True)
class Answered:
    """What a worker answers about one recording.

    Attributes
    ----------
    roll : np.ndarray, shape (88, T), float32 or float16
    seconds : float
        Of the whole chain.
    code : mapping of str to str
        As :func:`audeo_bench.provenance.code_of` gives it, with the paths of the machine that asks.
    """

    roll: np.ndarray
    seconds: float
    code: Mapping[str, str]


@dataclass(frozen=True)
class Question:
    """What a worker is asked about one recording, whose frames :func:`keep_frames` may have kept in a folder;
    or about an earlier stage's answer, where that was there already.
    """

    seed: int
    corpus: Corpus
    recording: str
    frames: Path | None
    earlier: Answered | None


def spread(
    systems: Sequence[System], task: Task, crew: Crew, recordings: Sequence[str] | None = None
) -> dict[str, Run]:
    """Let a crew answer what is missing of some systems, and keep every answer as it comes.

    Parameters
    ----------
    systems : sequence of System
        Their shorter systems are answered with them.
    task : Task
    crew : Crew
    recordings : sequence of str or None
        Answer for these of the task's only.

    Returns
    -------
    runs : dict of str to Run
        By the systems' names; finished, unless only some recordings were asked for. A system with a
        contestant that keeps state from one recording to the next is not among them: one process has to
        answer it in order.

    Raises
    ------
    AudeoBenchError
        As :func:`.predict.predict`.
    KeyboardInterrupt
        With what was answered kept; the same call continues.
    """
    chains, asked = _chains(systems), tuple(task.ids if recordings is None else recordings)
    runs = {name: run for name, chain in chains.items() if (run := finished(chain, task))}
    waiting = {name: chain for name, chain in chains.items() if name not in runs}
    parcels = {
        contestant.name: pack(contestant, crew.elsewhere)
        for contestant in (chain.roll_stages[-1] for chain in waiting.values())
    }
    declared: dict[str, Declared] = {}
    asking = (Unit(f"start {name}", look, (parcel, task.seed)) for name, parcel in parcels.items())
    for unit, found in crew.done(asking):
        declared[unit.name.removeprefix("start ")] = found
    waiting = {name: chain for name, chain in waiting.items() if not _keeps_state(chain, declared)}
    kept = temporary_folder(task.runs) if len(waiting) > 1 else nullcontext()
    with ExitStack() as stack:
        frames = stack.enter_context(kept)
        for name, chain in sorted(
            waiting.items()
        ):  # in one order, so that no two commands wait for each other
            contestant, before = chain.roll_stages[-1], _earlier(chain)
            stages = (
                *(runs[before].record.stages if before else ()),
                stage_record(contestant, declared[contestant.name]),
            )
            opened = open_run(name, stages, task, declared[contestant.name].hardware)
            runs[name] = stack.enter_context(opened)
        to_come = Counter(one for names in _missing(waiting, asked, runs).values() for one in names)
        bar = stack.enter_context(progress_bar("answers", to_come.total(), "recordings"))
        for name in waiting:
            _finish(runs[name], task)
        # Of so many recordings frames are there at once.
        room = frames and (frames, LIMIT_BYTES // min(len(asked), max(WINDOW, crew.width)))
        for unit, found in crew.done(_units(waiting, task, asked, parcels, runs, room)):
            if unit.work is not answer:
                continue
            recording = unit.given[0].recording
            name = unit.name.removesuffix(f" on {recording}")
            runs[name].keep(recording, found.roll, seconds=found.seconds, code=found.code)
            bar.advance(1, note=unit.name)
            _finish(runs[name], task)
            to_come[recording] -= 1
            if frames and not to_come[recording]:
                (frames / f"{recording}.npy").unlink(missing_ok=True)
    return runs


def _chains(systems: Sequence[System]) -> dict[str, System]:
    """Systems without synthesizers and their shorter ones; those that share a first stage together."""
    chains: dict[str, System] = {}
    for system in systems:
        for chain in (*reversed(list(system.prefixes())), system):
            chains.setdefault(chain.roll_name, chain)
    first = {chain.roll_stages[0].name: None for chain in chains.values()}
    return {
        name: chain for stage in first for name, chain in chains.items() if chain.roll_stages[0].name == stage
    }


def _earlier(chain: System) -> str | None:
    shorter = next(chain.prefixes(), None)
    return shorter and shorter.roll_name


def _keeps_state(chain: System, declared: Mapping[str, Declared]) -> bool:
    return any(stage.name in declared and declared[stage.name].keeps_state for stage in chain.roll_stages)


def _finish(run: Run, task: Task) -> None:
    if len(run.record.answers) == len(task.ids):
        run.mark("success")


def _missing(chains: Iterable[str], asked: Sequence[str], runs: Mapping[str, Run]) -> dict[str, set[str]]:
    return {name: set(asked) - set(runs[name].record.answers) for name in chains}


def _units(
    chains: Mapping[str, System],
    task: Task,
    asked: Sequence[str],
    parcels: Mapping[str, Parcel],
    runs: Mapping[str, Run],
    room: tuple[Path, int] | None,
) -> Iterator[Unit]:
    """Window by window: frames first, then family by family, recording by recording, chain by chain.

    ``room`` is where frames are kept, and how many bytes of one recording.
    """
    frames, most = room or (None, 0)
    missing = _missing(chains, asked, runs)
    families: dict[str, list[str]] = {}
    for name, chain in chains.items():
        families.setdefault(chain.roll_stages[0].name, []).append(name)
    for name, parcel in parcels.items():
        yield Unit(f"contestant {name}", Parcel.itself, (parcel,), lasting=True)
    filmed = [name for name in chains if _earlier(chains[name]) is None]
    kept = {one for one in asked if frames and sum(one in missing[name] for name in filmed) > 1}
    for start in range(0, len(asked), WINDOW):
        window = asked[start : start + WINDOW]
        for recording in window:
            if recording in kept:
                given = (task.corpus, recording, frames, most)
                yield Unit(f"frames of {recording}", keep_frames, given, lasting=True)
        open_ones = (
            (recording, name)
            for family in families.values()
            for recording in window
            for name in family
            if recording in missing[name]
        )
        for recording, name in open_ones:
            after, before = [f"contestant {chains[name].roll_stages[-1].name}"], _earlier(chains[name])
            earlier = None
            if before is None and recording in kept:  # else two workers would make the same frames
                after.append(f"frames of {recording}")
            if before is not None and recording in missing.get(before, ()):
                after.append(f"{before} on {recording}")
            elif before is not None:
                roll = read_roll(runs[before].folder, recording)
                earlier = Answered(roll, runs[before].record.answers[recording].seconds, {})
            question = Question(task.seed, task.corpus, recording, frames, earlier)
            yield Unit(f"{name} on {recording}", answer, (question,), tuple(after))


def look(parcel: Parcel, seed: int) -> Declared:
    """On a worker: what a contestant says of itself."""
    with loaded(parcel, seed) as worker:
        return replace(worker.declared, code=_as_asked(worker.declared.code, parcel, worker.contestant))


def keep_frames(corpus: Corpus, recording: str, folder: Path, limit: int) -> None:
    """On a worker: keep a recording's frames for all systems, if they take less than ``limit`` bytes and the
    folder is on this machine.
    """
    frames, path = corpus.recording(recording).frames, folder / f"{recording}.npy"
    if isinstance(frames, np.ndarray) or np.prod(frames.shape) > limit or not folder.is_dir():
        return
    with atomic_write(path) as temporary:
        np.save(temporary, frames[: len(frames)])


def answer(asked: Question, parcel: Parcel, made: Answered | None = None) -> Answered:
    """On a worker: a contestant's answer about one recording, whose frames are kept by then (which gives
    None), or about an earlier stage's, kept or just made.
    """
    earlier = made or asked.earlier
    with loaded(parcel, asked.seed) as worker:
        if earlier is None:
            frames = _frames(asked)
            found = worker.roll(frames, asked.recording)
        else:
            found = worker.midi(earlier.roll.astype(np.float32), asked.recording)
        code = _as_asked(found.code, parcel, worker.contestant)
    return Answered(found.roll, found.seconds + (earlier.seconds if earlier else 0.0), code)


def _frames(asked: Question) -> Frames:
    """Those that were kept; a recording is opened, for which a simulated one is played, only without them."""
    path = None if asked.frames is None else asked.frames / f"{asked.recording}.npy"
    if path is None or not path.is_file():
        return asked.corpus.recording(asked.recording).frames
    return np.load(path, mmap_mode="r", allow_pickle=False)


_free: list[Worker] = []
_lock = threading.Lock()


@contextmanager
def loaded(parcel: Parcel, seed: int) -> Iterator[Worker]:
    """A contestant's process with an instance loaded, which waits for the next unit afterwards."""
    contestant = unpack(parcel)
    with _lock:
        same = [w for w in _free if (w.contestant, w.seed) == (contestant, seed)]
        for worker in same[:1]:
            _free.remove(worker)
    worker = same[0] if same else Worker(contestant, seed)
    try:
        if not same:
            worker.load()
        yield worker
    except BaseException as fault:
        worker.close()
        here, there = str(contestant.path), str(parcel.contestant.path)
        if isinstance(fault, AudeoBenchError) and here != there:
            raise AudeoBenchError(str(fault).replace(here, there)) from fault
        raise
    with _lock:
        _free.append(worker)
        spare = _free[:-IDLE]
        del _free[:-IDLE]
    for worker in spare:
        worker.close()


def _as_asked(code: Mapping[str, str], parcel: Parcel, contestant: Contestant) -> dict[str, str]:
    """Digests of code by the paths of the machine that asks."""
    here, there = f"{place(contestant.path.parent)}/", f"{place(parcel.contestant.path.parent)}/"
    return {
        there + name.removeprefix(here) if name.startswith(here) else name: digest
        for name, digest in code.items()
    }
