"""What is installed is what the repository holds, under one name at the top, and it works from any folder."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from audeo_bench.places import checkout

ROOT = checkout()
pytestmark = pytest.mark.skipif(ROOT is None, reason="packaging is tested from a checkout")

# A stranger's folder with packages and modules of the same names as our folders.
STRANGER = """
from models.mine import ANSWER
import baselines
assert ANSWER == 42
from audeo_bench.contestants.loading import find
from audeo_bench.contestants.module import load_class
assert load_class(find("keywise")).__name__ == "Keywise"
from audeo_bench.paper.reported import reported
assert len(reported().table1.rows) == 5
print(find("keywise").path)
"""


def repository_files() -> set[str]:
    """Names in the wheel that the repository's tracked and new files should have."""
    assert ROOT is not None
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    expected = set()
    for name in filter(None, listed.stdout.split("\0")):
        path = Path(name)
        if not (ROOT / path).is_file():
            continue  # deleted, and not committed yet
        top, suffix = path.parts[0], path.suffix
        if top == "audeo_bench":
            expected.add(name)
        elif top in ("models", "baselines"):
            if (suffix in (".py", ".toml") and len(path.parts) == 2) or (
                suffix == ".safetensors" and not re.match(r"wide|akbari|.*-seed\d", path.parent.name)
            ):
                expected.add(f"audeo_bench/_shipped/{name}")
        elif top == "leaderboards" and suffix == ".json":
            expected.add(f"audeo_bench/_shipped/{name}")
    return expected


def stranger(folder: Path) -> Path:
    """A folder that has its own ``models`` package and ``baselines`` module."""
    (folder / "models").mkdir(parents=True)
    (folder / "models" / "__init__.py").touch()
    (folder / "models" / "mine.py").write_text("ANSWER = 42\n")
    (folder / "baselines.py").touch()
    (folder / "go.py").write_text(STRANGER)
    return folder


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy of the repository's files, so that nothing left over from an older build gets in."""
    assert ROOT is not None
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file() and Path(name).parts[0] not in ("docs", "tests"):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", target, source],
        check=True,
        capture_output=True,
    )
    return next(target.glob("*.whl"))


@pytest.mark.slow
def test_the_wheel_holds_the_repositorys_files_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        metadata = next(name for name in archive.namelist() if name.endswith("top_level.txt"))
        assert archive.read(metadata).decode().split() == ["audeo_bench"]
    assert {name.partition("/")[0] for name in names} == {"audeo_bench"}
    assert names == repository_files()
    assert wheel.stat().st_size < 15e6


@pytest.mark.slow
def test_the_wheel_works_from_a_strangers_folder(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    folder = stranger(tmp_path / "stranger")
    # The folder of the script comes first, then the unpacked wheel, before the checkout's own package.
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site"), "PYTHONSAFEPATH": ""}
    done = subprocess.run(
        [sys.executable, "go.py"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("site/audeo_bench/_shipped/models/keywise.py")


def test_the_checkout_works_from_a_strangers_folder(tmp_path):
    folder = stranger(tmp_path)
    done = subprocess.run([sys.executable, "go.py"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("/models/keywise.py")


def test_nothing_but_the_package_is_importable(tmp_path):
    """Neither installation puts ``models`` or ``baselines`` on the path."""
    code = """
from importlib.util import find_spec
print([name for name in ("models", "baselines", "leaderboards", "studies") if find_spec(name)])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
