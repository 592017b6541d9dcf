"""Everything that is kept as JSON: runs, their scores, the boards' rows, Table 2.

One base, one reader, one writer. Reading is strict: a field nobody knows, a string for a number, NaN or
another schema number is one clear error; an instance never changes. Arrays are lists here;
:mod:`audeo_bench.score` computes with them.
"""

# ruff: noqa: F401 (names are handed on)

from audeo_bench.records.identification import (
    CorpusName,
    FalseAccepts,
    Identification,
    IdentificationRow,
    Outcome,
    Tally,
)
from audeo_bench.records.row import Credit, Excerpt, Row, RowAnswer, Times, Verifications, Verified
from audeo_bench.records.run import (
    Answer,
    Origin,
    RunRecord,
    StageRecord,
    Status,
    Subject,
    Training,
    board_name,
)
from audeo_bench.records.scores import (
    METRIC_VERSION,
    POLYPHONIES,
    REGISTERS,
    BlockSums,
    Cause,
    CauseCounts,
    CellCounts,
    KeyRange,
    NoteCounts,
    NoteMetric,
    RecordingScores,
    Scores,
    StoredScores,
)
from audeo_bench.records.strict import Strict, as_text, read, write
