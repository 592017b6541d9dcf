"""The simulated corpus: composer -> performer -> hands and camera (what is seen), ear (what is heard).

A simulated Well-Tempered Clavier: nothing is downloaded, everything follows from a seed. Each recording draws
from streams of its own, one for each purpose, so that the corpus can grow without changing what is there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, ClassVar

from audeo_bench.api import FRAMES_PER_SECOND, AudeoBenchError, Provenance, Recording, Work
from audeo_bench.corpus import Corpus
from audeo_bench.corpus.cutting import cut
from audeo_bench.corpus.simulated.acting import WORLD
from audeo_bench.roll import notes_to_roll

if TYPE_CHECKING:
    from audeo_bench.corpus.simulated.composer import Piece
    from audeo_bench.corpus.simulated.performer import Performance

__all__ = ["SimulatedCorpus"]

VALIDATION_NUMBERS = (5, 14, 21)
"""Works of Book I on which checkpoints are chosen, and on which nothing is trained."""
TEST_NUMBERS = (1, 2, 3)
"""The paper's MIDI test: Book II, Nos. 1-3."""
CUT, CUT_SECONDS = "@30s", 30
"""Behind a recording's id: half a minute of it, from the beginning of No. 1 to the end of No. 24."""
ROMANTIC_KINDS = ("Nocturne", "Waltz", "Etude", "Song without Words")
"""Played freely and with pedal; every other kind as Bach is."""

CLIPS = 10
"""Of each work in ``wtc1-looks``."""


class SimulatedCorpus(Corpus):
    """Recordings of simulated pieces, as many as asked for.

    ===============  ================================================================================
    split            recordings
    ===============  ================================================================================
    wtc1             Book I without Nos. 5, 14 and 21: training
    wtc1-looks       the same works cut into clips of 12 seconds, ten of each: training on pictures.
                     Every clip has a piano, a camera and hands of its own and is played in another
                     place of the keyboard; together they play all 88 keys
    validation       Book I, Nos. 5, 14 and 21: on these checkpoints are chosen
    wtc2             Book II, Nos. 1-3: the MIDI test
    wtc2-24          half a minute of each work of Book II: the MIDI test on enough recordings to speak
                     of others
    wtc1-variants    eight works of Book I played faster, slower, staccato or legato:
                     identification test
    wtc2-other       Book II, Nos. 1-24, eleven of them again by another pianist, and nine
                     pieces in other styles: identification test
    ===============  ================================================================================

    Every work can be played again: ``recordings(split, take=1)``, or ``recording("wtc1-05~t1")``, is another
    pianist at another piano before another camera. A piece's counterpoint does not depend on the take.
    """

    name: ClassVar[str] = "simulated"
    version: str = WORLD
    """Raised by hand whenever any recording changes; tests hold checksums against it."""
    provenance: ClassVar[Provenance] = "simulated"
    has_takes: ClassVar[bool] = True
    training_split = "wtc1-looks"

    def listing(self) -> Mapping[str, tuple[str, ...]]:
        return self._listing

    @cached_property
    def _listing(self) -> dict[str, tuple[str, ...]]:
        extra = self._extra_pieces
        return {
            "wtc1": tuple(
                f"wtc1-{number:02d}" for number in range(1, 25) if number not in VALIDATION_NUMBERS
            ),
            "wtc1-looks": tuple(
                f"wtc1-{number:02d}@{clip:02d}"
                for number in range(1, 25)
                if number not in VALIDATION_NUMBERS
                for clip in range(CLIPS)
            ),
            "validation": tuple(f"wtc1-{number:02d}" for number in VALIDATION_NUMBERS),
            "wtc2": tuple(f"wtc2-{number:02d}" for number in TEST_NUMBERS),
            "wtc2-24": tuple(f"wtc2-{number:02d}{CUT}" for number in range(1, 25)),
            "wtc1-variants": tuple(name for name in extra if name.startswith("wtc1-")),
            "wtc2-other": (
                *(f"wtc2-{number:02d}" for number in range(1, 25)),
                *(name for name in extra if not name.startswith("wtc1-")),
            ),
        }

    @cached_property
    def _extra_pieces(self) -> dict[str, Piece]:
        """The pieces of the identification test that are not simply a number of a book."""
        from audeo_bench.corpus.simulated.composer import book_two_variants, other_styles, variants

        pieces = [*variants(self.seed), *book_two_variants(self.seed), *other_styles(self.seed)]
        return {piece.id: piece for piece in pieces}

    def take_id(self, recording_id: str, take: int) -> str:
        return f"{recording_id}~t{take}" if take else recording_id

    def whole(self, recording_id: str) -> str:
        return re.sub("@[^~]*", "", recording_id)

    def piece(self, recording_id: str) -> Piece:
        """The composition that a recording, of any take, performs."""
        from audeo_bench.corpus.simulated.composer import compose

        name = self.whole(recording_id).partition("~")[0]
        if name in self._extra_pieces:
            return self._extra_pieces[name]
        book, _, number = name.removeprefix("wtc").partition("-")
        return compose(int(book), int(number), self.seed)

    def work(self, recording_id: str) -> Work:
        return self.piece(recording_id).work

    def make(self, recording_id: str) -> Recording:
        from audeo_bench.corpus.simulated.acting import ActedFrames, stream
        from audeo_bench.corpus.simulated.clips import short_clip
        from audeo_bench.corpus.simulated.ear import listen
        from audeo_bench.synth.fluidsynth import render

        name, tilde, take = recording_id.partition("~")
        if name.endswith(CUT):
            return self._half_a_minute(recording_id)
        if tilde and not (take[:1] == "t" and take[1:].isdecimal() and int(take[1:]) > 0):
            raise AudeoBenchError(f"{recording_id}: takes are written {name}~t1, {name}~t2 and so on.")
        work, _, clip = name.partition("@")
        piece = self.piece(work)
        title = f"{piece.title}, take {int(take[1:]) + 1}" if tilde else piece.title
        played, seen = self._played(work + tilde + take), None
        if clip:
            title += f", clip {int(clip) + 1}"
            played, seen = short_clip(
                played, int(clip) / (CLIPS - 1), stream(self.seed, recording_id, "clip")
            )
        frames = round(played.seconds * FRAMES_PER_SECOND)
        seconds = frames / FRAMES_PER_SECOND
        heard = listen(played.notes, played.pedal, stream(self.seed, recording_id, "ear"), seconds)
        return Recording(
            id=recording_id,
            title=title,
            work=piece.work,
            split=self.split_of(name),
            provenance=self.provenance,
            frames=ActedFrames(played.notes, played.hands, frames, self.seed, recording_id, seen),
            pressed=notes_to_roll(played.notes, frames),
            sounding=notes_to_roll(heard, frames),
            notes=heard,
            audio=partial(render, played.notes, played.pedal, seconds=seconds),
        )

    def _half_a_minute(self, recording_id: str) -> Recording:
        whole, count = self.recording(self.whole(recording_id)), CUT_SECONDS * FRAMES_PER_SECOND
        number = int(recording_id.removeprefix("wtc2-")[:2])
        first = round((len(whole) - count) * (number - 1) / 23)
        return cut(replace(whole, split="wtc2-24"), recording_id, first, count)

    @lru_cache(maxsize=2)  # noqa: B019 (a corpus is opened once)
    def _played(self, recording_id: str) -> Performance:
        """The whole performance of a work, of any take; a work's clips are asked for one after the other."""
        from audeo_bench.corpus.simulated.acting import stream
        from audeo_bench.corpus.simulated.performer import BACH, ROMANTIC, perform

        piece = self.piece(recording_id)
        style = ROMANTIC if any(kind in piece.title for kind in ROMANTIC_KINDS) else BACH
        return perform(piece, stream(self.seed, recording_id, "performer"), style)
