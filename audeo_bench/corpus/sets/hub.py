"""Films from data set repositories on the Hugging Face hub, at a pinned commit."""

from __future__ import annotations

import errno
import threading
from pathlib import Path
from typing import Any

from audeo_bench.corpus.sets.check import Refused
from audeo_bench.corpus.sets.film import Film
from audeo_bench.corpus.sets.manifest import FilmSet, HuggingFace, pair_films, rows_of
from audeo_bench.corpus.sets.spelling import Moved
from audeo_bench.errors import AudeoBenchError
from audeo_bench.formats.text import read_json

__all__ = ["Hub"]

LISTING_LIMIT = 64 << 20


class Hub:
    """One repository at one commit.

    Attributes
    ----------
    revision : str
        The commit: the set's file's, an earlier fetch's, or else what the branch is at now.

    Raises
    ------
    AudeoBenchError
        huggingface_hub is not installed, the repository cannot be had, or its conditions are not accepted.
    """

    def __init__(self, source: HuggingFace, revision: str | None) -> None:
        try:
            import huggingface_hub
            from huggingface_hub.utils import disable_progress_bars
        except ImportError:
            raise AudeoBenchError(
                "sets on the Hugging Face hub need huggingface_hub, which is not installed; run "
                "`pip install 'audeo-bench[fetch]'`."
            ) from None
        disable_progress_bars()
        self.stop = threading.Event()
        self.source = source
        try:
            info = huggingface_hub.HfApi().dataset_info(
                source.repository, revision=revision or source.revision, files_metadata=True
            )
        except Exception as fault:
            raise AudeoBenchError(f"{source.repository}: {_told(fault, source)}") from None
        self.revision = str(info.sha)
        self.sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}

    def rows(self, films: FilmSet, work: Path) -> tuple[Film, ...]:
        """The rows of a set whose file names none: as it lists them, else films paired with MIDI files."""
        if films.listing is None:
            return tuple(Film.model_validate(row) for row in pair_films(sorted(self.sizes)))
        path = work / films.listing.file
        if self.sizes.get(films.listing.file, 0) > LISTING_LIMIT:
            raise AudeoBenchError(
                f"{self.source.repository}: {films.listing.file} is too long to be a listing."
            )
        try:
            self._bring(films.listing.file, work)
        except Refused as fault:
            raise AudeoBenchError(f"{self.source.repository}: {films.listing.file}: {fault}.") from None
        entries = read_json(path, remedy="remove it and fetch it again", limit=LISTING_LIMIT)
        return rows_of(films.listing, entries, path)

    def size(self, film: Film) -> int | None:
        return self.sizes.get(film.url or film.film, 0)

    def film(self, film: Film, work: Path, moved: Moved) -> Path:
        return self._bring(film.url or film.film, work, moved, film.id)

    def label(self, film: Film, work: Path) -> Path | None:
        label = film.midi_url or film.labels
        return self._bring(label, work) if label is not None else None

    def _bring(self, file: str, work: Path, moved: Moved | None = None, note: str = "") -> Path:
        import huggingface_hub

        try:
            return Path(
                huggingface_hub.hf_hub_download(
                    self.source.repository,
                    file,
                    repo_type="dataset",
                    revision=self.revision,
                    local_dir=work,
                    tqdm_class=_teller(moved, note) if moved is not None else None,
                )
            )
        except OSError as fault:
            if fault.errno in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise Refused(_told(fault, self.source)) from fault
        except Refused:
            raise
        except Exception as fault:
            raise Refused(_told(fault, self.source)) from fault


def _told(fault: Exception, source: HuggingFace) -> str:
    from huggingface_hub import errors

    page = f"https://huggingface.co/datasets/{source.repository}"
    if isinstance(fault, errors.GatedRepoError):
        return f"gated; accept its conditions at {page}, then run `hf auth login`"
    if isinstance(fault, errors.EntryNotFoundError):
        return "gone from the repository at that commit; see its page for what has moved"
    if isinstance(fault, errors.RevisionNotFoundError):
        return f"no revision {source.revision}; see {page}/tree/main"
    if isinstance(fault, errors.RepositoryNotFoundError):
        return f"no such repository, or it needs your token; see {page}, then run `hf auth login`"
    status = getattr(getattr(fault, "response", None), "status_code", None)
    if status == 429:
        return "too many requests (429); run the same command again later, or log in with `hf auth login`"
    if status in (401, 403):
        return f"refused ({status}); see {page}, then run `hf auth login`"
    words = " ".join(str(fault).split())[:200]
    return f"{words}; check the network, then run the same command again: it goes on where it stopped"


def _teller(moved: Moved, note: str) -> Any:
    """A progress bar class for huggingface_hub that tells the share instead of drawing it."""
    from huggingface_hub.utils.tqdm import tqdm

    class Teller(tqdm):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options | {"disable": True})
            self.whole, self.here = options.get("total") or 0, options.get("initial") or 0

        def update(self, n: float | None = 1) -> bool | None:
            self.here += n or 0
            if self.whole:
                moved(min(1.0, self.here / self.whole), f"{note}, {self.whole / 1e6:.1f} MB")
            return None

    return Teller
