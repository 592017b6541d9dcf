"""Films of every kind show, at every time, the picture that a player shows; what is no film is named."""

from __future__ import annotations

import csv
import gc
import multiprocessing
import operator
import os
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.stream import Disposition
from hypothesis import given, settings
from hypothesis import strategies as st
from numbered_films import HEIGHT, WIDTH, numbers, picture, write_film
from shared_data import SHARED, needs

from audeo_bench.api import AudeoBenchError
from audeo_bench.film.decoding import Decoder
from audeo_bench.film.reading import FilmFrames, film_info, still_pictures
from audeo_bench.keyboard.warp import homography

QUIET = {"x265-params": "log-level=none:pools=1:bframes=3"}

KINDS = [
    ("mp4", "libx264", "yuv420p", {"bf": "3", "g": "12"}),
    ("mov", "mpeg4", "yuv420p", {"bf": "2"}),
    ("mov", "prores_ks", "yuv422p10le", {}),
    ("mov", "qtrle", "rgb24", {}),
    ("mkv", "libx264", "yuv444p", {"bf": "3", "g": "8"}),
    ("mkv", "ffv1", "gray16le", {}),
    ("mkv", "ffv1", "bgr0", {}),
    ("mp4", "libx265", "yuv420p", QUIET),
    ("mp4", "libx265", "yuv420p10le", QUIET),
    ("mkv", "libx265", "yuv420p12le", QUIET),
    ("webm", "libvpx", "yuv420p", {"auto-alt-ref": "1", "lag-in-frames": "16"}),
    ("webm", "libvpx-vp9", "yuv420p", {"cpu-used": "8"}),
    ("webm", "libvpx-vp9", "yuva420p", {"cpu-used": "8"}),
    ("mp4", "libsvtav1", "yuv420p10le", {"preset": "12"}),
    ("avi", "libx264", "yuv420p", {"bf": "3", "g": "12"}),
    ("avi", "mpeg4", "yuv420p", {"bf": "2"}),
    ("avi", "huffyuv", "yuv422p", {}),
    ("avi", "mjpeg", "yuvj420p", {}),
    ("wmv", "wmv1", "yuv420p", {}),
    ("wmv", "wmv2", "yuv420p", {"g": "7"}),
    ("ts", "libx264", "yuv420p", {"bf": "3", "g": "12"}),
    ("mpg", "mpeg2video", "yuv420p", {"bf": "2", "g": "12"}),
    ("flv", "flv", "yuv420p", {}),
    ("h264", "libx264", "yuv420p", {"bf": "3", "g": "12"}),
    ("hevc", "libx265", "yuv420p", QUIET),
    ("gif", "gif", "gray", {}),
]


def shown(frames: FilmFrames, index: object = slice(None)) -> list[int]:
    return numbers(frames[index])


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """90 pictures at 30 a second, with B-frames and a key picture every second."""
    options = {"bf": "3", "g": "30", "sc_threshold": "0"}
    return write_film(tmp_path_factory.mktemp("film") / "90.mp4", stamps=range(90), rate=30, options=options)


@pytest.mark.parametrize(
    ("suffix", "codec", "pix_fmt", "options"), KINDS, ids=lambda v: v if isinstance(v, str) else ""
)
def test_every_kind_of_film(tmp_path: Path, suffix: str, codec: str, pix_fmt: str, options: dict) -> None:
    path = write_film(tmp_path / f"film.{suffix}", codec, pix_fmt=pix_fmt, options=options)
    frames = FilmFrames(path)
    assert len(frames) == 30
    assert shown(frames) == list(range(30))
    assert shown(frames, slice(7, 9)) == [7, 8]  # backwards
    assert shown(frames, slice(25, 27)) == [25, 26]
    assert not frames.remarks
    info = film_info(path)
    assert info.size == (WIDTH, HEIGHT)
    assert (info.frames, info.remarks) == (30, ())
    assert info.fps == pytest.approx(25)
    assert info.seconds == pytest.approx(1.2)


@pytest.mark.parametrize("rate", [10, 20, 24, Fraction(30000, 1001), 50, Fraction(60000, 1001), 120])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_the_picture_nearest_in_time_is_shown(tmp_path: Path, rate: Fraction, suffix: str) -> None:
    frames = FilmFrames(write_film(tmp_path / f"film.{suffix}", stamps=range(70), rate=rate))
    assert len(frames) == pytest.approx(70 * 25 / rate, abs=0.6)
    for t, number in enumerate(shown(frames)):
        tolerance = 0.0011  # Matroska counts in milliseconds
        distances = [abs(n / rate - Fraction(t, 25)) for n in range(70)]
        assert distances[number] <= min(distances) + tolerance


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "wmv"])
def test_variable_rate(tmp_path: Path, suffix: str) -> None:
    """AVI fills the gaps with empty packets: the picture stands."""
    stamps = [0, 1, 2, 10, 11, 30, 31, 33, 60]
    codec = {"avi": "mjpeg", "wmv": "wmv2"}.get(suffix, "libx264")
    pix_fmt = "yuvj420p" if suffix == "avi" else "yuv420p"
    frames = FilmFrames(write_film(tmp_path / f"film.{suffix}", codec, stamps=stamps, pix_fmt=pix_fmt))
    nearest = [int(np.argmin([abs(t - stamp) for stamp in stamps])) for t in range(61)]
    assert shown(frames)[:61] == nearest


def test_what_an_edit_list_leaves_out_is_not_shown(tmp_path: Path) -> None:
    """Written with negative times, as phones and editors cut: ten pictures are only there to be decoded."""
    path = write_film(tmp_path / "cut.mp4", stamps=range(-10, 40), options={"bf": "2", "g": "20"})
    with av.open(str(path)) as container:
        assert sum(packet.is_discard for packet in container.demux(video=0)) == 10
    frames = FilmFrames(path)
    assert shown(frames) == list(range(10, 50))
    assert shown(frames, slice(3, 5)) == [13, 14]
    assert film_info(path).seconds == pytest.approx(1.6)


def test_a_film_that_begins_late_begins_with_its_first_picture(tmp_path: Path) -> None:
    frames = FilmFrames(write_film(tmp_path / "late.mp4", stamps=range(10, 40)))
    assert shown(frames) == list(range(30))


def test_start_is_where_frame_0_lies(film: Path) -> None:
    assert shown(FilmFrames(film, start=1.0))[:5] == [30, 31, 32, 34, 35]
    early = FilmFrames(film, start=-0.2)
    assert len(early) == 80
    assert shown(early)[:8] == [0, 0, 0, 0, 0, 0, 1, 2]
    with pytest.raises(AudeoBenchError, match=r"lasts 3\.00 s, nothing begins at 3 s"):
        FilmFrames(film, start=3)
    with pytest.raises(AudeoBenchError, match="start nan is no time"):
        FilmFrames(film, start=float("nan"))


def test_stream_without_duration(tmp_path: Path) -> None:
    live = {"live": "1"}
    path = write_film(tmp_path / "live.webm", "libvpx", format="webm", container_options=live)
    with av.open(str(path)) as container:
        assert not container.duration
    frames = FilmFrames(path)
    assert len(frames) == 30
    assert shown(frames, slice(None, None, -7)) == [29, 22, 15, 8, 1]
    assert len(still_pictures(path, 4)) >= 1


ASYMMETRIC = np.array([[30, 90], [150, 220], [60, 120]], np.uint8).repeat(16, 0).repeat(16, 1)
"""A picture of 48 x 32 that differs from itself in all eight positions."""
POSITIONS = {
    # 1.0 is 65536; x' = a x + c y, y' = b x + d y of (a, b, 0, c, d, 0, 0, 0, 1).
    "as stored": ((1, 0, 0, 1), lambda p: p, 0, False),
    "90": ((0, 1, -1, 0), lambda p: np.rot90(p, -1), 90, False),  # a phone held upright
    "180": ((-1, 0, 0, -1), lambda p: np.rot90(p, 2), 180, False),
    "270": ((0, -1, 1, 0), lambda p: np.rot90(p, 1), 270, False),
    "mirrored": ((-1, 0, 0, 1), np.fliplr, 0, True),
    "mirrored, 90": ((0, 1, 1, 0), lambda p: np.rot90(np.fliplr(p), 1), 270, True),
    "mirrored, 180": ((1, 0, 0, -1), np.flipud, 180, True),
    "mirrored, 270": ((0, -1, -1, 0), lambda p: np.rot90(np.fliplr(p), -1), 90, True),
}


@pytest.mark.parametrize("position", POSITIONS)
def test_the_rotation_flag_is_obeyed(tmp_path: Path, position: str) -> None:
    (a, b, c, d), turn, rotation, mirrored = POSITIONS[position]
    matrix = [65536 * v for v in (a, b, 0, c, d, 0, 0, 0)] + [2**30]
    path = write_film(tmp_path / "turned.mp4", pictures=[ASYMMETRIC] * 3, stamps=range(3), matrix=matrix)
    seen = turn(ASYMMETRIC)
    height, width = seen.shape
    info = film_info(path)
    assert (info.size, info.rotation, info.mirrored) == ((width, height), rotation, mirrored)
    still = still_pictures(path, 2)[0]
    assert np.abs(still[8::16, 8::16].astype(int) - seen[8::16, 8::16]).max() <= 4
    whole = FilmFrames(path)[0]
    rows, columns = np.arange(height // 16), np.arange(width // 16)
    middles = whole[np.ix_((rows * 2 + 1) * 100 * 8 // height, (columns * 2 + 1) * 900 * 8 // width)]
    assert np.abs(middles.astype(int) - seen[8::16, 8::16]).max() <= 4
    # Corners count in the picture as displayed.
    corners = np.array([[3, 5], [width - 4, 4], [width - 2, height - 6], [2, height - 5]], float)
    warped = cv2.warpPerspective(
        still, homography(corners), (900, 100), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    assert np.abs(FilmFrames(path, corners)[0].astype(int) - warped).mean() < 1.5


def test_corners_warp_and_shrink_without_aliasing(tmp_path: Path) -> None:
    """One-pixel lines become grey, not a moiré; a large upside-down keyboard comes upright."""
    stripes = np.zeros((800, 2000), np.uint8)
    stripes[:, ::2] = 255
    stripes[:, :1000] = np.arange(0, 250, 0.25).astype(np.uint8)
    path = write_film(tmp_path / "fine.mkv", "ffv1", pictures=[stripes], stamps=[0], pix_fmt="gray")
    corners = np.array([[1990, 750], [9, 750], [9, 250], [1990, 250]], float)
    seen = FilmFrames(path, corners)[0].astype(int)
    assert np.ptp(seen[:, 20:430]) <= 4
    x = homography(corners) @ np.array([[480, 50, 1], [700, 50, 1], [880, 50, 1]], float).T
    np.testing.assert_allclose(seen[50, [480, 700, 880]], stripes[0, x[0].astype(int)], atol=3)


def test_what_lies_outside_of_the_picture_is_black(tmp_path: Path) -> None:
    path = write_film(tmp_path / "bright.mp4", pictures=[np.full((64, 900), 200, np.uint8)], stamps=[0])
    corners = np.array([[-90, 5], [810, 5], [810, 60], [-90, 60]], float)
    seen = FilmFrames(path, corners)[0]
    assert seen[40, :85].max() == 0
    assert abs(int(seen[40, 100]) - 200) <= 2


@pytest.mark.parametrize(
    ("corners", "message"),
    [
        ([[0, 0], [90, 0], [90, 60]], "four finite points"),
        ([[0, 0], [90, 0], [90, 60], [float("nan"), 60]], "four finite points"),
        ([[0, 0], [90, 60], [90, 0], [0, 60]], "go round no area"),
        ([[500, 0], [900, 0], [900, 60], [500, 60]], "outside of the picture of 96x64"),
    ],
)
def test_bad_corners_are_refused(film: Path, corners: list, message: str) -> None:
    with pytest.raises(AudeoBenchError, match=rf"90\.mp4: .*{message}"):
        FilmFrames(film, np.array(corners))


def test_crop_is_cut_and_enlarged(film: Path) -> None:
    left = FilmFrames(film, crop=(0, 0, WIDTH // 2, HEIGHT))[1]
    assert left[50, 100] > 200  # the lowest bit takes a quarter of the half
    assert left[50, 300] < 40
    with pytest.raises(AudeoBenchError, match="outside of the picture of 96x64"):
        FilmFrames(film, crop=(0, 0, WIDTH + 1, HEIGHT))


def test_sample_aspect_is_said_and_stretches_nothing(tmp_path: Path) -> None:
    path = write_film(tmp_path / "wide.mp4", aspect=Fraction(5, 4))
    info = film_info(path)
    assert (info.pixel_aspect, info.size) == (Fraction(5, 4), (WIDTH, HEIGHT))


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv420p10le"])
def test_full_and_limited_range_show_the_same_grey(tmp_path: Path, pix_fmt: str) -> None:
    ramp = np.repeat(np.arange(0, 255, dtype=np.uint8)[None, :254], 64, 0)
    films = [
        write_film(
            tmp_path / f"{full}.mkv", "ffv1", pictures=[ramp], stamps=[0], pix_fmt=pix_fmt, full_range=full
        )
        for full in (False, True)
    ]
    limited, full = (still_pictures(path, 1)[0].astype(int) for path in films)
    assert np.abs(limited - ramp).max() <= 1
    assert np.abs(full - ramp).max() <= 1


def test_interlaced_film(tmp_path: Path) -> None:
    options = {"flags": "+ildct+ilme", "x264-params": "tff=1:bframes=2"}
    assert shown(FilmFrames(write_film(tmp_path / "tff.ts", options=options))) == list(range(30))


@pytest.mark.parametrize(("codec", "suffix"), [("libvpx-vp9", "webm"), ("ffv1", "mkv"), ("mjpeg", "avi")])
def test_odd_sizes(tmp_path: Path, codec: str, suffix: str) -> None:
    pictures = [picture(n, 97, 51) for n in range(6)]
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = write_film(tmp_path / f"odd.{suffix}", codec, pictures=pictures, stamps=range(6), pix_fmt=pix_fmt)
    assert film_info(path).size == (97, 51)
    assert shown(FilmFrames(path)) == list(range(6))


def test_one_picture_is_a_film(tmp_path: Path) -> None:
    for codec, suffix in (("libx264", "mp4"), ("libx264", "h264"), ("wmv2", "wmv"), ("gif", "gif")):
        pix_fmt = "gray" if codec == "gif" else "yuv420p"
        path = write_film(
            tmp_path / f"one.{suffix}", codec, pictures=[picture(77)], stamps=[0], pix_fmt=pix_fmt
        )
        assert set(shown(FilmFrames(path))) == {77}
        assert film_info(path).frames == 1
        assert numbers(still_pictures(path)) == [77]


def test_a_change_of_size_in_mid_film(tmp_path: Path) -> None:
    small = write_film(tmp_path / "small.h264", stamps=range(10))
    pictures = [picture(10 + n, 160, 128) for n in range(10)]
    large = write_film(tmp_path / "large.h264", pictures=pictures, stamps=range(10))
    both = tmp_path / "both.h264"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    assert shown(FilmFrames(both)) == list(range(20))
    assert numbers(still_pictures(both, 20)) == list(range(20))


def add_sound(container: av.container.OutputContainer) -> av.AudioStream:
    return container.add_stream("aac", rate=16_000, layout="mono")


def fill_sound(stream: av.AudioStream) -> None:
    frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
    frame.sample_rate = 16_000
    stream.container.mux(stream.encode(frame))
    stream.container.mux(stream.encode(None))


def write_with_cover(path: Path, film: Path | None) -> Path:
    """A large cover picture, and after it the film, or sound alone."""
    cover = av.CodecContext.create("mjpeg", "w")
    cover.width, cover.height, cover.pix_fmt, cover.time_base = 320, 240, "yuvj420p", Fraction(1, 25)
    grey = av.VideoFrame.from_ndarray(np.full((240, 320), 200, np.uint8), format="gray")
    (packet,) = cover.encode(grey.reformat(format="yuvj420p"))
    with av.open(str(path), "w") as target:
        picture = target.add_stream("mjpeg", rate=25)
        picture.width, picture.height, picture.pix_fmt = 320, 240, "yuvj420p"
        picture.disposition = Disposition.attached_pic
        packet.stream, packet.pts = picture, 0
        if film is None:
            sound = add_sound(target)
            target.start_encoding()
            target.mux(packet)
            fill_sound(sound)
            return path
        with av.open(str(film)) as source:
            copy = target.add_stream_from_template(source.streams.video[0])
            target.mux(packet)
            for data in source.demux(video=0):
                if data.dts is not None:
                    data.stream = copy
                    target.mux(data)
    return path


def test_cover_art_is_no_film(film: Path, tmp_path: Path) -> None:
    assert shown(FilmFrames(write_with_cover(tmp_path / "cover.mp4", film)))[:4] == [0, 1, 2, 4]
    with pytest.raises(AudeoBenchError, match=r"song\.mp4: holds sound and a cover picture, but no film"):
        FilmFrames(write_with_cover(tmp_path / "song.mp4", None))


def test_a_tail_that_does_not_decode_is_said_once_and_the_last_picture_stands(tmp_path: Path) -> None:
    path = write_film(tmp_path / "tail.mkv", "ffv1")
    path.write_bytes(spoil(path, last=3))
    heard: list[str] = []
    frames = FilmFrames(path, remarks=heard.append)
    assert len(frames) == 30
    assert shown(frames) == [*range(27), 26, 26, 26]
    assert shown(frames, slice(-2, None)) == [26, 26]
    assert len(heard) == len(set(heard)) == len(frames.remarks)
    assert any("the last 3 pictures do not decode" in remark for remark in frames.remarks)
    assert any("the last 3 pictures do not decode" in remark for remark in film_info(path).remarks)


def test_a_film_that_ends_before_its_time(film: Path, tmp_path: Path) -> None:
    """With the index in front, as web files have it, players show what there is of it."""
    front = tmp_path / "front.mp4"
    with av.open(str(film)) as source, av.open(str(front), "w", options={"movflags": "faststart"}) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    assert len(FilmFrames(front)) == 75
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(front.read_bytes()[: int(front.stat().st_size * 0.6)])
    frames = FilmFrames(cut)
    assert 10 < len(frames) < 60
    assert shown(frames, slice(0, 5)) == [0, 1, 2, 4, 5]
    frames[:]
    assert any("it is cut off" in remark for remark in film_info(cut).remarks)


def test_what_is_no_film_is_refused_in_one_line(film: Path, tmp_path: Path) -> None:
    def refused(name: str, message: str) -> None:
        for read in (FilmFrames, film_info, still_pictures):
            with pytest.raises(AudeoBenchError, match=message) as caught:
                read(tmp_path / name)
            assert name in str(caught.value)
            assert "\n" not in str(caught.value)

    refused("gone.mp4", "no such file")
    os.mkfifo(tmp_path / "pipe.mp4")
    refused("pipe.mp4", "a pipe, socket or device")
    (tmp_path / "zero.mp4").symlink_to("/dev/zero")
    refused("zero.mp4", "a pipe, socket or device")
    (tmp_path / "folder.mp4").mkdir()
    refused("folder.mp4", "a folder")
    (tmp_path / "empty.mp4").touch()
    refused("empty.mp4", "is empty")
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(100_000))
    refused("noise.mp4", "cannot be read as a film")
    (tmp_path / "half.mp4").write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    refused("half.mp4", "cannot be read as a film .* cut off")
    for name in ("text.txt", "text.mp4", "text.m3u8"):
        (tmp_path / name).write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/secret.ts\n")
        refused(name, "cannot be read as a film")
    (tmp_path / "list.mp4").write_text(f"ffconcat version 1.0\nfile {film}\n")
    refused("list.mp4", "cannot be read as a film")
    cv2.imwrite(str(tmp_path / "photograph.jpg"), ASYMMETRIC)
    refused("photograph.jpg", "cannot be read as a film")
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        fill_sound(add_sound(container))
    refused("sound.mp4", "holds sound, but no film")


def test_absurd_sizes_are_refused_before_memory_is_taken(tmp_path: Path) -> None:
    path = write_film(tmp_path / "vast.avi", "huffyuv", pix_fmt="yuv422p", stamps=range(2))
    size = np.array([WIDTH, HEIGHT], "<i4").tobytes()
    path.write_bytes(path.read_bytes().replace(size, np.array([10_000, 10_000], "<i4").tobytes()))
    with pytest.raises(AudeoBenchError, match=r"vast\.avi: pictures of 10000x10000"):
        FilmFrames(path)
    path = write_film(tmp_path / "vast.gif", "gif", pix_fmt="gray", stamps=range(2))
    data = bytearray(path.read_bytes())
    data[6:10] = np.array([10_000, 10_000], "<u2").tobytes()
    path.write_bytes(data)
    with pytest.raises(AudeoBenchError, match=r"vast\.gif: "):
        FilmFrames(path)
    path = write_film(tmp_path / "eternal.mkv", "ffv1", stamps=[0, 25 * 3600 * 900])
    with pytest.raises(AudeoBenchError, match=r"eternal\.mkv: .* 900 hours"):
        FilmFrames(path)


def spoil(path: Path, last: int | None = None) -> bytes:
    """The file with the data of its last packets, or of all, overwritten."""
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    for packet in packets[-last:] if last else packets:
        place = data.rfind(packet)
        data[place : place + len(packet)] = b"\xff" * len(packet)
    return bytes(data)


def test_a_film_of_which_nothing_decodes_is_damaged(tmp_path: Path) -> None:
    path = write_film(tmp_path / "dead.mkv", "ffv1")
    path.write_bytes(spoil(path))
    with pytest.raises(AudeoBenchError, match=r"dead\.mkv: damaged, no picture of it decodes"):
        FilmFrames(path)


@pytest.mark.parametrize("name", ["12:30 take.mp4", "100%d.mp4", "-f.mp4", os.fsdecode(b"n\xffme.mp4")])
def test_any_file_name(film: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(film.read_bytes())
    assert shown(FilmFrames(name), slice(0, 3)) == [0, 1, 2]


SLICES = st.slices(75)


@settings(max_examples=40, deadline=None)
@given(windows=st.lists(SLICES, min_size=1, max_size=4))
def test_any_slice_is_that_of_the_whole(film: Path, windows: list[slice]) -> None:
    frames = FilmFrames(film)
    whole = whole_of(film)
    for window in windows:
        np.testing.assert_array_equal(frames[window], whole[window])


_WHOLE: dict[Path, np.ndarray] = {}


def whole_of(film: Path) -> np.ndarray:
    if film not in _WHOLE:
        _WHOLE[film] = FilmFrames(film)[:]
    return _WHOLE[film]


def test_whatever_numpy_takes_for_an_index(film: Path) -> None:
    frames, whole = FilmFrames(film), whole_of(film)
    for index in (
        0,
        -1,
        np.int64(7),
        [5, 2, 2, -1],
        np.array([[1, 2], [70, 3]]),
        np.arange(75) % 9 == 0,
        ...,
    ):
        np.testing.assert_array_equal(frames[index], whole[index])
    for index in (75, -76, [0, 75]):
        with pytest.raises(IndexError):
            frames[index]
    assert sum(1 for _ in frames) == 75  # the old protocol of iteration ends by IndexError


def test_each_picture_is_decoded_once_when_read_forwards(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = FilmFrames(film)
    reader = frames._reader
    assert reader is not None
    monkeypatch.setattr(reader.decoder, "_seek", lambda time: pytest.fail(f"sought {time} s"))
    for start in range(0, 75, 10):
        frames[start : start + 10]


def test_threads_share_one_film(film: Path) -> None:
    frames, whole = FilmFrames(film), whole_of(film)
    starts = np.random.default_rng(1).integers(0, 70, 40).tolist()
    with ThreadPoolExecutor(4) as pool:
        for start, window in zip(starts, pool.map(lambda s: frames[s : s + 5], starts), strict=True):
            np.testing.assert_array_equal(window, whole[start : start + 5])


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_read_what_the_parent_has_opened(film: Path, method: str) -> None:
    """A forked worker has the parent's decoder without its threads, and must leave it alone."""
    frames, whole = FilmFrames(film), whole_of(film)
    frames[10:12]
    windows = [slice(60, 64), slice(3, 6), slice(None, None, -10)]
    with multiprocessing.get_context(method).Pool(2) as pool:
        answers = pool.starmap_async(operator.getitem, [(frames, window) for window in windows]).get(60)
    for window, answer in zip(windows, answers, strict=True):
        np.testing.assert_array_equal(answer, whole[window])
    np.testing.assert_array_equal(frames[12:14], whole[12:14])


def test_a_forked_child_reads_and_ends(film: Path) -> None:
    """Without pickling: the very object is inherited, used, and destroyed as the interpreter ends."""
    frames, whole = FilmFrames(film), whole_of(film)
    frames[10:12]
    context = multiprocessing.get_context("fork")
    child = context.Process(target=lambda: np.testing.assert_array_equal(frames[8:40], whole[8:40]))
    child.start()
    child.join(30)
    assert child.exitcode == 0


def test_a_copy_reads_on_and_a_closed_film_opens_again(film: Path) -> None:
    frames, whole = FilmFrames(film, remarks=lambda remark: None), whole_of(film)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(frames))[40:42], whole[40:42])
    frames.close()
    np.testing.assert_array_equal(frames[40:42], whole[40:42])


def test_a_decoder_that_is_closed_is_no_garbage(film: Path) -> None:
    """A forked worker that collects garbage would wait for ever for the threads of a decoder in it."""
    gc.disable()
    try:
        decoder = Decoder(film)
        decoder.at(1.0)
        there = weakref.ref(decoder)
        decoder.close()
        del decoder
        assert there() is None
    finally:
        gc.enable()


def test_a_film_that_is_let_go_is_closed(film: Path) -> None:
    def opened() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    gc.disable()
    try:
        before = opened()
        for _ in range(5):
            FilmFrames(film)[3:5]
        assert opened() == before
    finally:
        gc.enable()


def test_stills_are_spread_over_the_film(film: Path, tmp_path: Path) -> None:
    stills = still_pictures(film, 6)
    assert stills.shape == (3, HEIGHT, WIDTH)
    assert numbers(stills) == [0, 30, 60]  # the key pictures
    lone = write_film(
        tmp_path / "lone.mp4", stamps=range(90), rate=30, options={"g": "300", "sc_threshold": "0"}
    )
    assert numbers(still_pictures(lone, 9)) == list(range(5, 90, 10))


@needs("recorded")
def test_real_films() -> None:
    films = []
    for folder in ("akbari", "keyboards"):
        with (SHARED / "recorded" / folder / "measured.csv").open() as table:
            films += [(SHARED / "recorded" / folder / row["video"], row) for row in csv.DictReader(table)]
    for path, row in films[::9]:
        ends = ("a0_far", "c8_far", "c8_near", "a0_near")
        corners = np.array([[float(row[f"{end}_{axis}"]) for axis in "xy"] for end in ends])
        frames = FilmFrames(path, corners)
        assert len(frames) == pytest.approx(25 * film_info(path).seconds, abs=1)
        first, middle, last = frames[[0, len(frames) // 2, -1]]
        assert first.shape == (100, 900)
        assert min(middle.std(), last.std()) > 20  # black keys on white ones
        assert not frames.remarks
