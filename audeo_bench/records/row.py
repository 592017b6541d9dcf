"""What stands on a board: ``leaderboards/<board>/<contestant>.json``, and ``verified.json``."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from audeo_bench.api import FRAMES_PER_SECOND
from audeo_bench.provenance import machine
from audeo_bench.records.run import Origin, StageRecord, Subject
from audeo_bench.records.scores import Scores
from audeo_bench.records.strict import Address, Count, Moment, Name, Number, Seconds, Sha256, Strict


class Excerpt(Strict):
    """Twenty seconds of the roll, to look at: for each pitch (``C4``) its runs, ``first+length`` in frames.

    Frames count from ``start``. ``truth`` holds the same of the truth, so that a picture needs no other file.
    """

    start: Count
    frames: Annotated[int, Field(ge=1)]
    threshold: float
    answer: dict[str, str]
    truth: dict[str, str]


class RowAnswer(Strict):
    """One answered recording: the roll's hash as in :class:`Answer`, and an excerpt to look at."""

    title: str
    frames: Annotated[int, Field(ge=1)]
    roll_sha256: Sha256
    excerpt: Excerpt | None


class Credit(Strict):
    """Who made a row's model, and where it is described and kept."""

    authors: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    paper: Address | None = None
    code: Address | None = None


class Times(Strict):
    """Everything that differs between two runs of the same command, in one place."""

    started: Moment | None
    submitted: Moment
    seconds: Seconds | None
    frames_per_second: Annotated[float, Field(ge=0)] | None

    def fit(self, frames: int) -> bool:
        """Whether so many frames can have been answered in that time at that speed; both are rounded."""
        if self.seconds is None or self.frames_per_second is None:
            return self.frames_per_second is None
        least, most = max(self.seconds - 0.0006, 1e-6), self.seconds + 0.0006
        return frames / most - 0.06 <= self.frames_per_second <= frames / least + 0.06


class Row(Strict):
    """One system on one board: ``leaderboards/<board>/<contestant>.json``.

    Attributes
    ----------
    answered_by : {"harness", "files"}
        ``files``: the rolls came from outside and the harness never ran the model.
    marks : tuple of str
        Remarks that stand beside the name, such as training on the composition in another performance.
    scores : Scores
        Every score, interval and comparison of a board is computed from them, without the rolls.
    """

    schema_number: Annotated[Literal[3], Number] = Field(default=3, alias="schema")
    board: Name
    contestant: Name
    answered_by: Literal["harness", "files"]
    stages: Annotated[tuple[StageRecord, ...], Field(min_length=1)]
    marks: tuple[str, ...]
    answers: dict[str, RowAnswer]
    scores: Scores
    origin: Origin
    times: Times
    credit: Credit | None = None

    @classmethod
    def of_today(cls, content: Any) -> Any:
        """An older row says as much: schema 1 hashed ``nn/`` alone of the code, and until 2 intervals were
        kept beside the scores that they are computed from.
        """
        if not isinstance(content, dict) or type(content.get("schema")) is not int:
            return content
        if content["schema"] == 1:
            origin = content.get("origin")
            known = isinstance(origin, dict)
            origin = {n: value for n, value in origin.items() if n != "code_sha256"} if known else origin
            content = content | {"schema": 2, "origin": origin}
        if content["schema"] == 2:
            content = {n: value for n, value in content.items() if n != "intervals"} | {"schema": 3}
        return content

    @model_validator(mode="after")
    def _answers_are_scored(self) -> Row:
        if set(self.answers) != set(self.scores.recordings):
            raise ValueError("answers and scores name different recordings")
        if self.board != self.subject.board:
            raise ValueError(f"stands on {self.board}, but its scores are for {self.subject.board}")
        for name, answer in self.answers.items():
            if answer.frames != self.scores.frames(name):
                raise ValueError(
                    f"{name}: {answer.frames} frames answered, {self.scores.frames(name)} scored"
                )
            shown = answer.excerpt
            if shown and shown.start + shown.frames > answer.frames:
                raise ValueError(f"{name}: an excerpt that ends behind its {answer.frames} frames")
        if self.subject.provenance is None:
            raise ValueError("does not say whether its recordings were simulated, re-enacted or recorded")
        if not self.times.fit(sum(answer.frames for answer in self.answers.values())):
            raise ValueError("times that do not fit its frames")
        return self

    @property
    def subject(self) -> Subject:
        """Which recordings the row answers for."""
        return self.scores.subject

    @property
    def parameters(self) -> int | None:
        """Parameters of all stages together; None where a stage does not say."""
        each = [stage.parameters for stage in self.stages]
        return sum(number for number in each if number is not None) if each and None not in each else None

    @property
    def training_cost(self) -> tuple[str, float] | None:
        """The unit and the amount of what training took, all stages together; None where one does not say,
        or another unit.
        """
        trained = [stage.training for stage in self.stages if stage.weights_sha256]
        known = [each for each in trained if each is not None]
        if not known or len(known) < len(trained) or len({each.unit for each in known}) > 1:
            return None
        return known[0].unit, sum(each.cost for each in known)

    @property
    def training_hardware(self) -> str:
        """The machines that trained its stages, in words; empty where nothing is known."""
        trained = [stage.training for stage in self.stages if stage.weights_sha256 and stage.training]
        return " and ".join(dict.fromkeys(filter(None, (machine(each.hardware) for each in trained))))

    @property
    def seconds_a_minute(self) -> float | None:
        """Seconds of the whole chain for a minute of film, on the wall's clock of the machine that
        :attr:`Origin.hardware` names, rendering or decoding the frames left out; None where nobody measured.
        """
        frames = sum(answer.frames for answer in self.answers.values())
        return None if self.times.seconds is None else 60 * FRAMES_PER_SECOND * self.times.seconds / frames

    @property
    def trained_on(self) -> tuple[str, ...]:
        return tuple(sorted({name for stage in self.stages for name in stage.trained_on}))

    @property
    def rolls_sha256(self) -> str:
        """Of the hashes of all its rolls."""
        lines = (f"{name} {answer.roll_sha256}\n" for name, answer in sorted(self.answers.items()))
        return hashlib.sha256("".join(lines).encode()).hexdigest()


class Verified(Strict):
    """A row that was computed again from its rolls and came out equal.

    Attributes
    ----------
    row_sha256 : str
        Of the row's file; another file of that name is not verified.
    rolls_sha256 : str
        Which rolls: :attr:`Row.rolls_sha256`.
    by : str
        Which audeo-bench computed it.
    """

    row_sha256: Sha256
    rolls_sha256: Sha256
    by: str


class Verifications(Strict):
    """What ``verified.json`` holds, by ``board/contestant``."""

    schema_number: Annotated[Literal[2], Number] = Field(default=2, alias="schema")
    rows: dict[str, Verified]
