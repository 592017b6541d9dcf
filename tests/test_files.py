"""Files are written whole, together, by one process at a time, and nothing of a killed one stays."""

import errno
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from audeo_bench import files
from audeo_bench.errors import AudeoBenchError
from audeo_bench.files import atomic_write, atomic_writes, file_name, locked


def test_files_are_replaced_together_or_not_at_all(tmp_path):
    paths = [tmp_path / "a.txt", tmp_path / "b.txt"]
    for path in paths:
        path.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_writes(*paths) as temporaries:
        temporaries[0].write_text("new")
        raise ZeroDivisionError
    assert [path.read_text() for path in paths] == ["old", "old"]
    with atomic_writes(*paths) as temporaries:
        for temporary in temporaries:
            temporary.write_text("new")
    assert [path.read_text() for path in paths] == ["new", "new"]
    assert sorted(tmp_path.iterdir()) == paths


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path):
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from audeo_bench.files import atomic_write\n"
        "with atomic_write(Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script, tmp_path / "a.npz"])
    (left,) = tmp_path.iterdir()
    assert left.suffix == ".npz"
    with atomic_write(tmp_path / "b.txt"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["b.txt"]


def test_who_comes_second_waits_and_says_for_whom(tmp_path, capsys):
    reached = threading.Event()

    def second():
        with locked(tmp_path, seconds=-1):
            reached.set()

    waiting = threading.Thread(target=second)
    with locked(tmp_path):
        waiting.start()
        assert not reached.wait(0.3)
        words = r"process \d+ .* has been writing here for 0\.1 seconds"
        with pytest.raises(AudeoBenchError, match=words), locked(tmp_path, seconds=0.1):
            pass
    waiting.join(10)
    assert reached.is_set()
    assert "waiting for process" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["..", ".", "", "///"])
def test_a_name_that_is_no_file_name_is_refused(name):
    with pytest.raises(AudeoBenchError, match="no letter or digit"):
        file_name(name)


@pytest.mark.parametrize("call", ["mkstemp", "write"])
def test_a_full_disk_names_the_file_that_was_to_be_written(tmp_path, monkeypatch, call):
    def full(*arguments, **options):
        where = (str(tmp_path / f".audeo-bench-{files._HOST}-1-x.md"),) if call == "mkstemp" else ()
        raise OSError(errno.ENOSPC, "No space left on device", *where)

    monkeypatch.setattr(*((files.tempfile, "mkstemp") if call == "mkstemp" else (Path, "write_text")), full)
    with (
        pytest.raises(OSError, match="No space left") as fault,
        files.atomic_write(tmp_path / "a.md") as path,
    ):
        path.write_text("a")
    assert fault.value.filename == str(tmp_path / "a.md")


def test_a_full_disk_is_named_where_a_folder_is_held(tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left") as fault, locked(tmp_path):
        pass
    assert fault.value.filename == str(tmp_path / ".lock-holder")
