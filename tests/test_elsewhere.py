"""A model behind a command: the wrapper of docs/your-model.md around a small script."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_corpus import TinyCorpus, write_contestant

from audeo_bench.api import AudeoBenchError
from audeo_bench.contestants.loading import alone, find
from audeo_bench.contestants.process import lent

WRAPPER = """
from audeo_bench.elsewhere import Elsewhere

class Outside(Elsewhere):
    name = "outside"
    command = {command!r}
"""
WITH_WEIGHTS = "    def load(self, weights):\n        self.weights = weights\n"
READS = """
import sys
import numpy as np
frames = np.load(sys.argv[1], mmap_mode="r")
np.savez(sys.argv[2], roll=(frames[:, 0, :880:10].T > 128).astype(np.float32))
"""
WRITES_MIDI = """
import sys
from pathlib import Path
import av, mido
film = av.open(sys.argv[1])
assert (film.streams.video[0].width, film.streams.video[0].height) == (900, 100)
assert sum(1 for _ in film.decode(video=0)) == 50
midi = mido.MidiFile(ticks_per_beat=500)
track = mido.MidiTrack()
midi.tracks.append(track)
track.append(mido.Message("note_on", note=60, velocity=80, time=0))
track.append(mido.Message("note_off", note=60, velocity=0, time=400))
midi.save(sys.argv[2])
"""


def answer(folder: Path, command: str, script: str = "", weights: Path | None = None) -> np.ndarray:
    if script:
        (folder / "model.py").write_text(script)
    text = WRAPPER.format(command=command) + (WITH_WEIGHTS if weights else "")
    stage = find(str(write_contestant(folder, "outside", text))).create()
    if weights is not None:
        stage.load(weights)
    return stage.roll(TinyCorpus().recording("wtc1-01").frames)  # type: ignore[attr-defined]


def test_a_run_asks_it_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(READS)
    command = f"{sys.executable} model.py {{frames}} {{answer}}.npz"
    path = write_contestant(tmp_path, "outside", WRAPPER.format(command=command))
    with lent(alone(str(path))) as worker:
        assert worker.roll(TinyCorpus().recording("wtc1-01").frames, "wtc1-01").roll.shape == (88, 50)


def test_a_command_reads_the_frames_to_the_bit_and_writes_a_roll(tmp_path: Path) -> None:
    roll = answer(tmp_path, f"{sys.executable} model.py {{frames}} {{answer}}.npz", READS)
    assert np.array_equal(roll >= 0.5, TinyCorpus().recording("wtc1-01").pressed)


def test_a_command_watches_a_film_and_writes_midi(tmp_path: Path) -> None:
    roll = answer(tmp_path, f"{sys.executable} model.py {{film}} {{answer}}.mid", WRITES_MIDI)
    assert np.argwhere(roll.any(1)).ravel().tolist() == [39]
    assert roll[39].sum() == 10  # 400 ticks of 1 ms


def test_weights_are_handed_on(tmp_path: Path) -> None:
    weights = tmp_path / "outside.safetensors"
    weights.write_bytes(b"whatever it reads")
    script = READS + "assert open(sys.argv[3], 'rb').read() == b'whatever it reads'\n"
    command = f"{sys.executable} model.py {{frames}} {{answer}}.npz {{weights}}"
    assert answer(tmp_path, command, script, weights).shape == (88, 50)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("no-such-program {answer}.npz", "no-such-program cannot be started"),
        (sys.executable + " -c pass {answer}.npz", "wrote neither answer.npz nor answer.mid"),
        (sys.executable + " -c 'raise SystemExit(\"no GPU\")' {answer}.npz", "exit status 1.*no GPU"),
        (sys.executable + " -c pass {sound} {answer}.npz", "cannot be filled in"),
        (sys.executable + " -c pass {frames}", "does not say where its answer goes"),
        (sys.executable + " -c pass {weights} {answer}.npz", "wants weights; define load"),
    ],
)
def test_what_goes_wrong_is_one_line(tmp_path: Path, command: str, words: str) -> None:
    with pytest.raises(AudeoBenchError, match=words):
        answer(tmp_path, command)
