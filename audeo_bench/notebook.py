"""The names for notebooks: models evaluated in one call, runs and boards as DataFrames, sound and pictures.

Every value is in 0..1.

>>> import audeo_bench
>>> found = audeo_bench.evaluate("./my_model.py", split="wtc2")  # doctest: +SKIP
>>> found.f1, found.plot(), found.play()  # doctest: +SKIP
>>> audeo_bench.load_run("runs/simulated-wtc2/keywise")  # doctest: +SKIP
>>> audeo_bench.compare("runs/simulated-wtc2/keywise", "runs/simulated-wtc2/video2roll")  # doctest: +SKIP
>>> audeo_bench.leaderboard("simulated-wtc2")  # doctest: +SKIP
"""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from audeo_bench.api import Frames, Notes, Recording, VideoToRoll
    from audeo_bench.corpus import Corpus
    from audeo_bench.records import Scores
    from audeo_bench.runs.task import Task


SHARES = ("f1", "low", "high", "seeds_low", "seeds_high", "precision", "recall", "accuracy")
"""Columns of :func:`leaderboard` that are in 0..1, and so are the note metrics."""


@dataclass(frozen=True, repr=False)
class Evaluation:
    """A model's answers for a split, and their scores.

    Attributes
    ----------
    name : str
    corpus : Corpus
    scores : Scores
    rolls : mapping of recording id to np.ndarray, each (88, T), probabilities
    folder : Path or None
        The run folder, where there is one.
    """

    name: str
    corpus: Corpus
    scores: Scores
    rolls: Mapping[str, np.ndarray]
    folder: Path | None = None

    @property
    def f1(self) -> float:
        """Table 1's own metric, ``frame_mean.51@0.4``, in 0..1."""
        from audeo_bench.score import value

        return value(self.scores)

    def table(self) -> pd.DataFrame:
        """Every metric in long form; see :func:`load_run`."""
        from audeo_bench.score.tables import metric_table

        return metric_table(self.scores)

    def by_recording(self) -> pd.DataFrame:
        """Precision, recall, accuracy and F1 of each recording by Table 1's own metric."""
        import pandas as pd

        from audeo_bench.score import MAIN, frame_sums, percents

        sums = frame_sums(self.scores, MAIN.keys)
        values = {name: percents({name: counts}) for name, counts in sums.items()}
        return pd.DataFrame(values).T / 100

    def plot(self, recording: str | None = None, start: float = 0.0, seconds: float = 20.0) -> Figure:
        """The answer above the truth: found, invented, missed. The first recording where none is named."""
        from audeo_bench.report.figures import draw_rolls
        from audeo_bench.roll import FRAMES_PER_SECOND, THRESHOLD

        chosen = self._recording(recording)
        answer = {f"{self.name}, threshold {THRESHOLD:g}": self.rolls[chosen.id] >= THRESHOLD}
        first, frames = round(start * FRAMES_PER_SECOND), round(seconds * FRAMES_PER_SECOND)
        title = f"{chosen.title} ({chosen.provenance})"
        return draw_rolls(title, chosen.sounding, answer, first, frames)

    def play(self, recording: str | None = None, start: float = 0.0, seconds: float = 20.0) -> Sound:
        """The answer as a piano plays it."""
        from audeo_bench.roll import FRAMES_PER_SECOND, THRESHOLD

        first, frames = round(start * FRAMES_PER_SECOND), round(seconds * FRAMES_PER_SECOND)
        return play(self.rolls[self._recording(recording).id][:, first : first + frames] >= THRESHOLD)

    def _recording(self, name: str | None) -> Recording:
        from audeo_bench.corpus import check_choice

        chosen = next(iter(self.rolls)) if name is None else name
        check_choice("recording", chosen, self.rolls, f"the evaluation of {self.name}")
        return self.corpus.recording(chosen)

    def __repr__(self) -> str:
        subject = self.scores.subject
        part = "" if subject.limit is None else f"first {subject.limit} recordings of "
        return (
            f"Evaluation({self.name} on {part}{subject.corpus} {subject.split} ({subject.provenance}): "
            f"F1 {self.f1:.3f})"
        )


@dataclass(frozen=True, repr=False)
class Sound:
    """Samples, mono float32 at 16 kHz; a notebook shows a player."""

    samples: np.ndarray

    def save(self, path: str | Path) -> Path:
        """Write a 16-bit WAV file."""
        from audeo_bench.files import atomic_write

        with atomic_write(Path(path)) as temporary:
            temporary.write_bytes(self._wav())
        return Path(path)

    def _wav(self) -> bytes:
        import soundfile

        from audeo_bench.api import SAMPLE_RATE

        content = io.BytesIO()
        soundfile.write(content, self.samples, SAMPLE_RATE, format="WAV", subtype="PCM_16")
        return content.getvalue()

    def _repr_html_(self) -> str:
        from markupsafe import Markup

        player = Markup('<audio controls src="data:audio/wav;base64,{}"></audio>')
        return player.format(base64.b64encode(self._wav()).decode("ascii"))

    def __repr__(self) -> str:
        from audeo_bench.api import SAMPLE_RATE

        return f"Sound({len(self.samples) / SAMPLE_RATE:.1f} s)"


def evaluate(
    model: str | Path | VideoToRoll | Callable[[Frames], np.ndarray],
    split: str = "wtc2",
    corpus: str | Corpus = "simulated",
    *,
    weights: Sequence[str] = (),
    limit: int | None = None,
    runs: str | Path = "runs",
) -> Evaluation:
    """Let a model answer for a split, and score the answers.

    Parameters
    ----------
    model : str, Path, VideoToRoll or callable
        A system as ``audeo-bench midi --system`` takes it (a name, ``./my_model.py``, a chain), whose answers
        are kept in a run folder; a finished run folder; or a model that is in memory already: an object with
        ``roll(frames)`` or a function, from uint8 (T, 100, 900) to probabilities (88, T). Its answers are in
        memory too.
    split : str
    corpus : str or Corpus
    weights : sequence of str
        Of a system; see :func:`audeo_bench.contestants.loading.systems`.
    limit : int or None
        Only the first so many recordings: a quick look.
    runs : str or Path
        Where run folders go.

    Raises
    ------
    AudeoBenchError
        No such system, corpus or split; a model that fails or whose answer is no roll.
    """
    from audeo_bench.corpus import open_corpus
    from audeo_bench.runs import scoring
    from audeo_bench.runs.task import Task

    if isinstance(model, str | os.PathLike) and (Path(model) / "run.json").is_file():
        found = scoring.result(Path(model))
    else:
        opened = open_corpus(corpus) if isinstance(corpus, str) else corpus
        task = Task(opened, split, Path(runs), limit)
        if not isinstance(model, str | os.PathLike):
            return _in_memory(model, task)
        from audeo_bench.contestants.loading import system
        from audeo_bench.runs import evaluation

        (found,) = evaluation.evaluate([system(os.fspath(model), weights)], task)
    subject = found.record.subject
    return Evaluation(
        found.record.system,
        open_corpus(subject.corpus, subject.seed) if isinstance(corpus, str) else corpus,
        found.scores,
        _KeptRolls(found.folder, tuple(found.record.answers)),
        found.folder,
    )


def _in_memory(model: Any, task: Task) -> Evaluation:
    from audeo_bench.contestants.answer import check_roll, seed_everything
    from audeo_bench.errors import AudeoBenchError
    from audeo_bench.score import Rolls, score_rolls

    answer = getattr(model, "roll", model)
    name = getattr(model, "name", "") or getattr(model, "__name__", type(model).__name__)
    if not callable(answer):
        raise AudeoBenchError(
            f"evaluate: {name} is no model; give the name or path of a contestant, an object with "
            "roll(frames), or a function from frames to a roll."
        )
    rolls, scored = {}, {}
    for recording in task.recordings():
        seed_everything(task.seed, recording.id)
        roll = check_roll(answer(recording.frames), len(recording), name, recording.id)
        rolls[recording.id] = roll
        scored[recording.id] = Rolls(recording.sounding, roll, recording.pressed, recording.notes)
    return Evaluation(name, task.corpus, score_rolls(scored, task.subject), rolls)


@dataclass(frozen=True)
class _KeptRolls(Mapping[str, np.ndarray]):
    """A run folder's rolls, read when they are looked at."""

    folder: Path
    names: tuple[str, ...]

    def __getitem__(self, name: str) -> np.ndarray:
        from audeo_bench.runs.folder import read_roll

        if name not in self.names:
            raise KeyError(name)
        return read_roll(self.folder, name)

    def __iter__(self):
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def play(music: np.ndarray | Notes | Recording) -> Sound:
    """Sound to listen to.

    Parameters
    ----------
    music : np.ndarray of shape (88, T), Notes or Recording
        A roll (probabilities count from 0.4 upwards) or notes are played by FluidSynth; a recording gives its
        own sound, or its true roll's where it has none.
    """
    from audeo_bench.api import Notes, Recording
    from audeo_bench.roll import THRESHOLD
    from audeo_bench.synth.fluidsynth import render, render_roll

    if isinstance(music, Recording):
        return Sound(music.audio()) if music.audio is not None else play(music.sounding)
    if isinstance(music, Notes):
        return Sound(render(music))
    roll = np.asarray(music)
    return Sound(render_roll(roll if roll.dtype == np.bool_ else roll >= THRESHOLD))


def plot(truth: np.ndarray, start: float = 0.0, seconds: float = 20.0, **answers: np.ndarray) -> Figure:
    """Rolls above the truth, in the manner of the paper's Fig. 5: what was found, invented, missed.

    Parameters
    ----------
    truth : np.ndarray, shape (88, T), bool
    start, seconds : float
        The span that is shown.
    **answers : np.ndarray, each (88, T)
        By what each is called; probabilities count from 0.4 upwards.
    """
    from audeo_bench.report.figures import draw_rolls
    from audeo_bench.roll import FRAMES_PER_SECOND, THRESHOLD

    on = {name: roll if roll.dtype == np.bool_ else roll >= THRESHOLD for name, roll in answers.items()}
    first, frames = round(start * FRAMES_PER_SECOND), round(seconds * FRAMES_PER_SECOND)
    return draw_rolls("", truth, on, first, frames)


def load_run(run: str | Path) -> pd.DataFrame:
    """All frame and note metrics of a run, scored from its rolls, in long form.

    Columns ``recording`` (an id, ``total`` or ``mean``), ``keys``, ``threshold``, ``average``, ``metric`` and
    ``value`` in 0..1; see :func:`audeo_bench.score.tables.metric_table`.

    Raises
    ------
    AudeoBenchError
        No finished run folder, damaged rolls, or a corpus of another version.
    """
    from audeo_bench.runs.scoring import score_run
    from audeo_bench.score.tables import metric_table

    return metric_table(score_run(Path(run)))


def compare(run: str | Path, *others: str | Path, metric: str = "frame_mean.51@0.4") -> pd.DataFrame:
    """One run against others, paired: difference, interval, p-values, verdict, each recording.

    Parameters
    ----------
    run, *others : str or Path
        Run folders.
    metric : str
        ``<average>.<keys>@<threshold>``; F1 is compared.

    Returns
    -------
    table : pandas.DataFrame
        One row for each of ``others``, in 0..1; see :func:`audeo_bench.score.statistics.comparison_table`.

    Raises
    ------
    AudeoBenchError
        As :func:`load_run`; runs that answer for different recordings.
    """
    from audeo_bench.runs.scoring import score_run
    from audeo_bench.score import Measure
    from audeo_bench.score.statistics import compare as compare_scores
    from audeo_bench.score.statistics import comparison_table

    measure = Measure.parse(metric)
    scores = {str(each): [score_run(Path(each), [measure.threshold])] for each in (run, *others)}
    standing = compare_scores(scores, measure)
    return comparison_table([standing.compare(str(run), other) for other in list(scores)[1:]])


def leaderboard(board: str | None = None, folder: str | Path | None = None) -> pd.DataFrame:
    """The boards' lines; contestants that differ in the training seed alone are one, with their means.

    Parameters
    ----------
    board : str or None
        Such as ``simulated-wtc2``; None gives all, which are never ranked together.
    folder : str, Path or None
        The folder of the boards; None as ``audeo-bench leaderboard``.

    Returns
    -------
    table : pandas.DataFrame
        Columns ``board``, ``provenance``, ``measure``, ``rank``, ``contestant``, ``trained_on``, ``seeds``
        (how many), then in 0..1 ``f1``, ``low``, ``high`` (95 %), ``seeds_low``, ``seeds_high`` (the least
        and the greatest F1 of a seed), ``precision``, ``recall``, ``accuracy`` by the board's measure, one
        column for each note metric (``onset@50``, ...), and ``parameters``, ``verified``, ``marks``.

    Raises
    ------
    AudeoBenchError
        No such board, or a row that cannot be read.
    """
    import pandas as pd

    from audeo_bench.corpus import check_choice
    from audeo_bench.leaderboards.boards import boards_folder, read_boards
    from audeo_bench.score.notes import NOTE_METRICS

    boards = read_boards(boards_folder(Path(folder) if folder is not None else None))
    if board is not None:
        check_choice("board", board, [each.name for each in boards], "the leaderboard")
    rows = []
    for each in boards:
        if board not in (None, each.name):
            continue
        for entry in each.entries:
            found = entry.numbers(each.measure)
            rows.append(
                {
                    "board": each.name,
                    "provenance": each.subject.provenance,
                    "measure": str(each.measure),
                    "rank": entry.rank,
                    "contestant": entry.name,
                    "trained_on": entry.trained_on,
                    "seeds": len(entry.rows),
                    "low": found.low if found.low is not None else float("nan"),
                    "high": found.high if found.high is not None else float("nan"),
                    "seeds_low": min(found.seeds),
                    "seeds_high": max(found.seeds),
                    **found.values,
                    **{name: entry.note_f1(name, each.measure.threshold) for name in NOTE_METRICS},
                    "parameters": entry.rows[0].parameters,
                    "verified": all(entry.verified),
                    "marks": "; ".join(entry.marks),
                }
            )
    table = pd.DataFrame(rows)
    shares = [*SHARES, *NOTE_METRICS]
    table[shares] = table[shares].astype(float) / 100
    return table
