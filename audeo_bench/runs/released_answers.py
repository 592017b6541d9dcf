"""The authors' own answers, scored as any run is: what their release stores needs no model.

Their rows stand under the names ``authors-roll`` (``estimate_Roll``, Video2Roll Net) and ``authors-midi``
(``Roll2Midi_results``, Roll2Midi Net at 0.5). Frames without a stored answer are not scored; the release
itself scores slightly other frames, see :func:`coverage`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audeo_bench.corpus.audeo.recordings import AudeoRecorded
from audeo_bench.corpus.audeo.release import ANSWERS
from audeo_bench.records import StageRecord
from audeo_bench.runs.predict import keep_answers
from audeo_bench.runs.scoring import Result, result
from audeo_bench.runs.task import Task

__all__ = ["coverage", "has_stored_answers", "stored_results"]

TRAINED_ON = ("audeo/validation", "audeo/wtc1")


def has_stored_answers(task: Task) -> bool:
    """Whether the authors' own answers for a task are at hand."""
    return isinstance(task.corpus, AudeoRecorded) and bool(task.corpus.answers(task.split))


def stored_results(task: Task, thresholds: Sequence[float] = ()) -> list[Result]:
    """Write the authors' answers for a task as run folders and score them; nothing for any other corpus."""
    corpus, results = task.corpus, []
    if not isinstance(corpus, AudeoRecorded):
        return []
    for system in corpus.answers(task.split):
        source = next(kind for kind, known_as in ANSWERS.items() if known_as == system)
        stage = StageRecord(
            name=system,
            file=source,
            sha256=None,
            weights_sha256=None,
            parameters=None,
            configuration={"stored answers": source},
            trained_on=TRAINED_ON,
        )
        stored = ((name, corpus.answer(name, system)) for name in task.ids)
        run = keep_answers(stage, task, ((name, answer.roll, answer.answered) for name, answer in stored))
        results.append(result(run.folder, thresholds, corpus))
    return results


def coverage(results: Sequence[Result], task: Task) -> Iterator[str]:
    """For each of the authors' rows, how many frames were scored, and how the release's own count differs."""
    corpus = task.corpus
    if not isinstance(corpus, AudeoRecorded):
        return
    for each in results:
        if each.record.system not in ANSWERS.values():
            continue
        answers = each.record.answers
        scored = sum(answer.frames for answer in answers.values())
        total = sum(corpus.imported.recordings[name].frames for name in answers)
        lacking = [name for name, answer in answers.items() if not answer.frames]
        without = f"; no answers for {', '.join(lacking)}" if lacking else ""
        yield f"{each.record.system}: {scored:,} of {total:,} frames have a stored answer{without}"
    yield (
        "The release leaves out the first and last two frames of a recording (Roll) and what does not fill "
        "100-frame pieces (Midi); here every frame with truth and answer counts."
    )
