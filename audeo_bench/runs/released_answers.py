"""The authors' own answers, scored as any run is: what their release stores needs no model.

Their rows stand under the names ``authors-roll`` (``estimate_Roll``, Video2Roll Net) and ``authors-midi``
(``Roll2Midi_results``, Roll2Midi Net at 0.5). Frames without a stored answer are not scored; the release
itself scores slightly other frames, see :func:`coverage`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from audeo_bench.corpus import Corpus
from audeo_bench.corpus.audeo.recordings import AudeoRecorded
from audeo_bench.corpus.audeo.release import ANSWERS
from audeo_bench.paper.table1 import Result
from audeo_bench.runs.folder import run_folder
from audeo_bench.runs.predict import keep_answers, score_run
from audeo_bench.score import THRESHOLDS

__all__ = ["coverage", "stored_results"]

TRAINED_ON = ["audeo/wtc1", "audeo/validation"]


def stored_results(
    corpus: Corpus,
    split: str,
    runs: Path,
    *,
    thresholds: Sequence[float] | None = None,
    limit: int | None = None,
    command: Sequence[str] = (),
) -> list[Result]:
    """Write the authors' answers for a split as run folders and score them; nothing for any other corpus."""
    if not isinstance(corpus, AudeoRecorded):
        return []
    scored = sorted({*THRESHOLDS, *(thresholds or ())})
    results = []
    for system in corpus.answers(split):
        folder = run_folder(runs, corpus, split, system, limit)
        source = next(kind for kind, known_as in ANSWERS.items() if known_as == system)
        stored = ((name, corpus.answer(name, system)) for name in corpus.ids(split)[:limit])
        record = keep_answers(
            folder,
            system,
            corpus.imported.directory / source,
            corpus,
            split,
            ((name, answer.roll, answer.answered) for name, answer in stored),
            trained_on=TRAINED_ON,
            facts={"stored answers": source},
            limit=limit,
            command=command,
        )
        results.append(Result(folder, record, score_run(folder, scored, corpus)))
    return results


def coverage(results: Sequence[Result], corpus: Corpus) -> Iterator[str]:
    """For each of the authors' rows, how many frames were scored, and how the release's own count differs."""
    if not isinstance(corpus, AudeoRecorded):
        return
    for result in results:
        if result.record.system not in ANSWERS.values():
            continue
        answers = result.record.answers
        scored = sum(answer.frames for answer in answers.values())
        total = sum(corpus.imported.recordings[name].frames for name in answers)
        lacking = [name for name, answer in answers.items() if not answer.frames]
        without = f"; no answers for {', '.join(lacking)}" if lacking else ""
        yield f"{result.record.system}: {scored:,} of {total:,} frames have a stored answer{without}"
    yield (
        "The release leaves out the first and last two frames of a recording (Roll) and what does not fill "
        "100-frame pieces (Midi); here every frame with truth and answer counts."
    )
