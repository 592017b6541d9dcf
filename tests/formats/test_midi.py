"""MIDI files are read as a player would play them, whatever wrote them; bad ones are one clear error."""

from __future__ import annotations

import os
import random
import struct
import time
import tracemalloc
from collections.abc import Iterable
from pathlib import Path

import mido
import numpy as np
import pretty_midi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_data import SHARED, needs

from audeo_bench.errors import AudeoBenchError
from audeo_bench.formats import midi_events
from audeo_bench.formats.midi import MidiFile, read_midi, write_midi
from audeo_bench.roll import LOWEST_PITCH, Notes, notes_to_roll, roll_to_notes

On = tuple[float, str, dict]
"""Milliseconds, mido's name of a message, its fields."""


def on(at: float, note: int = 60, channel: int = 0, velocity: int = 64) -> On:
    return at, "note_on", {"note": note, "channel": channel, "velocity": velocity}


def off(at: float, note: int = 60, channel: int = 0) -> On:
    return at, "note_off", {"note": note, "channel": channel}


def cc(at: float, control: int, value: int, channel: int = 0) -> On:
    return at, "control_change", {"control": control, "value": value, "channel": channel}


def tempo(at: float, beats_a_minute: float) -> On:
    return at, "set_tempo", {"tempo": round(60e6 / beats_a_minute)}


def end(at: float) -> On:
    return at, "end_of_track", {}


def tracks(*played: Iterable[On], ticks_a_beat: int = 500, form: int = 1) -> mido.MidiFile:
    """A file by mido, an independent writer. With 500 ticks a beat and no tempo, a tick is a millisecond."""
    file = mido.MidiFile(type=form, ticks_per_beat=ticks_a_beat)
    for events in played:
        track, now = file.add_track(), 0
        for at, kind, fields in events:
            message = mido.MetaMessage if kind in ("set_tempo", "end_of_track") else mido.Message
            track.append(message(kind, time=round(at - now), **fields))
            now = round(at)
    return file


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack(">I", len(content)) + content


def raw(
    *contents: bytes, form: int = 1, count: int | None = None, division: int = 500, between: bytes = b""
) -> bytes:
    """A file of tracks given as bytes; each gets its end."""
    header = struct.pack(">HHH", form, len(contents) if count is None else count, division)
    return chunk(b"MThd", header) + b"".join(between + chunk(b"MTrk", c + b"\0\xff\x2f\0") for c in contents)


C4 = b"\0\x90\x3c\x40\x83\x74\x80\x3c\x40"
"""500 ticks of middle C."""


def read(tmp_path: Path, content: mido.MidiFile | bytes, **options) -> MidiFile:
    path = tmp_path / "song.mid"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content.save(path)
    return read_midi(path, **options)


def spans(midi: MidiFile) -> list[tuple[int, float, float]]:
    """(pitch, onset, offset) of the notes."""
    rows = zip(midi.notes.pitches.tolist(), midi.notes.intervals.tolist(), strict=True)
    return [(pitch, *(round(t, 6) for t in interval)) for pitch, interval in rows]


def playback(file: mido.MidiFile) -> list[tuple[int, float, float]]:
    """An independent reading: mido's playback, in which a key is on while any strike of it lasts."""
    now, sounding, found = 0.0, {}, []
    for message in file:
        now += message.time
        if message.type not in ("note_on", "note_off"):
            continue
        first, count = sounding.get(message.note, (now, 0))
        count += 1 if message.type == "note_on" and message.velocity else -1
        if count:
            sounding[message.note] = first, count
        elif message.note in sounding:
            del sounding[message.note]
            found.append((message.note, round(first, 6), round(now, 6)))
    return sorted(found, key=lambda note: (note[1], note[0]))


# Tempo, tracks, channels ----------------------------------------------------------------------------------


def test_tempo_counts_on_any_track(tmp_path):
    file = tracks([], [tempo(0, 60), on(480), off(960)], ticks_a_beat=480)
    assert spans(read(tmp_path, file)) == [(60, 1.0, 2.0)] == playback(file)


def test_tempo_changes_in_the_middle_of_a_note(tmp_path):
    file = tracks([tempo(0, 120), tempo(700, 30)], [on(500), tempo(800, 97), off(900)])
    assert spans(read(tmp_path, file)) == playback(file)


def test_of_two_tempi_at_once_the_later_track_counts(tmp_path):
    file = tracks([tempo(0, 120)], [tempo(0, 60), on(0), off(500)])
    assert spans(read(tmp_path, file)) == [(60, 0.0, 1.0)] == playback(file)


@pytest.mark.parametrize("channel", [0, 1])
def test_a_key_held_by_two_hands_is_on_for_both(tmp_path, channel):
    file = tracks([on(0), off(4000)], [on(1000, channel=channel), off(1500, channel=channel)])
    midi = read(tmp_path, file)
    assert spans(midi) == [(60, 0.0, 1.0), (60, 1.0, 4.0)]  # two strikes
    roll = notes_to_roll(midi.notes, 110)
    assert np.flatnonzero(roll[60 - LOWEST_PITCH]).tolist() == list(range(100))
    assert playback(file) == [(60, 0.0, 4.0)]


def test_the_same_note_twice_is_once_as_long_and_loud_as_any(tmp_path):
    file = tracks([on(0, velocity=90), off(1000)], [on(0, velocity=30), off(2000)])
    midi = read(tmp_path, file)
    assert spans(midi) == [(60, 0.0, 2.0)]
    assert midi.notes.velocities.tolist() == [90]


@pytest.mark.parametrize(
    ("played", "expected"),
    [
        # FluidSynth: the second note-on strikes again, the first note-off ends.
        ([on(0), on(1000), off(1500), off(4000)], [(60, 0.0, 1.0), (60, 1.0, 1.5)]),
        ([on(0), on(500), off(500), off(900)], [(60, 0.0, 0.5), (60, 0.5, 0.9)]),
        ([on(0), off(500), on(500), off(900)], [(60, 0.0, 0.5), (60, 0.5, 0.9)]),
        ([on(0), on(0), off(500), off(900)], [(60, 0.0, 0.5)]),
        ([off(0), on(100), off(500), off(900)], [(60, 0.1, 0.5)]),
        ([on(0), on(500, velocity=0)], [(60, 0.0, 0.5)]),
    ],
)
def test_strikes_on_one_channel(tmp_path, played, expected):
    assert spans(read(tmp_path, tracks(played))) == expected


def test_notes_are_sorted_by_onset_then_pitch(tmp_path):
    file = tracks([on(0, 72), on(0, 60), off(100, 72), on(500, 61), off(700, 60), off(900, 61)])
    assert spans(read(tmp_path, file)) == playback(file)


# Pedal ----------------------------------------------------------------------------------------------------

PRESSED, HELD = [(60, 0.0, 0.2)], [(60, 0.0, 4.0)]


@pytest.mark.parametrize(
    ("played", "held", "down"),
    [
        ([[cc(0, 64, 127), on(0), off(200), cc(4000, 64, 0)]], HELD, [[0, 4]]),
        ([[on(0), off(200)], [cc(100, 64, 64), cc(4000, 64, 63)]], HELD, [[0.1, 4]]),
        ([[on(0), off(200)], [cc(100, 64, 127, channel=1), cc(4000, 64, 0, channel=1)]], PRESSED, []),
        # another channel's pedal does not lift this one's
        ([[cc(0, 64, 127), on(0), off(200), cc(1000, 64, 0, channel=1), cc(4000, 64, 0)]], HELD, [[0, 4]]),
        ([[cc(0, 64, 127), on(0), off(200), cc(4000, 121, 0), cc(5000, 64, 0)]], HELD, [[0, 4]]),
        ([[cc(0, 64, 127), on(0), off(200), end(4000)]], HELD, [[0, 4]]),
        # all notes off releases keys, and leaves the pedal; all sound off ends them
        ([[cc(0, 64, 127), on(0), cc(200, 123, 0), cc(4000, 64, 0)]], HELD, [[0, 4]]),
        ([[cc(0, 64, 127), on(0), cc(200, 120, 0), cc(4000, 64, 0)]], PRESSED, [[0, 4]]),
        ([[on(0), off(200), cc(300, 64, 127), cc(4000, 64, 0)]], PRESSED, [[0.3, 4]]),
    ],
)
def test_the_pedal_holds_where_asked(tmp_path, played, held, down):
    file = tracks(*played)
    assert spans(read(tmp_path, file)) == PRESSED
    midi = read(tmp_path, file, pedal="hold")
    assert spans(midi) == held
    assert midi.pedal.tolist() == down
    assert midi.remarks == ()


def test_a_held_note_ends_where_its_key_is_struck_again(tmp_path):
    file = tracks(
        [cc(0, 64, 127), on(0), off(200), on(1000), off(1100), cc(2000, 64, 0), on(3000), off(3100)]
    )
    assert spans(read(tmp_path, file, pedal="hold")) == [(60, 0, 1), (60, 1, 2), (60, 3, 3.1)]


def test_a_pedal_that_goes_up_and_down_again_at_once_damps(tmp_path):
    file = tracks([cc(0, 64, 127), on(0), off(200), cc(1000, 64, 0), cc(1000, 64, 99), cc(2000, 64, 0)])
    midi = read(tmp_path, file, pedal="hold")
    assert spans(midi) == [(60, 0.0, 1.0)]
    assert midi.pedal.tolist() == [[0, 1], [1, 2]]


# What files hold beside ------------------------------------------------------------------------------------


def test_maps_resolution_of_32767_ticks_a_beat(tmp_path):
    file = tracks([tempo(0, 60), on(32767 * 200), off(32767 * 201)], ticks_a_beat=32767)
    assert spans(read(tmp_path, file)) == [(60, 200.0, 201.0)] == playback(file)


@pytest.mark.parametrize(
    ("division", "seconds"),
    [(0xE728, 0.5), (0xE250, 500 / 2400), (0xE364, 500 / 100 / 29.97003), (0xE808, 500 / 24 / 8)],
)
def test_smpte_division_is_time_and_tempo_says_nothing(tmp_path, division, seconds):
    midi = read(tmp_path, raw(b"\0\xff\x51\x03\x0f\x42\x40" + C4, division=division))
    assert midi.notes.intervals[0] == pytest.approx([0, seconds], abs=1e-6)


def rmid(content: bytes, order: Iterable[int] = (0, 1)) -> bytes:
    parts = [
        b"DISP" + struct.pack("<I", 3) + b"abc\0",
        b"data" + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2),
    ]
    body = b"RMID" + b"".join(parts[i] for i in order)
    return b"RIFF" + struct.pack("<I", len(body)) + body


PLAIN = raw(C4)


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        rmid(PLAIN),
        rmid(PLAIN, (1, 0)),
        raw(C4, between=chunk(b"XFIH", b"yamaha")),
        chunk(b"MThd", struct.pack(">HHH", 0, 1, 500) + b"more") + PLAIN[14:],
        PLAIN + b"trailing rubbish",
        raw(b"\0\xf0\x05\x7e\x7f\x09\x01\xf7" + C4),
        raw(b"\0\x90\x3c\x40\x83\x74\x3c\0"),  # running status
        raw(b"\0\x90\x3d\0\0\xff\x01\x01x\0\x3c\x40\x83\x74\x3c\0"),  # across a text
        raw(b"\0\x90\x3d\0\0\xf0\x01\xf7\0\x3c\x40\x83\x74\x3c\0"),  # across an exclusive message
        raw(C4 + b"\0\xff\x7f\x02ab"),
        raw(C4, form=0),
    ],
)
def test_what_does_not_touch_notes_is_passed_over(tmp_path, content):
    midi = read(tmp_path, content)
    assert spans(midi) == [(60, 0.0, 0.5)]
    assert midi.remarks == ()


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (b"\xff\x59\x02\xf8\0", "1 key signatures"),
        (b"\xff\x59\x02\0\x05", "1 key signatures"),
        (b"\xff\x59\x01\0", "1 key signatures"),
        (b"\xff\x58\x02\x04\x02", "1 time signatures"),
        (b"\xff\x58\x04\0\x02\x18\x08", "1 time signatures"),
        (b"\xff\x51\x02\x07\xa1", "1 tempo"),
        (b"\xff\x51\x03\0\0\0", "1 tempo"),
        (b"\xb0\x07\xff", "1 data beyond 127"),
        (b"\xb0\xff\x07", "1 data beyond 127"),
        (b"\xf4", "1 system messages"),
        (b"\xf2\x01\x02", "1 system messages"),
        (b"\xfe", "1 system messages"),
        (b"\xff\x54\x01\0", None),
        (b"\xff\x21\0", None),
    ],
)
def test_illegal_events_are_read_past_and_said_once(tmp_path, event, words):
    midi = read(tmp_path, raw(b"\0" + event + C4))
    assert spans(midi) == [(60, 0.0, 0.5)]
    assert midi.remarks == ((f"illegal events read past: {words}",) if words else ())
    twice = read(tmp_path, raw(b"\0" + event + b"\0" + event + C4))
    assert len(twice.remarks) == len(midi.remarks)


def test_a_pedal_value_beyond_127_is_down(tmp_path):
    midi = read(tmp_path, raw(b"\0\xb0\x40\xff" + C4 + b"\x83\x74\xb0\x40\0"), pedal="hold")
    assert spans(midi) == [(60, 0.0, 1.0)]


@pytest.mark.parametrize(
    ("played", "expected", "remark"),
    [
        ([on(0), end(2000)], [(60, 0.0, 2.0)], "1 note without an end closed at the end of the file"),
        ([on(0), off(0), on(100, 62), off(200, 62)], [(62, 0.1, 0.2)], "1 note of no length left out"),
        ([on(0, 36, 9), off(90, 36, 9), on(95, 38, 9), off(99, 38, 9)], [],
         "2 notes on channel 10 (drums) left out"),
        ([on(0, 20), off(90, 20), on(0 + 90), off(200)], [(60, 0.09, 0.2)],
         "1 note beyond the piano's 88 keys left out"),
    ],
)  # fmt: skip
def test_what_is_closed_or_left_out_is_said(tmp_path, played, expected, remark):
    midi = read(tmp_path, tracks(played))
    assert (spans(midi), midi.remarks) == (expected, (remark,))


def test_a_note_without_an_end_lasts_until_the_last_track_ends(tmp_path):
    midi = read(tmp_path, tracks([on(0), end(100)], [on(0, 64), off(3000, 64), end(3500)]))
    assert spans(midi) == [(60, 0.0, 3.5), (64, 0.0, 3.0)]
    assert midi.seconds == 3.5


def test_tracks_and_events_beyond_the_end_are_left_out_and_said(tmp_path):
    midi = read(tmp_path, raw(C4, C4.replace(b"\x3c", b"\x40"), count=1))
    assert (spans(midi), len(midi.remarks)) == ([(60, 0.0, 0.5)], 1)
    assert "1 tracks beyond" in midi.remarks[0]
    midi = read(tmp_path, raw(C4 + b"\0\xff\x2f\0" + b"\0\x90\x40\x40"))
    assert (spans(midi), midi.remarks) == (
        [(60, 0.0, 0.5)],
        ("track 1 goes on after its end; left out",),
    )


# Refusals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no MThd"),
        (b"MThd? no, a letter", "cut off"),
        (PLAIN[:10], "cut off"),
        (PLAIN[:14], "ends after 0 of 1 tracks"),
        (PLAIN[:-3], "cut off"),
        (rmid(PLAIN)[:40], "cut off"),
        (rmid(b""), "no MThd"),
        (raw(C4, count=2), "ends after 1 of 2 tracks"),
        (raw(C4, form=2), "format 2.*save it as format 0 or 1"),
        (raw(C4, form=9), "format 9: unknown"),
        (raw(C4, division=0), "division of 0"),
        (raw(C4, division=0x8001), "division of 128 frames"),
        (raw(C4, division=0xE700), "by 0"),
        (raw(b"\0\x3c\x40"), "track 1 begins with data of no event"),
        (raw(b"\0\xff\x01\x7fabc"), "track 1 ends inside an event"),
        (raw(b"\0\xf0\x7fabc"), "track 1 ends inside an event"),
        (raw(b"\xff\xff\xff\xff\x00\x90\x3c\x40"), "length of more than four bytes"),
        (raw(C4 + b"\xff\xff\xff\x7f\x90\x3c\x40"), r"it lasts 268,436 s\); give one of at most 12 hours"),
        (chunk(b"MThd", b"\0\1\0"), "header of 3 bytes"),
    ],
)
def test_bad_files_are_named_with_what_was_found(tmp_path, content, words):
    with pytest.raises(AudeoBenchError, match=rf"song\.mid: not a readable MIDI file \(.*{words}") as said:
        read(tmp_path, content)
    assert "\n" not in str(said.value)


def test_what_is_no_file_is_named(tmp_path):
    with pytest.raises(AudeoBenchError, match=r"missing\.mid.*give a MIDI file"):
        read_midi(tmp_path / "missing.mid")
    with pytest.raises(AudeoBenchError, match="folder"):
        read_midi(tmp_path)
    os.mkfifo(tmp_path / "pipe.mid")
    with pytest.raises(AudeoBenchError, match="pipe"):
        read_midi(tmp_path / "pipe.mid")


def test_limits_are_met_before_memory_is_taken(tmp_path, monkeypatch):
    with (tmp_path / "large.mid").open("wb") as file:
        file.truncate(2**40)  # a hole, which takes no disk
    tracemalloc.start()
    with pytest.raises(AudeoBenchError, match="large"):
        read_midi(tmp_path / "large.mid")
    # A track of 10^8 seconds: tempo 16.7 s a beat, 1 tick a beat.
    long = raw(b"\0\xff\x51\x03\xff\xff\xff" + b"\xff\xff\xff\x7f\x90\x3c\x40", division=1)
    with pytest.raises(AudeoBenchError, match="12 hours"):
        read(tmp_path, long)
    assert tracemalloc.get_traced_memory()[1] < 2e6
    tracemalloc.stop()
    monkeypatch.setattr(midi_events, "MOST_EVENTS", 100)
    with pytest.raises(AudeoBenchError, match="more than 100 events"):
        read(tmp_path, raw(C4 * 51))


# Writing, and rolls ---------------------------------------------------------------------------------------


@st.composite
def rolls(draw: st.DrawFn) -> np.ndarray:
    """Random (88, T) bool rolls, from silent to dense, at random places of a long recording."""
    seed, frames = draw(st.integers(0, 2**32 - 1)), draw(st.integers(0, 60))
    lead = draw(st.sampled_from([0, 1, 1000, 99_991]))
    density = draw(st.sampled_from([0.0, 0.02, 0.5, 1.0]))
    roll = np.random.default_rng(seed).random((88, frames)) < density
    return np.concatenate([np.zeros((88, lead), bool), roll], axis=1)


@given(roll=rolls(), beats=st.sampled_from([80, 110, 123.4]))
@settings(max_examples=15, deadline=None)
def test_a_roll_survives_our_own_file(tmp_path_factory, roll, beats):
    path = tmp_path_factory.mktemp("midi") / "roll.mid"
    notes = roll_to_notes(roll)
    write_midi(notes, path, tempo=beats)
    midi = read_midi(path)
    np.testing.assert_array_equal(midi.notes.intervals, notes.intervals)
    np.testing.assert_array_equal(midi.notes.pitches, notes.pitches)
    np.testing.assert_array_equal(midi.notes.velocities, notes.velocities)
    assert [file.name for file in path.parent.iterdir()] == ["roll.mid"]


@given(roll=rolls(), resolution=st.sampled_from([220, 384, 480, 500, 960]), cut=st.booleans())
@settings(max_examples=25, deadline=None)
def test_a_roll_survives_other_software(tmp_path_factory, roll, resolution, cut):
    """Ticks that are no part of a frame, rounded as pretty_midi does or cut as int() does."""
    path = tmp_path_factory.mktemp("midi") / "roll.mid"
    notes = roll_to_notes(roll)
    events = []
    for (onset, offset), pitch in zip(notes.intervals, notes.pitches.tolist(), strict=True):
        for at, make in ((onset, on), (offset, off)):
            tick = at * 2 * resolution
            events.append(make(int(tick) if cut else round(tick), pitch))
    tracks(sorted(events, key=lambda event: event[0]), ticks_a_beat=resolution).save(path)
    assert np.array_equal(notes_to_roll(read_midi(path).notes, roll.shape[1]), roll)


def test_a_performance_keeps_its_times(tmp_path):
    """Only a file that is a roll from beginning to end is drawn to frames."""
    file = tracks([on(40), off(79), on(120, 62), off(161, 62), on(200, 64), off(310, 64)])
    assert spans(read(tmp_path, file)) == playback(file)
    trill = tracks([on(38), off(39), on(40), off(80)])
    assert spans(read(tmp_path, trill)) == playback(trill)


def test_writing_keeps_velocity_and_program(tmp_path):
    path = tmp_path / "one.mid"
    write_midi(Notes(np.array([[1.0, 2.5]]), np.array([60]), np.array([33])), path, program=6)
    midi = read_midi(path)
    assert spans(midi) == [(60, 1.0, 2.5)]
    assert midi.notes.velocities.tolist() == [33]
    theirs = pretty_midi.PrettyMIDI(str(path))
    assert theirs.instruments[0].program == 6
    assert theirs.get_tempo_changes()[1].tolist() == [80]


def test_a_note_too_short_for_a_tick_is_written_as_one(tmp_path):
    write_midi(Notes(np.array([[1.0, 1.0001]]), np.array([60]), np.array([9])), tmp_path / "short.mid")
    assert spans(read_midi(tmp_path / "short.mid")) == [(60, 1.0, 1.001)]


def test_a_file_without_notes(tmp_path):
    midi = read(tmp_path, tracks([]))
    assert (midi.notes.intervals.shape, midi.notes.pitches.shape, midi.pedal.shape) == ((0, 2), (0,), (0, 2))


def test_a_tempo_out_of_range_is_not_written(tmp_path):
    with pytest.raises(AudeoBenchError, match="tempo 0"):
        write_midi(roll_to_notes(np.zeros((88, 1), bool)), tmp_path / "x.mid", tempo=0)


# Anything at all ------------------------------------------------------------------------------------------


def check_anything(path: Path, content: bytes) -> None:
    """Whatever it holds, it is a sound MidiFile or one line of error."""
    path.write_bytes(content)
    for pedal in ("ignore", "hold"):
        try:
            midi = read_midi(path, pedal)
        except AudeoBenchError as fault:
            assert str(path) in str(fault)
            assert "\n" not in str(fault)
            continue
        intervals, pitches = midi.notes.intervals, midi.notes.pitches
        assert np.isfinite(intervals).all()
        assert (intervals[:, 0] >= 0).all()
        assert (intervals[:, 0] < intervals[:, 1]).all()
        assert (intervals[:, 1] <= midi.seconds + 0.01).all()
        assert ((pitches >= 21) & (pitches <= 108)).all()
        assert ((midi.notes.velocities >= 1) & (midi.notes.velocities <= 127)).all()
        order = np.lexsort((intervals[:, 0], pitches))
        again = pitches[order][1:] == pitches[order][:-1]
        assert (intervals[order, 0][1:] >= intervals[order, 1][:-1])[again].all()


def mutated(content: bytes, rng: random.Random) -> bytes:
    """Some bytes changed, a piece cut out, doubled, or moved."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 6)):
        at, size = rng.randrange(len(data) + 1), rng.randint(0, 12)
        piece = bytes(data[at : at + size])
        match rng.randrange(4):
            case 0:
                data[at : at + 1] = bytes([rng.choice([0, 0x40, 0x7F, 0x80, 0x90, 0xB0, 0xF0, 0xF7, 0xFF])])
            case 1:
                del data[at : at + size]
            case 2:
                data[at:at] = piece
            case 3:
                data[at:at] = rng.randbytes(size)
    return bytes(data)


ALL_SORTS = [
    PLAIN,
    rmid(PLAIN),
    raw(
        b"\0\xff\x51\x03\x07\xa1\x20\x60\xff\x51\x03\x0f\x42\x40",
        b"\0\xb0\x40\x7f" + C4 + b"\0\xb0\x79\0" + C4,
    ),
    raw(C4 * 5 + b"\0\xf0\x03\x01\x02\xf7\0\x3e\x40\x10\x3e\0", division=0xE728),
]


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_random_bytes_are_one_thing_or_the_other(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "random.mid"
    check_anything(path, content)
    check_anything(path, PLAIN[:14] + chunk(b"MTrk", content))


@given(st.sampled_from(ALL_SORTS), st.integers(0, 2**32))
@settings(max_examples=300, deadline=None)
def test_mutated_files_are_one_thing_or_the_other(tmp_path_factory, content, seed):
    check_anything(tmp_path_factory.getbasetemp() / "mutated.mid", mutated(content, random.Random(seed)))


@pytest.mark.slow
def test_the_longest_file_takes_seconds_and_little_memory(tmp_path):
    rng = np.random.default_rng(0)
    many = bytearray()
    for pitch in rng.integers(21, 109, midi_events.MOST_EVENTS // 20):
        many += bytes((0x01, 0x90, pitch, 0x40, 0x01, 0x80, pitch, 0x40))
    started = time.process_time()
    midi = read(tmp_path, raw(bytes(many), division=96))
    assert len(midi.notes) == midi_events.MOST_EVENTS // 20
    assert time.process_time() - started < 10


# Real files -----------------------------------------------------------------------------------------------


def by_pretty_midi(path: Path) -> list[tuple[int, float, float]]:
    """What pretty_midi reads from ordinary files (one tempo, one player); a strike ends the one before."""
    notes = sorted(
        (note.pitch, note.start, note.end)
        for instrument in pretty_midi.PrettyMIDI(str(path)).instruments
        if not instrument.is_drum
        for note in instrument.notes
        if 21 <= note.pitch <= 108
    )
    cut = []
    for (pitch, start, stop), (next_pitch, next_start, _) in zip(
        notes, [*notes[1:], (0, 0.0, 0.0)], strict=True
    ):
        stop = min(stop, next_start) if pitch == next_pitch else stop
        if stop > start:
            cut.append((pitch, start, stop))
    return sorted(cut, key=lambda note: (note[1], note[0]))


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("asap/Bach/Fugue/bwv_8[46]?/*.mid", marks=needs("asap")),
        pytest.param("miditest/miditest_MIDI/*.mid", marks=needs("miditest")),
        pytest.param("pianoyt/**/*.midi", marks=needs("pianoyt")),
    ],
)
def test_ordinary_files_are_what_pretty_midi_reads(pattern):
    files = sorted(SHARED.glob(pattern))[::3][:6]
    assert files
    for path in files:
        theirs = by_pretty_midi(path)
        ours = read_midi(path)
        assert ours.notes.pitches.tolist() == [note[0] for note in theirs], path
        np.testing.assert_allclose(ours.notes.intervals, [note[1:] for note in theirs], atol=1e-6)
