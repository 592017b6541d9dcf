"""Bringing the films of a set here: two at a time, each checked before it is kept, none twice."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from audeo_bench.corpus import check_choice
from audeo_bench.corpus.registry import SOURCES, data_home
from audeo_bench.corpus.sets.check import Refused, check_film, last_note, too_short
from audeo_bench.corpus.sets.film import Film
from audeo_bench.corpus.sets.here import (
    Kept,
    are_meant,
    folder_of,
    is_meant,
    known_sets,
    labels_of,
    open_set,
    read_record,
    recording,
)
from audeo_bench.corpus.sets.manifest import FilmSet
from audeo_bench.corpus.sets.spelling import Moved
from audeo_bench.corpus.sets.ways import Hands, Way, copied, way_of
from audeo_bench.errors import AudeoBenchError
from audeo_bench.files import sha256_of
from audeo_bench.formats.text import plain
from audeo_bench.progress import progress_bar

__all__ = ["Plan", "fetch", "plan"]

AT_A_TIME, SHOWN = 2, 5
WORK = ".fetching"
"""The folder, inside of the set's, in which films lie until they are whole and checked."""
WRONG_LABELS = "wrong labels: the set's file means others; get them, or correct midi_sha256"


@dataclass(frozen=True)
class Plan:
    """What a fetch is going to do.

    Attributes
    ----------
    films : FilmSet
        With the rows that the set lists itself.
    way : Way
    folder : Path
    wanted : tuple of Film
        Those that are not here yet, or have changed since.
    here : dict
        Those asked for that are here, by id.
    unlabelled : tuple of Film
        Those of them whose labels are not, and may be had.
    elsewhere : dict
        Id on YouTube -> a film that another set has: PianoYT has 21 of the paper's.
    size : int or None
        Bytes to bring, about; None where nobody knows.
    """

    films: FilmSet
    way: Way
    folder: Path
    wanted: tuple[Film, ...]
    here: Mapping[str, Kept]
    unlabelled: tuple[Film, ...]
    size: int | None
    elsewhere: Mapping[str, Path]

    @property
    def places(self) -> list[Path]:
        """The folders in which films lie that are here, other than the one that others are brought into."""
        films = {film.id: film for film in self.films.films}
        found = (folder_of(kept, films[name]) or kept.film.parent for name, kept in self.here.items())
        return sorted(set(found) - {self.folder})


def plan(
    place: str,
    into: Path | None = None,
    only: Sequence[str] = (),
    source: str | None = None,
    cookies: str | None = None,
) -> Plan:
    """Say what is to be brought.

    Parameters
    ----------
    place : str
        A set's name, or the path of a user's own set.
    into : Path or None
        The folder; None for where the set was fetched to before, the folder of a user's own set, or one in
        the data home.
    only : sequence of str
        Ids of films, on YouTube or in the set; none for all.
    source : str or None
        A mirror, see :func:`audeo_bench.corpus.sets.ways.way_of`.
    cookies : str or None
        The browser whose cookies go with requests.

    Raises
    ------
    AudeoBenchError
        No such set, film or mirror; something is not installed; the repository cannot be had.
    """
    films, record = open_set(place, remember=True)
    folder = into or record.folder or (record.manifest and _beside(record.manifest))
    folder = Path(folder or data_home() / "films" / films.name).expanduser().resolve()
    way: Way = Hands("")  # unless something is wanted, which needs no network
    if not films.films:
        way = way_of(films, source, cookies, record.revision)
        films = _listed(films, way, folder)
    known = {name: film for film in films.films for name in (film.id, film.youtube) if name}
    for name in only:
        check_choice("film", name, known, f"set {films.name}")
    asked = tuple({known[name].id: known[name] for name in only}.values()) or films.films
    record = read_record(films.name)
    here = {
        film.id: kept
        for film in asked
        if (kept := record.films.get(film.id)) and _is_here(kept) and is_meant(film, kept)
    }
    wanted = tuple(film for film in asked if film.id not in here)
    unlabelled = tuple(
        film
        for film in asked
        if film.id in here and _lacks_labels(films, film, here[film.id], source is not None)
    )
    if (wanted or unlabelled) and isinstance(way, Hands):
        way = way_of(films, source, cookies, record.revision)
    elsewhere = _elsewhere({film.youtube for film in wanted if film.youtube})
    sizes = [way.size(film) for film in wanted if not (folder / film.film).is_file()]
    total = sum(size for size in sizes if size is not None)
    if None in sizes:
        share = films.gigabytes and films.gigabytes * 1e9 * len(sizes) / len(films.films)
        total = int(share) if share else None
    return Plan(films, way, folder, wanted, here, unlabelled, total, elsewhere)


def _beside(manifest: Path) -> Path:
    return manifest if manifest.is_dir() else manifest.parent


def _listed(films: FilmSet, way: Way, folder: Path) -> FilmSet:
    """A set with the rows that it lists itself, which are kept in its record with the commit they are of."""
    rows = way.rows(films, folder / WORK)
    if not rows:
        raise AudeoBenchError(f"set {films.name}: {films.homepage} lists no films; give another revision.")
    with recording(films.name) as pen:
        pen.change(rows=rows, revision=getattr(way, "revision", None))
    return films.model_copy(update={"films": rows})


def _is_here(kept: Kept) -> bool:
    """By its size; that its content is the one that was checked is told by its digest where it is opened."""
    return kept.film.is_file() and kept.film.stat().st_size == kept.size


def _lacks_labels(films: FilmSet, film: Film, kept: Kept, mirrored: bool) -> bool:
    """Whether a film that is here has no labels at hand, although its row or a mirror may have them."""
    if labels_of(films, film, kept):
        return False
    beside = (folder_of(kept, film) or kept.film.parent) / _label_path(film)
    return _promised(films, film) or mirrored or beside.is_file()


def _promised(films: FilmSet, film: Film) -> bool:
    """Whether labels come with the film: its row says so, and not that they lie in another data set."""
    return bool(film.labels or film.midi_url) and not SOURCES.keys() & films.labels


def _label_path(film: Film) -> str:
    return film.labels or str(Path(film.film).with_suffix(".mid"))


def fetch(plan: Plan, tell: Callable[[str], None]) -> list[str]:
    """Bring the films of a plan; a run that was stopped anywhere goes on where it was.

    Parameters
    ----------
    plan : Plan
    tell : callable
        Takes one line for every film that could not be had, or whose labels could not.

    Returns
    -------
    failed : list of str
        The ids of films that could not be had, or whose labels could not.

    Raises
    ------
    AudeoBenchError
        Another fetch fills the same folder.
    """
    wanted, absent = plan.wanted, []
    if isinstance(plan.way, Hands):
        wanted = tuple(film for film in plan.wanted if (plan.folder / film.film).is_file())
        there = {film.id for film in wanted}
        absent = [film.id for film in plan.wanted if film.id not in there]
        if absent:
            some = ", ".join(absent[:SHOWN]) + (", ..." if len(absent) > SHOWN else "")
            count = f"{len(absent)} of {len(plan.films.films)} films"
            tell(f"{count} are not in {plan.folder} ({some}): {plan.way.how}")
    todo = (*wanted, *plan.unlabelled)
    if not todo:
        return absent
    # Where nothing is brought, nothing is written into the user's folder: it may be read-only.
    here = all((plan.folder / film.film).is_file() for film in wanted)
    work = data_home() / "sets" / f"{WORK}-{plan.films.name}" if here else plan.folder / WORK
    work.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(work / "lock", timeout=0):
            failed = _fetch(plan, todo, work, tell)
    except Timeout:
        raise AudeoBenchError(f"{plan.folder}: another fetch is filling it; wait for its end.") from None
    if not failed:
        shutil.rmtree(work, ignore_errors=True)
    return absent + failed


def _fetch(plan: Plan, todo: Sequence[Film], work: Path, tell: Callable[[str], None]) -> list[str]:
    failed: list[str] = []
    with recording(plan.films.name) as pen:
        pen.change(folder=plan.folder, revision=getattr(plan.way, "revision", pen.record.revision))
    with (
        progress_bar(plan.films.name, len(todo), "films") as bar,
        ThreadPoolExecutor(AT_A_TIME) as pool,
    ):
        jobs = {pool.submit(_take, plan, film, work, bar.advance): film for film in todo}
        try:
            for job in as_completed(jobs):
                try:
                    job.result()
                except Refused as fault:
                    failed.append(jobs[job].id)
                    tell(f"{jobs[job].id}: {plain(' '.join(str(fault).split()))}")
                except OSError as fault:
                    failed.append(jobs[job].id)
                    tell(f"{jobs[job].id}: {_of_the_disk(fault)}")
        except BaseException:
            plan.way.stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return failed


def _of_the_disk(fault: OSError) -> str:
    again = "then run the same command again"
    if fault.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full; make room and run the same command again"
    if fault.errno == errno.EFBIG:
        return f"the film is larger than files may be there; give another folder with --into, {again}"
    where = f"{fault.filename}: " if fault.filename else ""
    return f"{where}{fault.strerror or fault}; put that right, {again}"


def _take(plan: Plan, film: Film, work: Path, advance: Callable[[float, str | None], None]) -> None:
    """Bring one film and its labels, check them, and write down that they are here.

    A fault of the labels is no reason not to keep the film: it is kept without them, and they are asked for
    again by the next run.
    """
    told = 0.0

    def moved(share: float, note: str) -> None:
        nonlocal told
        if plan.way.stop.is_set():
            raise Refused("stopped")
        advance(max(0.0, 0.95 * share - told), note)
        told = max(told, 0.95 * share)

    try:
        kept = plan.here.get(film.id)
        folder = plan.folder if kept is None else folder_of(kept, film) or kept.film.parent
        target = _place(folder, _label_path(film))
        if not target.is_file():
            label, fault = _brought(plan, film, folder, work)
        elif are_meant(film, target):
            label, fault = target, None
        else:
            label, fault = None, Refused(f"{WRONG_LABELS}; the file was there before: {target}")
        others = [labels.path for labels in labels_of(plan.films, film, kept, folder)]
        known = label or next(iter(others), None)
        try:
            last = film.last_note_s if known is None else last_note(known, film)
        except Refused as bad:
            raise Refused(f"{bad}; remove it, or put it right") from None
        if kept is None:
            # A film that the set's file describes is not wrong for the labels that a source has for it.
            described = film.seconds is not None or film.sha256 is not None
            kept = _film(plan, film, None if described and label not in (None, target) else last, work, moved)
        if label is not None and last is not None and too_short(kept.seconds, film, last):
            label = None
            lengths = f"they go on to {last:.1f} s, the film to {kept.seconds:.1f} s"
            fault = Refused(f"wrong labels: {lengths}; get the right ones")
        if label is not None:
            if label != target:
                target.parent.mkdir(parents=True, exist_ok=True)
                copied(label, target)
            kept = kept.model_copy(update={"midi": target, "midi_sha256": sha256_of(target)})
        with recording(plan.films.name) as pen:
            pen.change(films=pen.record.films | {film.id: kept})
        if fault is not None:
            raise fault
    finally:
        advance(1.0 - told, None)


def _film(plan: Plan, film: Film, last: float | None, work: Path, moved: Moved) -> Kept:
    """A film in the set's folder, brought there unless it lies there, and checked."""
    target = _place(plan.folder, film.film)
    shared = None if target.is_file() else plan.elsewhere.get(film.youtube or "")
    brought = target if target.is_file() else shared or plan.way.film(film, work, moved)
    try:
        seconds = check_film(brought, film, last, lambda: moved(1.0, "checking"))
        digest = sha256_of(brought)
        if film.sha256 is not None and digest != film.sha256:
            raise Refused(f"wrong film: SHA-256 {digest[:12]}..., the set's file says {film.sha256[:12]}...")
    except Refused as fault:
        if brought == target:
            raise Refused(f"{fault}; the file was there before: {target}") from None
        if shared is None:
            brought.unlink(missing_ok=True)
        raise
    if shared is not None:
        brought = _linked(shared, work / f"{film.id}{shared.suffix}")
    if brought != target:
        target.parent.mkdir(parents=True, exist_ok=True)
        brought.replace(target)
    return Kept(film=target, sha256=digest, size=target.stat().st_size, seconds=round(seconds, 3))


def _brought(plan: Plan, film: Film, folder: Path, work: Path) -> tuple[Path | None, Refused | None]:
    """A film's labels from the source, in ``work``, and read; or what is wrong with them."""
    promised = _promised(plan.films, film)
    try:
        labels = plan.way.label(film, work)
    except Refused as fault:
        return None, Refused(f"labels: {fault}") if promised else None
    if labels is None:
        if not promised or labels_of(plan.films, film, plan.here.get(film.id), folder):
            return None, None
        where = folder / _label_path(film)
        return None, Refused(
            f"labels are missing; put them where the film is had, or at {where}, then run this again"
        )
    try:
        last_note(labels, film)
        if not are_meant(film, labels):
            raise Refused(WRONG_LABELS)
    except Refused as fault:
        labels.unlink()
        return None, Refused(str(fault).replace(f"{labels}: ", ""))
    return labels, None


def _place(folder: Path, path: str) -> Path:
    """Where a file of the set lies; links in the folder may not lead out of it."""
    target = folder / path
    if not target.parent.resolve().is_relative_to(folder):
        raise Refused(f"{target} leads out of {folder}; remove the link")
    return target


def _elsewhere(wanted: set[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for name in known_sets() if wanted else ():
        with suppress(AudeoBenchError):  # a user's set whose file has gone
            films, record = open_set(name)
            for other in films.films:
                kept = record.films.get(other.id) if other.youtube in wanted else None
                if kept is not None and other.youtube and _is_here(kept):
                    found[other.youtube] = kept.film
    return found


def _linked(source: Path, target: Path) -> Path:
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
    return target
