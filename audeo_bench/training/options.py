"""How to train; read by who asks for a training without importing what trains."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """How to train, whatever is trained.

    Attributes
    ----------
    corpora : tuple of str
        Where the recordings come from; they keep their own seed 0, so that trainings differ in nothing else.
    chosen_on : tuple of str
        Corpora whose validation recordings choose the checkpoint; empty for those that are trained on.
    called : str or None
        What the weights go by, as in ``keywise@both``; the corpora's names if left out.
    start : Path or None
        Weights to go on from, such as those of one of the corpora; drawn at random if left out.
    seed : int
        Of the first weights and of every draw.
    width, epochs : int or None
        None leaves the contestant's own.
    output : Path
        Gets ``<called>/<name>.safetensors`` with ``.json`` (what made it), ``.csv`` (log) and ``.png``
        (curve) beside it, and ``work/<name>/`` with the checkpoint that a stopped training resumes from. A
        seed that is not 0, and a width, are added to the folder's name.
    resume : bool
    precision, device : str
        As lightning-fabric's, or ``auto``.
    smoke : bool
        Only try whether it trains: one recording, a few steps, about a minute.
    workers, scheduler : int or None, str or None
        Who prepares frames, as :func:`audeo_bench.training.frames.cached_frames` takes it.
    keyboards : Path or None
        A folder of photographs of pianos, see :mod:`audeo_bench.training.keyboards`.
    average : tuple of Path
        Weights whose mean is taken instead of training, see :mod:`audeo_bench.training.averaging`.
    timed : bool
        Only measure how long it would take, see :class:`audeo_bench.training.loop.Timed`.
    """

    corpora: tuple[str, ...] = ("simulated",)
    chosen_on: tuple[str, ...] = ()
    called: str | None = None
    start: Path | None = None
    seed: int = 0
    width: int | None = None
    epochs: int | None = None
    output: Path = Path("trainings")
    resume: bool = True
    precision: str = "auto"
    device: str = "auto"
    smoke: bool = False
    workers: int | None = None
    scheduler: str | None = None
    keyboards: Path | None = None
    average: tuple[Path, ...] = ()
    timed: bool = False

    @property
    def folder(self) -> Path:
        width = "" if self.width is None else f"-width{self.width}"
        seed = f"-seed{self.seed}" if self.seed else ""
        called = self.called or "+".join(self.corpora)
        return self.output / f"{called}{seed}{width}{'-smoke' if self.smoke else ''}"

    def weights(self, name: str) -> Path:
        """Where a contestant's or a chain's last contestant's weights go."""
        return self.folder / f"{name}.safetensors"
