"""Spectral templates: a roll's weights, what least squares finds, and the sound made of them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audeo_bench.contestants.loading import find
from audeo_bench.contestants.module import load_class
from audeo_bench.synth.distances import log_spectral_distance
from audeo_bench.synth.fluidsynth import render_roll
from audeo_bench.synth.templates import MOMENTS, TEMPLATE_BINS, fit_templates, template_weights

Templates = load_class(find("templates"))


def melody(frames: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    roll = np.zeros((88, frames), bool)
    for start in range(0, frames, 6):
        roll[rng.integers(35, 45, 2), start : start + rng.integers(4, 20)] = True
    return roll


@pytest.fixture(scope="module")
def fitted():
    """Templates of two minutes of FluidSynth."""
    roll = melody(1500)
    stage = Templates()
    recording = SimpleNamespace(pressed=roll, sounding=np.zeros_like(roll))
    stage.fit(SimpleNamespace(training=[recording], sounds=lambda: [render_roll(roll).astype(np.float16)]))
    return stage


def test_a_note_passes_through_the_moments_of_its_life() -> None:
    roll = np.zeros((88, 100), bool)
    roll[39, 10:60] = True
    weights = template_weights(roll, 0, 250)
    assert weights.shape == (88, MOMENTS, 250)
    assert not np.delete(weights, 39, axis=0).any()
    life = weights[39]
    strike, release = 25, 150
    assert not life[:, : strike - 5].any()
    np.testing.assert_allclose(life[:, strike - 4 : release].sum(0), 1, atol=1e-6)
    assert list(dict.fromkeys(life[:, strike - 4 : release].argmax(0))) == [0, 1, 2, 3, 4, 5]
    assert life[6, release] == 1  # just let go
    assert not life[:, release + 30 :].any()


@given(seed=st.integers(0, 100), start=st.integers(-20, 200), frames=st.integers(1, 90))
@settings(max_examples=30, deadline=None)
def test_a_part_of_a_roll_weighs_as_in_the_whole(seed: int, start: int, frames: int) -> None:
    roll = melody(100, seed)
    whole = template_weights(roll, -20, 320)
    part = template_weights(roll, start, frames)
    np.testing.assert_allclose(part, whole[:, :, start + 20 : start + 20 + frames], atol=1e-5)


def test_templates_make_the_sound_of_a_roll_that_they_never_heard(fitted) -> None:
    roll = melody(250, seed=1)
    true, made = render_roll(roll), fitted.audio(roll)
    assert made.shape == true.shape
    other_notes = fitted.audio(melody(250, seed=2))
    assert log_spectral_distance(true, made) < 8 < 10 < log_spectral_distance(true, other_notes)


def test_a_key_that_was_never_heard_sounds_as_its_neighbour_moved() -> None:
    roll = np.zeros((88, 250), bool)
    roll[39, 20:200] = True
    templates = fit_templates([(roll, render_roll(roll))])
    loudest = templates[:, 3].argmax(axis=1)
    assert loudest[51] == pytest.approx(2 * loudest[39], abs=2)
    assert loudest[46] == pytest.approx(1.5 * loudest[39], abs=2)


def test_streamed_blocks_are_the_whole_and_silence_is_silent(fitted) -> None:
    roll = melody(700, seed=3)
    blocks = list(fitted.stream(roll))
    assert len(blocks) > 1
    assert sum(map(len, blocks)) == 640 * 700
    assert np.concatenate(list(fitted.amplitudes(roll)), axis=1).shape == (1025, 1751)
    assert not fitted.audio(np.zeros((88, 30), bool)).any()


def test_shipped_templates_are_small_and_come_back(fitted, tmp_path) -> None:
    path = tmp_path / "templates.safetensors"
    fitted.save(path)
    assert path.stat().st_size < 1_000_000
    other = Templates()
    other.load(path)
    kept, made = (stage.net.get_parameter("templates").detach().numpy() for stage in (other, fitted))
    assert kept.shape == (88, MOMENTS, TEMPLATE_BINS)
    np.testing.assert_allclose(kept, made, rtol=1e-3, atol=1e-3)
