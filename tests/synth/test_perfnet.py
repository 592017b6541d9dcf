"""PerfNet: begins at the templates, answers any length without joins or loss of level, learns."""

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

PerfNet, Templates = load_class(find("perfnet")), load_class(find("templates"))
perfnet = sys.modules[PerfNet.__module__]


def melody(frames: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    roll = np.zeros((88, frames), bool)
    for start in range(0, frames, 6):
        roll[rng.integers(25, 60, 2), start : start + rng.integers(4, 20)] = True
    return roll


def drawn_templates() -> torch.Tensor:
    return 40 * torch.rand(88 * 9, 576, generator=torch.Generator().manual_seed(2)) ** 8


@pytest.fixture
def untrained() -> perfnet.PerfNet:
    net = PerfNet(width=4, iterations=2)
    net.net["performance"].templates.data.copy_(drawn_templates())
    return net


@pytest.fixture
def net(untrained) -> perfnet.PerfNet:
    """One whose last layers have left zero."""
    torch.manual_seed(1)
    torch.nn.init.normal_(untrained.net["performance"].last.weight, 0, 0.1)
    torch.nn.init.normal_(untrained.net["refinement"].last.weight, 0, 0.1)
    return untrained


def spectrogram(stage, roll: np.ndarray) -> np.ndarray:
    return np.concatenate(list(stage.amplitudes(roll)), axis=1)


def levels(stage, roll: np.ndarray, **how: int) -> np.ndarray:
    return np.concatenate(list(stage.levels(roll, **how)), axis=1)


def test_untrained_it_plays_the_templates(untrained) -> None:
    templates = Templates()
    templates.net.templates.data.copy_(drawn_templates().unflatten(0, (88, 9)))
    roll = melody(300)
    np.testing.assert_allclose(
        spectrogram(untrained, roll), spectrogram(templates, roll), atol=1e-2, rtol=1e-3
    )


@pytest.mark.parametrize("frames", [1, 49, 50, 130])
def test_sound_is_as_long_as_the_roll(net, frames: int) -> None:
    roll = melody(frames)
    assert spectrogram(net, roll).shape == (1025, 1 + 640 * frames // 256)
    samples = net.audio(roll)
    assert samples.shape == (640 * frames,)
    assert samples.dtype == np.float32
    assert 0.2 < np.abs(samples).max() <= 1


def test_two_seconds_are_the_papers_126_frames(net) -> None:
    assert spectrogram(net, melody(50)).shape == (1025, 126)


def test_silence_stays_silent_before_within_and_after_music(net) -> None:
    assert not net.audio(np.zeros((88, 30), bool)).any()
    roll = np.zeros((88, 200), bool)
    roll[40, 10:30] = roll[47, 150:160] = True
    loudness = spectrogram(net, roll).max(axis=0)
    assert loudness[30:70].max() > 1
    assert loudness[[*range(20), *range(110, 365), *range(440, 501)]].max() < 1e-3


@pytest.mark.parametrize("block", [1, 37, 500])
def test_long_pieces_have_no_joins(net, block: int) -> None:
    """Blocks of any length are the whole."""
    roll = melody(150)
    np.testing.assert_allclose(levels(net, roll, block=block), levels(net, roll), atol=1e-4)


def test_how_loud_a_chord_is_does_not_depend_on_what_is_far_from_it(net) -> None:
    quiet = np.zeros((88, 100), bool)
    quiet[[40, 44, 47], 5:25] = True
    loud = quiet.copy()
    loud[20:70, 60:90] = True
    near = 30 * 640 // 256
    np.testing.assert_allclose(levels(net, loud)[:, :near], levels(net, quiet)[:, :near], atol=1e-4)
    assert levels(net, loud)[:, near:].mean() > levels(net, quiet)[:, near:].mean() + 1


def test_streamed_blocks_are_the_whole(net) -> None:
    blocks = list(net.stream(melody(700)))
    assert len(blocks) > 1
    assert sum(map(len, blocks)) == 640 * 700


def test_weights_come_back(net, tmp_path: Path) -> None:
    net.save(tmp_path / "perfnet.safetensors")
    other = PerfNet(width=8)
    other.load(tmp_path / "perfnet.safetensors")
    assert other.options["width"] == 4
    roll = melody(60)
    assert np.abs(levels(other, roll) - levels(net, roll)).mean() < 0.01  # float16's share


def test_an_odd_width_is_refused() -> None:
    with pytest.raises(AudeoBenchError, match="width 18; give a multiple of 4"):
        PerfNet(width=18)


def test_training_fits_templates_and_improves_on_them(tmp_path: Path) -> None:
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
        timed=False,
        identity={},
        sounds=lambda: [render_roll(roll).astype(np.float16)],
    )
    net = PerfNet(width=4)
    net.fit(context, epochs=2, batch=4, steps=10)
    assert (tmp_path / "log.csv").read_text().startswith("epoch,loss,validation_r2")
    trained = net.explained([recording])
    for last in (net.net["performance"].last, net.net["refinement"].last):
        perfnet.begin_at_zero(last)
    templates = net.explained([recording])
    assert 0 < templates < trained - 0.02
