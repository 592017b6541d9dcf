"""Array files: what numpy wrote comes back; everything else is one line, and costs no memory."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from audeo_bench.errors import AudeoBenchError
from audeo_bench.formats.npz import map_array, read_array, read_arrays

REMEDY = "make it again"
numeric = st.sampled_from(["?", "i1", "u1", "<i4", ">i8", "<f4", ">f4", "f8", "<f2"])
anything = arrays.arrays(numeric, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=9))
quietly = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def npy(array: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def described(text: str, content: bytes = b"") -> bytes:
    """An .npy file with any description of its array."""
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + content


def written(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


@given(array=anything, compressed=st.booleans(), fortran=st.booleans())
@quietly
def test_what_numpy_wrote_reads_back_in_native_order(
    tmp_path: Path, array: np.ndarray, compressed: bool, fortran: bool
) -> None:
    array = np.asfortranarray(array) if fortran else array
    path = tmp_path / "a.npz"
    (np.savez_compressed if compressed else np.savez)(path, a=array, b=array[..., None])
    for back in (read_arrays(path, remedy=REMEDY), read_arrays(path, ["b", "a"], remedy=REMEDY)):
        assert set(back) == {"a", "b"}
        np.testing.assert_array_equal(back["a"], array)
        assert back["b"].shape == (*array.shape, 1)
        assert back["a"].dtype == array.dtype.newbyteorder("=")
        assert back["a"].dtype.isnative
    np.save(tmp_path / "a.npy", array)
    np.testing.assert_array_equal(read_array(tmp_path / "a.npy", ["roll"], remedy=REMEDY), array)
    np.testing.assert_array_equal(map_array(tmp_path / "a.npy", remedy=REMEDY), array)


def test_one_array_is_found_by_name_or_by_being_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, other=np.arange(3), midi=np.arange(4), roll=np.arange(5))
    assert len(read_array(path, ["roll", "midi"], remedy=REMEDY)) == 5
    assert len(read_array(path, ["sounding", "midi"], remedy=REMEDY)) == 4
    with pytest.raises(AudeoBenchError, match=r"holds other, midi, roll; name the array pressed"):
        read_array(path, ["pressed"], remedy=REMEDY)
    with pytest.raises(
        AudeoBenchError, match=r"a\.npz: .*holds other, midi, roll, not labels\); make it again"
    ):
        read_arrays(path, ["labels", "midi"], remedy=REMEDY)
    np.savez(path, unheard_of=np.arange(6))
    assert len(read_array(path, ["roll"], remedy=REMEDY)) == 6


def encrypted(content: bytes) -> bytes:
    """The same archive, every member marked as encrypted."""
    altered = bytearray(content)
    for sign, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.find(sign)
        altered[place + offset] |= 1
    return bytes(altered)


def method(content: bytes, number: int) -> bytes:
    """The same archive, its first member said to be compressed otherwise."""
    altered = bytearray(content)
    for sign, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        altered[content.find(sign) + offset] = number
    return bytes(altered)


DEEP = "{'descr': '<f4', 'fortran_order': False, 'shape': " + "(" * 300 + ")" * 300 + ", }\n"
HUGE = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000), }\n"
ATTACKS = {
    "10^12 elements": (described(HUGE, b"1234"), "not the 4,000,000,000,000 of float32"),
    "deep header": (described(DEEP), "damaged header"),
    "long header": (described(HUGE + " " * 2000), "header of 2,0"),
    "negative shape": (described(HUGE.replace("(1000000, ", "(-1, ")), "damaged header"),
    "shape of 10^400": (described(HUGE.replace("1000000", "1" + "0" * 400)), "damaged header"),
    "a program for a shape": (described(HUGE.replace("(1000000, 1000000)", "exit()")), "damaged header"),
    "type i3": (described(HUGE.replace("<f4", "<i3")), "not of numbers"),
    "objects": (npy(np.array([None, 1], object)), "type '|O', not of numbers"),
    "texts": (npy(np.array(["a"])), "not of numbers"),
    "records": (npy(np.zeros(2, [("a", "f8")])), "not of numbers"),
    "pickle": (b"\x80\x04N.", "is no array"),
    "cut off": (npy(np.arange(9.0))[:-1], "71 bytes, not the 72"),
    "too long": (npy(np.arange(9.0)) + b"1", "73 bytes, not the 72"),
    "empty": (b"", "is no array"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_arrays_are_named_in_one_line(tmp_path: Path, attack: str) -> None:
    content, words = ATTACKS[attack]
    path = written(tmp_path / "a.npz", roll=content)
    for read in (
        lambda: read_arrays(path, ["roll"], remedy=REMEDY),
        lambda: read_array(path, ["roll"], remedy=REMEDY),
    ):
        with pytest.raises(AudeoBenchError) as refused:
            read()
        line = str(refused.value)
        assert line.startswith(f"{path}: not a whole array file (")
        assert words in line
        assert line.endswith(f"); {REMEDY}.")
        assert "\n" not in line
        assert "unsafe" not in line
        assert "pickle" not in line
        assert len(line) < 700
    (tmp_path / "a.npy").write_bytes(content)
    for map_or_read in (map_array, lambda path, remedy: read_array(path, [], remedy=remedy)):
        with pytest.raises(AudeoBenchError):
            map_or_read(tmp_path / "a.npy", remedy=REMEDY)


def hostile_archives() -> dict[str, bytes]:
    whole = io.BytesIO()
    np.savez_compressed(whole, roll=np.zeros((88, 100), np.float32))
    content = whole.getvalue()
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        archive.writestr("roll", b"123")
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("roll.npy", npy(np.zeros(3)))
        archive.writestr("roll.npy", npy(np.ones(3)))
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 8
    return {
        "encrypted": encrypted(content),
        "method 99": method(content, 99),
        "bzip2": method(content, 12),
        "raw member": raw.getvalue(),
        "twice": twice.getvalue(),
        "flipped bit": bytes(flipped),
        "truncated": content[:-30],
        "empty": b"",
        "text": b"version https://git-lfs",
    }


@pytest.mark.parametrize("attack", hostile_archives())
def test_hostile_archives_are_named_in_one_line(tmp_path: Path, attack: str) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(hostile_archives()[attack])
    with pytest.raises(AudeoBenchError, match=r"a\.npz: not a whole array file \(.+\); make it again\.$"):
        read_arrays(path, ["roll"], remedy=REMEDY)


def test_pipes_and_folders_are_no_arrays(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.npz")
    for read in (read_arrays, map_array):
        with pytest.raises(AudeoBenchError, match=r"a\.npz: is a pipe"):
            read(tmp_path / "a.npz", remedy=REMEDY)
        with pytest.raises(AudeoBenchError, match="is a folder"):
            read(tmp_path, remedy=REMEDY)


def test_bytes_above_1_become_bools(tmp_path: Path) -> None:
    path = written(tmp_path / "a.npz", roll=npy(np.zeros(3, bool))[:-3] + b"\x00\x02\xff")
    roll = read_array(path, ["roll"], remedy=REMEDY)
    assert roll.view(np.uint8).tolist() == [0, 1, 1]


def seed_file() -> bytes:
    content = io.BytesIO()
    np.savez_compressed(content, roll=np.eye(9, dtype=np.float32), answered=np.ones(9, bool))
    return content.getvalue()


@given(data=st.data(), whole=st.sampled_from([seed_file(), npy(np.eye(9))]))
@settings(quietly, max_examples=300)
def test_a_mutated_file_is_a_value_or_one_line(tmp_path: Path, data: st.DataObject, whole: bytes) -> None:
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "a.npz"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    for read in (lambda: read_arrays(path, remedy=REMEDY), lambda: read_array(path, ["roll"], remedy=REMEDY)):
        try:
            read()
        except AudeoBenchError as fault:
            assert str(fault).startswith(f"{path}: ")


@given(content=st.binary(max_size=300))
@quietly
def test_random_bytes_behind_the_signs_are_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.npy"
    for start in (b"", b"\x93NUMPY\x01\x00", b"PK\x03\x04", b"PK\x05\x06" + bytes(18)):
        path.write_bytes(start + content)
        try:
            map_array(path, remedy=REMEDY)
        except AudeoBenchError as fault:
            assert str(fault).startswith(f"{path}: ")


def bomb(path: Path) -> None:
    """4 GB of zeros in 4 MB."""
    header = "{'descr': '|u1', 'fortran_order': False, 'shape': (4294967296,), }\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("roll.npy", "w") as member:
        member.write(described(header, bytes(2**22)))  # the rest is only said to be there
    content = path.read_bytes()
    size, said = (128 + 2**22).to_bytes(4, "little"), (0xFFFFFFF0).to_bytes(4, "little")
    path.write_bytes(content.replace(size, said))


def crowd(path: Path) -> None:
    """A table of contents of 400,000 members, each of which zipfile would make an object of."""
    entry = b"PK\x01\x02" + bytes(24) + (1).to_bytes(2, "little") + bytes(16) + b"x"
    table = entry * 400_000
    end = b"PK\x05\x06" + bytes(8) + len(table).to_bytes(4, "little") + bytes(6)
    path.write_bytes(table + end)


@pytest.mark.parametrize("make", [bomb, crowd])
def test_a_bomb_is_refused_within_little_memory(tmp_path: Path, make: object) -> None:
    path = tmp_path / "a.npz"
    make(path)  # type: ignore[operator]
    program = (
        "import resource, sys\nfrom pathlib import Path\n"
        "from audeo_bench.formats.npz import read_arrays\nfrom audeo_bench.errors import AudeoBenchError\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: read_arrays(Path(sys.argv[1]), remedy='x')\n"
        "except AudeoBenchError as fault: print(fault)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    line, grown = done.stdout.splitlines()
    assert "not a whole array file" in line
    assert int(grown) < 50_000, "kilobytes"
