"""The training recordings' frames, shrunk once to what the net looks at and kept as memory maps."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audeo_bench.api import AudeoBenchError, Frames, Recording, windows
from audeo_bench.corpus import open_corpus
from audeo_bench.crew import Unit, crew, fitting
from audeo_bench.files import atomic_write, sha256_of
from audeo_bench.formats.npz import map_array, read_array
from audeo_bench.keyboard.rest import REST_VERSION
from audeo_bench.nn.frames import STACK, idle_picture, shrink, stack_indices
from audeo_bench.places import cache_folder
from audeo_bench.progress import progress_bar

REMEDY = "delete it, and it is rendered again"
SAMPLED_RECORDINGS, SAMPLED_FRAMES = 4, 50
FROM_FRAMES_EVERY = 3
"""Every so many simulated recordings the keyboard at rest is made of its frames, as a film's is."""


@dataclass(frozen=True)
class Source:
    """Names recordings so that another process can open them."""

    corpus: str
    seed: int
    split: str
    take: int = 0
    limit: int | None = None

    def ids(self) -> list[str]:
        corpus = open_corpus(self.corpus, seed=self.seed)
        return [corpus.take_id(one, self.take) for one in corpus.ids(self.split)[: self.limit]]

    def recordings(self) -> list[Recording]:
        corpus = open_corpus(self.corpus, seed=self.seed)
        return [corpus.recording(one) for one in self.ids()]


@contextmanager
def sealed_write(path: Path) -> Iterator[Path]:
    """As ``atomic_write``, with the file's SHA-256 beside it."""
    with atomic_write(path) as temporary:
        yield temporary
        digest = sha256_of(temporary)
    with atomic_write(_seal(path)) as temporary:
        temporary.write_text(digest, encoding="ascii")


def is_sealed(path: Path) -> bool:
    """Whether a kept file is there and is what was written; one that was cut or changed is made anew."""
    seal = _seal(path)
    return path.is_file() and seal.is_file() and seal.read_bytes() == sha256_of(path).encode()


def _seal(path: Path) -> Path:
    return path.with_suffix(".sha256")


def _path(source: Source, recording: str, shape: tuple[int, int]) -> Path:
    version = open_corpus(source.corpus, seed=source.seed).version
    return (
        cache_folder()
        / "frames"
        / f"{source.corpus}-{version}-seed{source.seed}"
        / f"{recording}-{shape[0]}x{shape[1]}.npy"
    )


def _render(source: Source, number: int, shape: tuple[int, int]) -> None:
    one = source.ids()[number]
    path = _path(source, one, shape)
    recording = open_corpus(source.corpus, seed=source.seed).recording(one)
    if not is_sealed(path):
        with sealed_write(path) as temporary:
            small = np.lib.format.open_memmap(temporary, "w+", np.uint8, (len(recording.frames), *shape))
            for start, window in windows(recording.frames, 250):
                small[start : start + len(window)] = shrink(window, shape)
            small.flush()
    if not is_sealed(_idle(path)):
        # In a clip of seconds hands hide the same keys throughout; in a film of minutes they do not. Some of
        # the clips show what such a picture looks like.
        nobody = getattr(recording.frames, "idle", None)
        if nobody is None or number % FROM_FRAMES_EVERY == 0:
            picture = idle_picture(map_array(path, remedy=REMEDY), shape)
        else:
            picture = shrink(nobody()[None], shape)[0]
        with sealed_write(_idle(path)) as temporary, temporary.open("wb") as file:
            np.save(file, picture)


def _idle(path: Path) -> Path:
    return path.with_name(f"{path.stem}-idle{REST_VERSION}.npy")


def cached_idle(
    sources: Sequence[Source],
    shape: tuple[int, int],
    workers: int | None = None,
    scheduler: str | None = None,
) -> list[np.ndarray]:
    """Every recording's keyboard at rest at ``shape``, (height, width), uint8; kept with its frames.

    Parameters are those of :func:`cached_frames`.
    """
    paths = [_idle(_path(source, one, shape)) for source in sources for one in source.ids()]
    if not all(map(is_sealed, paths)):
        cached_frames(sources, shape, workers, scheduler)
    return [read_array(path, [], remedy=REMEDY) for path in paths]


def cached_frames(
    sources: Sequence[Source],
    shape: tuple[int, int],
    workers: int | None = None,
    scheduler: str | None = None,
) -> list[np.ndarray]:
    """Every recording's frames at ``shape``, rendered on first use and kept.

    Parameters
    ----------
    sources : sequence of Source
    shape : (int, int)
        Height and width.
    workers : int or None
        As for :func:`audeo_bench.crew.crew`; None for as many as are worth their start.
    scheduler : str or None
        A dask scheduler whose workers do it; they must see the same cache folder.

    Returns
    -------
    list of np.ndarray, shape (T, height, width), uint8
        Read-only memory maps, in the order of the sources' recordings.

    Raises
    ------
    AudeoBenchError
        The scheduler's workers keep them elsewhere.
    """
    named = [(source, number, one) for source in sources for number, one in enumerate(source.ids())]
    paths = [_path(source, one, shape) for source, _, one in named]
    missing = {
        path: Unit(f"{source.corpus} {one}", _render, (source, number, shape))
        for (source, number, one), path in zip(named, paths, strict=True)
        if not (is_sealed(path) and is_sealed(_idle(path)))
    }
    if missing:
        with (
            progress_bar("rendering training frames", total=len(missing), unit="recordings") as bar,
            crew(fitting(len(missing)) if workers is None else workers, scheduler) as who,
        ):
            for _ in who.done(missing.values()):
                bar.advance(1)
    if lost := [path for path in missing if not path.is_file()]:
        raise AudeoBenchError(
            f"{lost[0]}: was rendered by a worker and is not here; give all workers the same folder on a "
            "shared disk by AUDEO_BENCH_CACHE."
        )
    return [map_array(path, remedy=REMEDY) for path in paths]


def seconds_to_open(source: Source) -> float:
    """How long making a source's films ready will take: the first that is not ready is made so."""
    corpus = open_corpus(source.corpus, seed=source.seed)
    unready = corpus.unready(source.split)
    began = time.monotonic()
    for one in unready[:1]:
        corpus.recording(one)
    return (time.monotonic() - began) * len(unready)


def seconds_to_keep(source: Source, shape: tuple[int, int]) -> float:
    """How long one process will take to keep those of a source's frames that are not kept yet.

    A few frames of some recordings are made, and thrown away.
    """
    corpus, ids = open_corpus(source.corpus, seed=source.seed), source.ids()
    missing = [one for one in ids if not _path(source, one, shape).is_file()]
    unready = corpus.unready(source.split)
    ready = [one for one in missing if one not in unready]
    sampled = ready[:: max(1, len(ready) // SAMPLED_RECORDINGS)][:SAMPLED_RECORDINGS]
    seconds = [_seconds_of(corpus.recording(one).frames, shape) for one in sampled]
    return len(missing) * float(np.mean(seconds)) if seconds else 0.0


def _seconds_of(frames: Frames, shape: tuple[int, int]) -> float:
    """Of all of a recording's frames, by its first ones, before which a scene is built, and the next."""
    times = []
    for start in range(0, min(2 * SAMPLED_FRAMES, len(frames)), SAMPLED_FRAMES):
        began = time.monotonic()
        shrink(frames[start : start + SAMPLED_FRAMES], shape)
        times.append(time.monotonic() - began)
    later = len(frames) - SAMPLED_FRAMES
    return times[0] + (times[1] / min(SAMPLED_FRAMES, later) * later if later > 0 else 0.0)


class BalancedDraws:
    """A class among the modelled keys and "silent", then a random frame that has it.

    The release draws all classes equally often. Among 88 keys that spends a third of the draws on the few
    frames of keys that hardly anybody plays; here a class is drawn in proportion to the square root of its
    frames.

    Parameters
    ----------
    rolls : list of np.ndarray, each (keys, T), bool
    """

    def __init__(self, rolls: Sequence[np.ndarray]) -> None:
        self.lengths = np.array([roll.shape[1] for roll in rolls])
        everything = np.concatenate(rolls, axis=1)
        having = [np.flatnonzero(row) for row in everything] + [np.flatnonzero(~everything.any(0))]
        # A key that nobody plays cannot be drawn; the release's sampler leaves it out as well.
        self.having = [frames for frames in having if len(frames)]
        roots = np.sqrt([len(frames) for frames in self.having])
        self.shares = roots / roots.sum()
        self.ends = np.cumsum(self.lengths)

    def __call__(self, rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        """``count`` draws as (recording number, frame number), both of shape (count,)."""
        classes = rng.choice(len(self.having), size=count, p=self.shares)
        chosen = np.array([self.having[c][int(rng.random() * len(self.having[c]))] for c in classes])
        recording = np.searchsorted(self.ends, chosen, side="right")
        return recording, chosen - (self.ends - self.lengths)[recording]


def stacks(
    frames: Sequence[np.ndarray],
    recording: np.ndarray,
    middle: np.ndarray,
    stack: int = STACK,
    idle: Sequence[np.ndarray] | None = None,
) -> np.ndarray:
    """Stacks of frames, shape (n, stack, height, width), uint8; one picture more where ``idle`` is given.

    Parameters
    ----------
    frames : sequence of np.ndarray, each (T, height, width), uint8
    recording, middle : np.ndarray, shape (n,), int
        Which recording's, around which frame.
    stack : int
    idle : sequence of np.ndarray, each (height, width), uint8, or None
        Each recording's keyboard at rest, which comes last.
    """
    out = np.empty((len(middle), stack + (idle is not None), *frames[0].shape[1:]), np.uint8)
    for number, (r, m) in enumerate(zip(recording, middle, strict=True)):
        out[number, :stack] = frames[r][stack_indices(np.array([m]), len(frames[r]), stack)[0]]
        if idle is not None:
            out[number, stack] = idle[r]
    return out
