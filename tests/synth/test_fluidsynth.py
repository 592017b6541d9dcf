"""Sound from rolls and notes."""

from __future__ import annotations

import sys
import time

import numpy as np
import pytest

from audeo_bench.api import SAMPLE_RATE, AudeoBenchError
from audeo_bench.roll import KEYS, LOWEST_PITCH, Notes
from audeo_bench.synth.fluidsynth import default_soundfont, instrument, render, render_roll


def notes_of(*rows: tuple[float, float, int, int]) -> Notes:
    table = np.array(rows, float).reshape(-1, 4)
    return Notes(table[:, :2], table[:, 2].astype(np.int64), table[:, 3].astype(np.int64))


def loudness(samples: np.ndarray, start: float, stop: float) -> float:
    window = samples[int(start * SAMPLE_RATE) : int(stop * SAMPLE_RATE)]
    return float(np.sqrt(np.mean(window.astype(float) ** 2)))


def test_a_roll_becomes_sound_of_its_own_length_and_pitch():
    roll = np.zeros((KEYS, 50), bool)
    roll[69 - LOWEST_PITCH, 10:40] = True
    samples = render_roll(roll)
    assert samples.shape == (50 * 640,)
    assert samples.dtype == np.float32
    assert 0.2 < np.abs(samples).max() <= 1
    assert loudness(samples, 0, 0.39) < 1e-3
    middle = samples[int(0.6 * SAMPLE_RATE) : int(1.4 * SAMPLE_RATE)]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert np.argmax(spectrum) * SAMPLE_RATE / len(middle) == pytest.approx(440, abs=3)


@pytest.mark.parametrize("cents", [-25, 25])
def test_an_instrument_may_be_out_of_tune(cents):
    samples = render(notes_of((0, 5, 69, 90)), seconds=5, cents=cents)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    assert spectrum.argmax() / 5 == pytest.approx(440 * 2 ** (cents / 1200), abs=1.5)


def test_the_same_notes_give_the_same_samples():
    notes = notes_of((0.1, 0.6, 60, 80), (0.2, 0.9, 64, 50), (0.2, 0.5, 36, 110))
    pedal = np.array([[0.0, 1.0]])
    np.testing.assert_array_equal(render(notes, pedal), render(notes, pedal))


def test_the_pedal_holds_a_note_that_the_finger_has_left():
    notes = notes_of((0.0, 0.3, 60, 90))
    dry, held = render(notes, seconds=2), render(notes, np.array([[0.2, 1.6]]), seconds=2)
    assert loudness(held, 1.0, 1.4) > 10 * loudness(dry, 1.0, 1.4)
    assert loudness(held, 1.85, 2.0) < 0.2 * loudness(held, 1.3, 1.5)


def test_velocity_is_heard():
    notes = notes_of((0.0, 0.5, 60, 120), (1.0, 1.5, 60, 30))
    samples = render(notes)
    assert len(samples) == 2.5 * SAMPLE_RATE
    assert loudness(samples, 0, 0.4) > 3 * loudness(samples, 1.0, 1.4)


def test_a_key_struck_again_while_down_is_not_cut_by_its_first_release():
    overlapping = render(notes_of((0.0, 1.0, 60, 90), (0.8, 2.0, 60, 90)), seconds=2)
    assert loudness(overlapping, 1.3, 1.8) > 0.02


@pytest.mark.parametrize("seconds", [0.0, 0.5])
def test_no_notes_are_silence(seconds):
    silence = render(notes_of(), seconds=seconds)
    assert silence.shape == (round(seconds * SAMPLE_RATE),)
    assert not silence.any()


def test_notes_beyond_the_end_are_left_out():
    assert render(notes_of((0.0, 0.3, 60, 90), (5.0, 6.0, 62, 90)), seconds=1).shape == (SAMPLE_RATE,)


@pytest.mark.parametrize(
    ("name", "program"),
    [
        ("Acoustic Grand Piano", 0),
        ("koto", 107),
        ("church  organ", 19),
        ("harpsichord", 6),
        ("107", 107),
        (5, 5),
        ("acoustic grand", 0),
    ],
)
def test_instruments_have_their_general_midi_numbers(name, program):
    assert instrument(name) == program


@pytest.mark.parametrize(
    ("name", "hint"),
    [("kotto", "did you mean koto"), ("piano", "which one"), ("", "unknown"), ("128", "0 to 127")],
)
def test_an_unknown_instrument_gets_a_hint(name, hint):
    with pytest.raises(AudeoBenchError, match=hint):
        instrument(name)


def test_the_timbre_transform_changes_the_sound():
    roll = np.zeros((KEYS, 25), bool)
    roll[40, 5:20] = True
    assert not np.allclose(render_roll(roll), render_roll(roll, instrument("koto")))


def test_a_file_that_is_no_sound_font_is_named(tmp_path):
    text = tmp_path / "font.sf2"
    text.write_text("hello")
    damaged = tmp_path / "cut.sf2"
    damaged.write_bytes(default_soundfont().read_bytes()[:4000])
    notes = notes_of((0.0, 0.3, 60, 90))
    for path, found in (
        (text, "not a sound font"),
        (tmp_path / "none.sf2", "no such file"),
        (damaged, "damaged"),
    ):
        with pytest.raises(AudeoBenchError, match=f"{path.name}.*{found}"):
            render(notes, soundfont=path)


def test_a_missing_system_library_names_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "fluidsynth", None)
    with pytest.raises(AudeoBenchError, match="libfluidsynth3"):
        render(notes_of((0.0, 0.3, 60, 90)))


@pytest.mark.parametrize("roll", [np.zeros((88, 5)), np.zeros((5, 88), bool), np.zeros(88, bool)])
def test_only_bool_rolls_are_rendered(roll):
    with pytest.raises(AudeoBenchError, match=r"bool of shape \(88, T\)"):
        render_roll(roll)


def test_rendering_is_fifty_times_faster_than_listening():
    random = np.random.default_rng(0)
    onsets = np.sort(random.uniform(0, 60, 500))
    notes = Notes(
        np.stack([onsets, onsets + random.uniform(0.1, 1, 500)], axis=1),
        random.integers(36, 86, 500),
        random.integers(30, 110, 500),
    )
    before = time.process_time()
    render(notes, seconds=60)
    assert time.process_time() - before < 60 / 50
