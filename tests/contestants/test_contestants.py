"""Contestants are found by name or path, loaded by path, and every way to get it wrong is one clear line."""

import ast
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
from tiny_corpus import LENGTHENER, READER, write_contestant

from audeo_bench.api import AudeoBenchError, Synthesizer, VideoToRoll
from audeo_bench.contestants.loading import Contestant, find, system, systems
from audeo_bench.contestants.module import kind_of, load_class, takes_weights
from audeo_bench.contestants.process import lent
from audeo_bench.contestants.roster import roster
from audeo_bench.files import sha256_of
from audeo_bench.places import shipped


def contestant(folder, text, name="mine") -> Contestant:
    return find(str(write_contestant(folder, name, text)))


def test_built_in_contestants_stand_in_baselines_and_models():
    assert {"resnet", "video2roll", "roll2midi", "keywise"} <= set(roster().contestants)
    assert find("video2roll").path.parent.name == "models"


def test_the_roster_says_what_the_classes_say():
    for name, listed in roster().contestants.items():
        cls = load_class(find(name))
        assert (cls.name, kind_of(cls), takes_weights(cls)) == (name, listed.kind, listed.takes_weights)
    there = {path.stem for folder in ("models", "baselines") for path in shipped(folder).glob("*.py")}
    assert there == set(roster().contestants)


@pytest.mark.parametrize("name", roster().contestants)
def test_shipped_contestants_import_what_a_stranger_may(name):
    tree = ast.parse(roster().contestants[name].path.read_text())
    found = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    found += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    rooms = {".".join(module.split(".")[:2]) for module in found if module.startswith("audeo_bench")}
    assert rooms <= {f"audeo_bench.{room}" for room in ("api", "nn", "keyboard", "synth", "training")}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("video2rol", "unknown contestant 'video2rol': did you mean 'video2roll'?"),
        ("zzz", "unknown contestant 'zzz': built in are "),
        ("./zzz.py", "./zzz.py: no such contestant file"),
        ("folder/zzz", "folder/zzz: no such contestant file"),
    ],
)
def test_unknown_contestant(name, message):
    with pytest.raises(AudeoBenchError, match=f"^{message.replace('?', '[?]')}"):
        find(name)


def test_a_bare_name_is_never_a_file_of_the_current_folder(tmp_path, monkeypatch):
    write_contestant(tmp_path, "mine", READER)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AudeoBenchError, match=r"for the file in this folder write \./mine\.py"):
        find("mine")
    assert find("./mine.py").path == tmp_path / "mine.py"


def test_a_file_may_use_its_neighbours_and_postponed_dataclasses(tmp_path):
    text = """
from __future__ import annotations
from dataclasses import dataclass, fields
import numpy as np
from audeo_bench.api import VideoToRoll
from models.net import DEPTH
import utils

@dataclass
class Options:
    width: int = utils.WIDTH
    depth: int = DEPTH

class Mine(VideoToRoll):
    def roll(self, frames):
        import late
        return np.full((88, len(frames)), late.ANSWER, np.float32)

    def describe(self):
        return {"width": Options().width, "depth": Options().depth}
"""
    for folder, width in (("one", 16), ("two", 32), ("three", 48), ("four", 64)):
        write_contestant(tmp_path / folder, "utils", f"WIDTH = {width}")
        write_contestant(tmp_path / folder, "late", f"ANSWER = {width} / 64")
        if folder in ("two", "four"):  # the others' `models` are packages without a file
            write_contestant(tmp_path / folder / "models", "__init__", "")
        write_contestant(tmp_path / folder / "models", "net", f"DEPTH = {width + 1}")
        with lent(contestant(tmp_path / folder, text)) as worker:
            assert worker.declared.facts == {"width": width, "depth": width + 1}
            answer = worker.roll(np.zeros((3, 100, 900), np.uint8), "wtc2-01")
            np.testing.assert_array_equal(answer.roll, np.full((88, 3), width / 64))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "import a_package_nobody_has",
            "needs the package 'a_package_nobody_has', which is not installed here",
        ),
        ("x = 1\nx = 1 / 0", r"failed to import: ZeroDivisionError: division by zero \(line 2\)"),
        ("def f(:", r"failed to import: SyntaxError: .* \(line 1\)"),
        ("x = 1", "defines no contestant; write a class that derives from"),
        ("from audeo_bench.api import VideoToRoll", "defines no contestant"),
        (
            "from audeo_bench.api import *\nclass A(VideoToRoll): pass",
            "class A does not define the method roll",
        ),
        (f"{READER}\nclass B(Reader): pass", r"defines several contestants \(B, Reader\)"),
        (
            f"{READER}\nCONTESTANT = 'Other'",
            "CONTESTANT names 'Other', which is no contestant class of this file",
        ),
    ],
)
def test_a_file_that_does_not_load(tmp_path, text, message):
    with pytest.raises(AudeoBenchError, match=rf"mine\.py: {message}"):
        load_class(contestant(tmp_path, text))


def test_a_failed_import_leaves_no_half_module_behind(tmp_path):
    reference = contestant(tmp_path, "x = 1 / 0")
    with pytest.raises(AudeoBenchError):
        load_class(reference)
    assert str(reference.path) not in [getattr(module, "__file__", None) for module in sys.modules.values()]


def test_a_constant_chooses_among_several_classes(tmp_path):
    text = f"{READER}\nclass B(Reader): pass\nCONTESTANT = 'B'"
    assert load_class(contestant(tmp_path, text)).__name__ == "B"


def test_a_constructor_that_fails_is_named(tmp_path):
    text = READER.replace('name = "reader"', "def __init__(self, width): ...")
    with pytest.raises(AudeoBenchError, match=r"mine\.py: Reader\(\) failed: TypeError: .*width"):
        contestant(tmp_path, text).load()


def test_a_worker_refuses_a_file_that_changed(tmp_path):
    reference = contestant(tmp_path, READER)
    reference.path.write_text(READER + "\n")
    with pytest.raises(AudeoBenchError, match="changed while it was in use"):
        reference.load()


def test_a_reference_travels_to_another_process(tmp_path):
    """What crosses is a path and a hash, never a class."""
    reference = contestant(tmp_path, READER)
    code = (
        "import pickle, sys; reference = pickle.load(sys.stdin.buffer); "
        "print(type(reference.load()).__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(reference), capture_output=True, check=True
    )
    assert done.stdout.strip() == b"Reader"


def test_chains(tmp_path):
    reader = write_contestant(tmp_path, "reader", READER)
    lengthener = write_contestant(tmp_path, "lengthener", LENGTHENER)
    chain = system(f"{reader}+{lengthener}+fluidsynth")
    assert chain.name == "reader+lengthener+fluidsynth"
    assert chain.kinds == ("video to roll", "roll to midi", "synthesizer")
    assert [part.name for part in chain.roll_stages] == ["reader", "lengthener"]
    assert [shorter.name for shorter in chain.prefixes()] == ["reader"]
    for wrong in (f"{lengthener}", f"{reader}+{reader}", f"{reader}+fluidsynth+{lengthener}", "fluidsynth"):
        with pytest.raises(AudeoBenchError, match="cannot stand at place"):
            system(wrong)


WEIGHTED = (
    READER
    + """
    def load(self, weights):
        self.gain = np.float32(weights.read_text())
"""
)


class TestWeights:
    """Beside the file, or where --weights says."""

    def test_missing(self, tmp_path):
        path = write_contestant(tmp_path, "mine", WEIGHTED)
        with pytest.raises(AudeoBenchError, match=r"needs trained weights.*audeo-bench train .*mine\.py"):
            system(str(path)).stages[0].load()

    def test_beside_the_file(self, tmp_path):
        path = write_contestant(tmp_path, "mine", WEIGHTED)
        weights = tmp_path / "weights" / "mine.safetensors"
        weights.parent.mkdir()
        weights.write_text("0.5")
        found = system(str(path)).stages[0]
        assert (found.weights, found.weights_sha256) == (weights, sha256_of(weights))
        assert found.load().gain == 0.5

    def test_named(self, tmp_path):
        path = write_contestant(tmp_path, "mine", WEIGHTED)
        other = write_contestant(
            tmp_path, "other", WEIGHTED.replace("VideoToRoll", "RollToMidi").replace("roll(", "midi(")
        )
        a, b = tmp_path / "a", tmp_path / "b"
        a.write_text("1")
        b.write_text("2")
        assert system(str(path), [str(a)]).stages[0].load().gain == 1
        chain = system(f"{path}+{other}", [f"other={b}", f"mine={a}"])
        assert [stage.load().gain for stage in chain.stages] == [1, 2]
        alone, both = systems([str(path), f"{path}+{other}"], [f"other={b}", f"mine={a}"])
        assert (alone.stages[0].weights, both.stages[1].weights) == (a, b)
        with pytest.raises(
            AudeoBenchError, match=r"none of the contestants here is 'mien'; did you mean 'mine'"
        ):
            system(str(path), [f"mien={a}"])
        with pytest.raises(AudeoBenchError, match="say which contestant they are for"):
            system(f"{path}+{other}", [str(a)])
        with pytest.raises(AudeoBenchError, match="there is no file"):
            system(str(path), [str(tmp_path / "none")])

    def test_a_second_stage_prefers_weights_made_for_its_first(self, tmp_path):
        first = write_contestant(tmp_path, "reader", READER)
        second = write_contestant(
            tmp_path, "b", WEIGHTED.replace("VideoToRoll", "RollToMidi").replace("roll(", "midi(")
        )
        (tmp_path / "weights").mkdir()
        (tmp_path / "weights" / "b.safetensors").write_text("1")
        assert system(f"{first}+{second}").stages[1].load().gain == 1
        (tmp_path / "weights" / "reader+b.safetensors").write_text("2")
        assert system(f"{first}+{second}").stages[1].load().gain == 2


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("my_model", "my_model"),
        ("video2roll", "video2roll-"),
        ("..", "contestant-"),
        (".", "contestant-"),
        ("my model+2", "my-model-2-"),
        ("钢琴", "contestant-"),
        ("моя", "contestant-"),
    ],
)
def test_a_name_is_safe_as_a_folder_and_nobody_elses(tmp_path, stem, name):
    found = contestant(tmp_path, READER, stem).name
    assert re.fullmatch(f"{name}([0-9a-f]{{6}})?" if name.endswith("-") else name, found)


def test_names_stay_apart(tmp_path):
    names = {contestant(tmp_path, READER, stem).name for stem in ("钢琴", "古琴", "моя", "наша", "..", ".")}
    assert len(names) == 6
    paths = [write_contestant(tmp_path / folder, "mine", READER) for folder in ("one", "two")]
    one, two = systems(map(str, paths))
    assert one.name == "mine"
    assert re.fullmatch("mine-[0-9a-f]{6}", two.name)


def test_the_api_names_its_kinds():
    assert kind_of(VideoToRoll) == "video to roll"
    assert kind_of(Synthesizer) == "synthesizer"


def test_a_training_is_named_behind_the_contestant(tmp_path):
    assert system("keywise@both").stages[0].weights == shipped("models") / "weights/both/keywise.safetensors"
    with pytest.raises(AudeoBenchError, match="audeo-bench train keywise --as nothing"):
        system("keywise@nothing").stages[0].load()


def test_an_at_sign_in_a_file_name_names_no_training(tmp_path):
    path = write_contestant(tmp_path, "mine@home", WEIGHTED)
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "mine@home.safetensors").touch()
    assert system(str(path)).stages[0].weights == tmp_path / "weights" / "mine@home.safetensors"
