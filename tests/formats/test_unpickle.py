"""Pickled labels: what numpy pickled comes back; programs are refused, run nothing and take no memory."""

from __future__ import annotations

import os
import pickle
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from audeo_bench.errors import AudeoBenchError
from audeo_bench.formats import unpickle
from audeo_bench.formats.unpickle import read_vectors

quietly = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
protocols = st.integers(0, pickle.HIGHEST_PROTOCOL)
numeric = st.sampled_from(["?", "i1", "u1", "<i4", ">i8", "<f4", ">f4", "f8", "<f2"])
vectors = arrays.arrays(
    numeric, 88, elements={"allow_nan": False, "allow_infinity": False}, fill=st.nothing()
)


@given(vector=vectors, protocol=protocols, frame=st.integers(0, 10**6))
@quietly
def test_labels_read_back_whatever_the_type_and_protocol(
    tmp_path: Path, vector: np.ndarray, protocol: int, frame: int
) -> None:
    path = tmp_path / "labels.pkl"
    as_list = [value.item() for value in vector]
    content = {frame: vector, frame + 1: np.stack([vector, vector], 1)[:, 0], frame + 2: as_list}
    content[frame + 3] = list(vector)  # of numpy's scalars
    content[frame + 4] = np.asfortranarray(vector.reshape(8, 11))
    path.write_bytes(pickle.dumps(content, protocol))
    back = read_vectors(path, 88)
    assert list(back) == list(content)
    for row in back.values():
        np.testing.assert_array_equal(row, vector.astype(float))


class Attack:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch '{self.mark}'",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_program_is_refused_by_name_and_never_runs(tmp_path: Path, protocol: int) -> None:
    path, mark = tmp_path / "labels.pkl", tmp_path / "attacked"
    path.write_bytes(pickle.dumps({253: np.zeros(88), 254: Attack(mark)}, protocol))
    with pytest.raises(AudeoBenchError, match=r"labels\.pkl: refused, it asks for (posix|nt)\.system"):
        read_vectors(path, 88)
    assert not mark.exists()
    pickle.loads(path.read_bytes())  # the attack is a real one
    assert mark.exists()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({1: np.array([None] * 88, object)}, "type 'O8'"),
        ({1: np.zeros(88, "U3")}, "type 'U3'"),
        ({1: np.zeros(88, [("a", "f8")])}, "type 'V8'"),
        ({1: np.zeros(88, complex)}, "type 'c16'"),
        ({1: np.zeros(87)}, "not 88 finite numbers"),
        ({1: np.full(88, np.nan)}, "not 88 finite numbers"),
        ({1: [1.0] * 87}, "not 88 finite numbers"),
        ({1: None}, "holds NoneType, not 88"),
        ({1: np.zeros((88, 1000))}, "array of 704,000 bytes"),
        ({"one": np.zeros(88)}, "key 'one'"),
        ({-1: np.zeros(88)}, "key int"),
        ({10**30: np.zeros(88)}, "key int"),
        ({10**4000: np.zeros(88)}, "key int"),
        ({True: np.zeros(88)}, "key bool"),
        ([np.zeros(88)], "no dict of vectors but list"),
        ({}, "no dict of vectors"),
        ({1: slice(3)}, r"built.*\.slice"),
        ({1: np.random.default_rng(0)}, "numpy"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_what_labels_never_hold_is_refused(tmp_path: Path, content: object, why: str, protocol: int) -> None:
    path = tmp_path / "labels.pkl"
    path.write_bytes(pickle.dumps(content, protocol))
    with pytest.raises(AudeoBenchError, match=rf"labels\.pkl: refused.*{why}"):
        read_vectors(path, 88)


PROGRAMS = {
    "memo index of 2^31": b"\x80\x04}r\xff\xff\xff\x7f.",
    "2 GB of bytes announced": b"\x80\x04B\xff\xff\xff\x7f.",
    "2^62 bytes announced": b"\x80\x04\x8e" + (2**62).to_bytes(8, "little") + b".",
    "a frame of 2^62": b"\x80\x04\x95" + (2**62).to_bytes(8, "little") + b"}.",
    "a key nested 10^5 deep": b"\x80\x04}N" + b"\x85" * 10**5 + b"Ns.",
    "a value nested 10^5 deep": b"\x80\x04}K\x01N" + b"\x85" * 10**5 + b"s.",
    "marks only": b"(" * 10**5 + b".",
    "a long key": b"\x80\x02}\x8b" + (10**6).to_bytes(4, "little") + b"\x01" * 10**6 + b"Ns.",
    "many digits": b"I" + b"9" * 10**6 + b"\n.",
    "a dtype alone": b"cnumpy\ndtype\n(S'f8'\nI00\nI01\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb.",
    "an attribute of numpy.ndarray": b"cnumpy\nndarray\n}S'__call__'\nI1\nsb.",
    "an array of objects": b"cnumpy.core.multiarray\n_reconstruct\n(tR(I1\n(I-1\nt"
    b"cnumpy\ndtype\n(S'f8'\ntRI00\nS''\ntb.",
    "an array made directly": b"cnumpy\nndarray\n((I1000000000000\ntS'b'\ntR.",
    "another encoding": b"c_codecs\nencode\n(S'import os'\nS'rot13'\ntR.",
    "defaults of a function": b"cnumpy.core.numeric\n_frombuffer\n(N}S'__defaults__'\n(I1\ntstb.",
    "an extension code": b"\x80\x02\x82\x01.",
    "a persistent id": b"Phome\n.",
    "an instance": b"(ios\nsystem\n.",
    "an itself": b"\x80\x04]\x94h\x00a.",
    "a mark below": b"}(K\x010N00u.",
    "nothing on the stack": b".",
    "append to a number": b"K\x01K\x01a.",
    "empty": b"",
    "text": b"not a pickle",
    "no end": b"\x80\x04}",
}


@pytest.mark.parametrize("attack", PROGRAMS)
def test_programs_are_one_line_and_take_no_memory(tmp_path: Path, attack: str) -> None:
    path = tmp_path / "labels.pkl"
    path.write_bytes(PROGRAMS[attack])
    if len(PROGRAMS[attack]) < 1000:  # tracing is slow
        tracemalloc.start()
    with pytest.raises(AudeoBenchError, match=r"labels\.pkl: ") as refused:
        read_vectors(path, 88)
    assert tracemalloc.get_traced_memory()[1] < 10e6
    tracemalloc.stop()
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400


def test_the_same_bytes_many_times_stay_small(tmp_path: Path) -> None:
    """Protocol 2 spells bytes as text; each array of one memorised text is a copy."""
    text = b"X" + (4096).to_bytes(4, "little") + b"a" * 4096 + b"q\x00"
    encode = b"c_codecs\nencode\nq\x01X\x06\x00\x00\x00latin1q\x02"
    program = b"\x80\x02" + text + encode + b"h\x01h\x00h\x02\x86R" * 20_000 + b"."
    (tmp_path / "labels.pkl").write_bytes(program)
    tracemalloc.start()
    with pytest.raises(AudeoBenchError):
        read_vectors(tmp_path / "labels.pkl", 88)
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def test_instructions_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpickle, "OPERATIONS", 1_000)
    (tmp_path / "labels.pkl").write_bytes(b"N" * 2_000 + b".")
    with pytest.raises(AudeoBenchError, match="more than 1,000 instructions"):
        read_vectors(tmp_path / "labels.pkl", 88)


whole = {253 + frame: np.arange(88.0) for frame in range(3)}


@given(data=st.data(), protocol=protocols)
@settings(quietly, max_examples=400)
def test_a_mutated_pickle_is_vectors_or_one_line(tmp_path: Path, data: st.DataObject, protocol: int) -> None:
    content = bytearray(pickle.dumps(whole, protocol))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "labels.pkl"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        back = read_vectors(path, 88)
    except AudeoBenchError as fault:
        assert str(fault).startswith(f"{path}: ")
    else:
        assert all(row.shape == (88,) and np.isfinite(row).all() for row in back.values())
