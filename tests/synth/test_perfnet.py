"""PerfNet: the paper's architecture, any length without joins, a training that learns."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from audeo_bench.api import AudeoBenchError, Recording, Work
from audeo_bench.contestants.loading import find
from audeo_bench.contestants.module import load_class
from audeo_bench.synth.fluidsynth import render_roll

PerfNet = load_class(find("perfnet"))
perfnet = sys.modules[PerfNet.__module__]


def melody(frames: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    roll = np.zeros((88, frames), bool)
    for start in range(0, frames, 6):
        roll[rng.integers(25, 60, 2), start : start + rng.integers(4, 20)] = True
    return roll


@pytest.fixture
def net() -> perfnet.PerfNet:
    torch.manual_seed(1)
    return PerfNet(width=4, iterations=2)


def test_at_full_width_it_has_the_papers_quarter_of_a_billion_weights() -> None:
    with torch.device("meta"):
        full = perfnet.PerformanceNet(256)
    assert sum(p.numel() for p in full.parameters()) == pytest.approx(250e6, rel=0.01)
    assert [block[0].out_channels for block in full.encoder] == [256, 512, 1024, 2048, 4096]
    assert [decode.up[0].kernel_size for decode in full.decoder] == [(6,), (4,), (3,), (2,)]


@pytest.mark.parametrize("frames", [1, 49, 50, 51, 130])
def test_sound_is_as_long_as_the_roll(net, frames: int) -> None:
    roll = melody(frames)
    assert net.spectrogram(roll).shape == (1025, 1 + 640 * frames // 256)
    samples = net.audio(roll)
    assert samples.shape == (640 * frames,)
    assert samples.dtype == np.float32
    assert 0.2 < np.abs(samples).max() <= 1


def test_two_seconds_are_the_papers_126_frames(net) -> None:
    assert net.spectrogram(melody(50)).shape == (1025, 126)


def test_silence_stays_silent(net) -> None:
    assert not net.audio(np.zeros((88, 30), bool)).any()


def test_notes_and_strikes_reach_the_net_at_their_moments() -> None:
    roll = np.zeros((88, 100), bool)
    roll[39, 10:30] = True  # middle C, MIDI 60
    piece = perfnet.piece_of(roll, 0)
    on = np.flatnonzero(piece[60])
    assert (piece.sum(1) > 0).sum() == 1
    assert on[0] * 256 >= 10 * 640 > (on[0] - 1) * 256
    assert on[-1] * 256 < 30 * 640 <= (on[-1] + 1) * 256
    np.testing.assert_array_equal(perfnet.piece_of(roll, 20)[:, :108], piece[:, 20:])


def jump_ratio(spectrogram: np.ndarray, every: int) -> float:
    """Mean change from frame to frame where windows meet, relative to everywhere else."""
    steps = np.abs(np.diff(spectrogram, axis=1)).mean(0)
    joins = np.zeros(len(steps), bool)
    joins[every - 1 :: every] = True
    return float(steps[joins].mean() / steps[~joins].mean())


def test_long_pieces_have_no_joins(net) -> None:
    """Windows side by side jump where they meet; overlapping, cross-faded ones do not."""
    roll = np.zeros((88, 600), bool)
    roll[[30, 37, 40, 44]] = True  # a held chord: nothing in the roll gives a reason to jump
    apart = np.concatenate(list(net.spectrogram_blocks(roll, stride=perfnet.PIECE)), axis=1)
    faded = net.spectrogram(roll)
    assert jump_ratio(apart, perfnet.PIECE) > 1.8
    assert jump_ratio(faded, perfnet.STRIDE) < 1.3
    assert jump_ratio(faded, perfnet.PIECE) < 1.3


def test_refinement_touches_only_the_lowest_576_bins() -> None:
    refinement = perfnet.Refinement(4).eval()
    spectrogram = torch.rand(1, 1025, 32)
    assert torch.equal(refinement(spectrogram), spectrogram)  # before training it changes nothing
    torch.nn.init.ones_(refinement.last.weight)
    refined = refinement(spectrogram)
    assert torch.equal(refined[:, 576:], spectrogram[:, 576:])
    assert not torch.equal(refined[:, :576], spectrogram[:, :576])


def test_weights_come_back(net, tmp_path: Path) -> None:
    net.save(tmp_path / "perfnet.safetensors")
    other = PerfNet(width=8)
    other.load(tmp_path / "perfnet.safetensors")
    assert other.options["width"] == 4
    roll = melody(60)
    assert np.abs(other.spectrogram(roll) - net.spectrogram(roll)).mean() < 0.01  # float16's share


def test_an_odd_width_is_refused() -> None:
    with pytest.raises(AudeoBenchError, match="width 18; give a multiple of 4"):
        PerfNet(width=18)


def test_training_learns(net, tmp_path: Path) -> None:
    roll = melody(250)
    recording = Recording(
        "one",
        "One",
        Work("Nobody", "One"),
        "wtc1",
        "simulated",
        np.zeros((250, 100, 900), np.uint8),
        roll,
        audio=lambda: render_roll(roll),
    )
    context = SimpleNamespace(
        fabric=Fabric(accelerator="cpu"),
        first_stage=None,
        training=[recording],
        validation=[recording],
        folder=tmp_path,
        seed=0,
        epochs=None,
        resume=True,
        smoke=False,
        identity={},
        sounds=lambda: [render_roll(roll).astype(np.float16)],
    )
    before = net.explained([recording])
    net.fit(context, epochs=2, batch=2, steps=6)
    assert (tmp_path / "log.csv").read_text().startswith("epoch,loss,validation_r2")
    assert net.explained([recording]) > before + 0.2
