"""Pipes, devices and folders are told apart from files before anything is opened."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from audeo_bench.errors import AudeoBenchError
from audeo_bench.formats.regular import regular_file


def test_a_file_and_a_link_to_it_are_given_back(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"123")
    (tmp_path / "b").symlink_to("a")
    assert regular_file(tmp_path / "b", "give another", limit=3) == tmp_path / "b"


def test_what_is_no_file_is_refused_in_one_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "long").write_bytes(b"1234")
    places = {
        tmp_path: "is a folder",
        tmp_path / "pipe": "is a pipe",
        Path("/dev/zero"): "device",
        tmp_path / "missing": "missing",
        tmp_path / "loop": "cannot be read",
        tmp_path / "long" / "below": "cannot be read",
        tmp_path / "long": "4 bytes, more than 3",
        tmp_path / ("x" * 300): "cannot be read",
        tmp_path / "zero\0byte": "cannot be read",
    }
    for place, words in places.items():
        with pytest.raises(AudeoBenchError, match=words) as refused:
            regular_file(place, "give another", limit=3)
        assert str(refused.value).startswith(f"{place}: ")
        assert str(refused.value).endswith("; give another.")
