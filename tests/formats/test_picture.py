"""Pictures: what was drawn comes back; bombs, programs and damage are one line."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from audeo_bench.errors import AudeoBenchError
from audeo_bench.formats.picture import read_picture

quietly = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def encoded(kind: str, **options: object) -> bytes:
    gradient = np.linspace(0, 255, 24 * 40 * 3).reshape(24, 40, 3).astype(np.uint8)
    content = io.BytesIO()
    Image.fromarray(gradient).save(content, kind, **options)
    return content.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "WEBP"])
def test_a_picture_comes_back_in_grey_and_colour(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "misnamed.jpg"
    path.write_bytes(encoded(kind, lossless=True) if kind == "WEBP" else encoded(kind))
    colour = read_picture(path, color=True, remedy="copy it again")
    gradient = np.linspace(0, 255, 24 * 40 * 3).reshape(24, 40, 3).astype(np.uint8)
    np.testing.assert_array_equal(colour, gradient)
    grey = read_picture(path, remedy="copy it again")
    assert np.abs(grey - gradient @ [0.299, 0.587, 0.114]).max() <= 1
    assert grey.dtype == np.uint8


def test_a_phones_picture_is_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded("JPEG", exif=exif))
    assert read_picture(path, remedy="copy it again").shape == (40, 24)


def png_of(width: int, height: int) -> bytes:
    """A PNG that says it has so many pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(10**6)))
        + chunk(b"IEND", b"")
    )


ATTACKS = {
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/tmp/x) (w) file\n", "neither JPEG"),
    "gif": (encoded("GIF"), "neither JPEG"),
    "text": (b"no picture", "neither JPEG"),
    "empty": (b"", "neither JPEG"),
    "bomb": (png_of(10_000, 8_000), "10,000 x 8,000 pixels, too many"),
    "greater bomb": (png_of(100_000, 80_000), "not a readable picture"),
    "cut off": (encoded("JPEG")[:-200], "not a readable picture"),
    "cut off PNG": (encoded("PNG")[:-40], "not a readable picture"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_pictures_are_one_line_and_take_no_memory(tmp_path: Path, attack: str) -> None:
    content, words = ATTACKS[attack]
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(AudeoBenchError, match=words) as refused:
        read_picture(path, remedy="copy it again")
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()
    assert str(refused.value).startswith(f"{path}: ")
    assert str(refused.value).endswith("; copy it again.")


def test_sixteen_bits_are_not_clipped_to_white(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(np.full((4, 4), 3000, np.uint16)).save(path)
    with pytest.raises(AudeoBenchError, match="8 bits a sample"):
        read_picture(path, remedy="copy it again")


@given(data=st.data(), kind=st.sampled_from(["JPEG", "PNG", "WEBP", "BMP"]))
@quietly
def test_a_mutated_picture_is_a_value_or_one_line(tmp_path: Path, data: st.DataObject, kind: str) -> None:
    content = bytearray(encoded(kind))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "a.jpg"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        picture = read_picture(path, remedy="copy it again")
    except AudeoBenchError as fault:
        assert str(fault).startswith(f"{path}: ")
    else:
        assert picture.dtype == np.uint8
        assert picture.ndim == 2
