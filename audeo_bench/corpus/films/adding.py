"""``audeo-bench data add recordings``: films of one's own become a corpus."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from audeo_bench.api import AudeoBenchError
from audeo_bench.corpus.films.preparing import Job, Prepared, prepare_all, prepared
from audeo_bench.corpus.sets import fetch
from audeo_bench.corpus.sets.here import films_of, open_set
from audeo_bench.corpus.sets.manifest import shipped_sets
from audeo_bench.crew import crew, fitting
from audeo_bench.progress import progress_bar

__all__ = ["Added", "add_recordings"]


@dataclass(frozen=True)
class Added:
    """Which films are ready, and what kept the others from it, one line each."""

    ready: tuple[tuple[Job, Prepared], ...]
    faults: tuple[str, ...]


def add_recordings(
    name: str,
    manifest: Path | None,
    apply_lag: bool | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
) -> Added:
    """Register a set of films and make every film ready; what is ready already is kept.

    Parameters
    ----------
    name : str
        What the corpus is called.
    manifest : Path or None
        A TOML or CSV file, or a folder of films with MIDI files beside them; for a set that ships, the folder
        its films lie in. None for a set whose films are registered.
    apply_lag : bool or None
        Use measured starts, rates and octaves where they are certain; None for what was said before.
    workers : int or None
        Processes at once; None for what films, cores and memory ask for.
    scheduler : str or None
        A dask scheduler whose workers do it; they must see the same films and the same data home.

    Raises
    ------
    AudeoBenchError
        The manifest is not of the form, or no film of it is here.
    """
    faults: list[str] = []
    if manifest is not None and name in shipped_sets():
        there = [film.id for film in open_set(name)[0].films if (manifest / film.film).is_file()]
        if not there:
            raise AudeoBenchError(f"{manifest}: no film of the set {name} is in it; see `data info {name}`.")
        fetch.fetch(fetch.plan(name, into=manifest, only=there), faults.append)
    elif manifest is not None:
        open_set(str(manifest), name, remember=True)
        fetch.fetch(fetch.plan(name), faults.append)
    jobs = [Job(name, here, apply_lag) for here in films_of(name)]
    if not jobs and not faults:
        raise AudeoBenchError(f"{manifest or name}: none of its films is here.")
    ready = {}
    if workers is None:
        workers = fitting(sum(prepared(job) is None for job in jobs))
    with crew(workers, scheduler) as who, progress_bar("films", len(jobs), "films") as bar:
        for job, found in prepare_all(jobs, who):
            bar.advance(1, note=job.here.film.id)
            if isinstance(found, AudeoBenchError):
                faults.append(str(found))
            else:
                ready[job.here.film.id] = job, found
    order = [job.here.film.id for job in jobs]
    return Added(tuple(ready[one] for one in order if one in ready), tuple(faults))
