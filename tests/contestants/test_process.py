"""Whatever a contestant does, its process ends in one line and the next contestant answers as if alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from tiny_corpus import READER, TinyCorpus, write_contestant

from audeo_bench.api import AudeoBenchError, Recording
from audeo_bench.contestants import birth
from audeo_bench.contestants.loading import find
from audeo_bench.contestants.process import Worker, lent

HEADER = """
import numpy as np
from audeo_bench.api import KEYS, VideoToRoll

class Mine(VideoToRoll):
"""
ANSWER = "    def roll(self, frames): return np.zeros((KEYS, len(frames)), np.float32)\n"


def worker_of(folder, text: str, name: str = "mine", seed: int = 0) -> Worker:
    return Worker(find(str(write_contestant(folder, name, text))), seed)


@pytest.fixture(scope="module")
def recording() -> Recording:
    return TinyCorpus().recording("wtc2-01")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (f"import sys\nsys.exit(0)\n{HEADER}{ANSWER}", "SystemExit: 0"),
        (f"import os\nos._exit(3)\n{HEADER}{ANSWER}", "ended its process with exit code 3"),
        (f"class Odd(KeyboardInterrupt): pass\nraise Odd('x')\n{HEADER}{ANSWER}", "Odd: x"),
        (
            f"import no_such_package_anywhere\n{HEADER}{ANSWER}",
            "needs the package 'no_such_package_anywhere'",
        ),
        (f"{HEADER}    reads = ('no.json',)\n{ANSWER}", r"Mine\.reads names \S+no\.json, but there is"),
        (f"{HEADER}    reads = 'no.json'\n{ANSWER}", r"Mine\.reads is 'no\.json'; make it a tuple"),
    ],
)
def test_a_file_that_ends_its_process_at_import(tmp_path, text, cause):
    with pytest.raises(AudeoBenchError, match=f"mine\\.py.*{cause}"):
        worker_of(tmp_path, text)


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (f"    def __init__(self): raise SystemExit(0)\n{ANSWER}", "SystemExit: 0"),
        (f"    def describe(self): return None\n{ANSWER}", r"describe\(\) must return a dict"),
        (f"    def describe(self): return {{'net': object()}}\n{ANSWER}", "but it holds object"),
        (f"    def describe(self): raise RuntimeError('no')\n{ANSWER}", "RuntimeError: no"),
        (f"    def describe(self): return {{'parameters': True}}\n{ANSWER}", "parameters is True"),
        (f"    def describe(self): return {{'parameters': -5}}\n{ANSWER}", "parameters is -5"),
        (f"    def describe(self): return {{'parameters': 10**400}}\n{ANSWER}", r"describe\(\): .* digits"),
        (
            f"    def describe(self):\n        x = []\n        for _ in range(900): x = [x]\n"
            f"        return {{'x': x}}\n{ANSWER}",
            "nested too deeply",
        ),
        (f"    def describe(self): return {{'a': '\\ud800'}}\n{ANSWER}", "half of a character"),
        (f"    trained_on = 5\n{ANSWER}", "trained_on is 5; make it a tuple"),
        (f"    trained_on = (1, 2)\n{ANSWER}", r"trained_on is \(1, 2\); make it a tuple"),
    ],
)
def test_what_a_contestant_declares_wrongly(tmp_path, body, cause):
    worker = worker_of(tmp_path, HEADER + body)
    with pytest.raises(AudeoBenchError, match=cause):
        worker.load()
    worker.close()


def test_numbers_of_numpy_are_numbers(tmp_path):
    text = HEADER + "    def describe(self): return {'size': np.int64(3), 'shape': np.ones(2)}\n" + ANSWER
    with lent(find(str(write_contestant(tmp_path, "mine", text)))) as worker:
        assert worker.declared.facts == {"size": 3, "shape": [1.0, 1.0]}


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("import sys; sys.exit(0)", "SystemExit: 0"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "its process was ended by SIGSEGV"),
        (
            "import os; os.closerange(3, 100); return np.zeros((KEYS, len(frames)))",
            "exit code|broke the line",
        ),
        ("import os; os.write(4, b'x' * 100); os._exit(9)", "exit code 9"),
        ("raise KeyboardInterrupt", r"recording wtc2-01: KeyboardInterrupt\."),
        ("raise OSError('full')", "OSError: full"),
        (
            "class Mute(Exception):\n            def __str__(self): raise TypeError\n        raise Mute",
            r"mine\.py, line 9: .* Mute: its __str__ raised TypeError\.",
        ),
        (r"raise ValueError('\x1b[31m\n<b>' + 'y' * 10**6)", r"ValueError: \\x1b\[31m\\n<b>y{900,1000}…\."),
        ("import sys; sys.setrecursionlimit(10**9); f = lambda: f(); f()", "RecursionError: maximum"),
        ("return np.ma.masked_array(np.zeros((KEYS, len(frames))), mask=True)", "it is a masked array"),
        ("return np.zeros((3, 3))", r"but its shape is \(3, 3\)"),
    ],
)
def test_an_answer_that_ends_badly_is_one_line(tmp_path, recording, line, cause):
    text = f"{HEADER}    def roll(self, frames):\n        {line}\n"
    with lent(find(str(write_contestant(tmp_path, "mine", text)))) as worker:
        with pytest.raises(AudeoBenchError, match=cause) as fault:
            worker.roll(recording.frames, recording.id)
        assert "wtc2-01" in str(fault.value)
        assert "\n" not in str(fault.value)


VANDAL = """
import os, random, signal, sys, threading, warnings
import numpy as np
from audeo_bench.api import KEYS, VideoToRoll

class Vandal(VideoToRoll):
    def roll(self, frames):
        print("hello from the vandal")
        os.system("echo and from its shell")
        os.chdir("/")
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        warnings.simplefilter("error")
        np.seterr(all="raise")
        os.environ["HOME"] = "/nowhere"
        random.seed(1)
        threading.Thread(target=lambda: threading.Event().wait()).start()
        sys.stdout.close()
        os.close(1)
        return np.zeros((KEYS, len(frames)), np.float32)
"""


def test_what_a_contestant_changes_stays_in_its_process(tmp_path, recording, capfd):
    with lent(find(str(write_contestant(tmp_path, "vandal", VANDAL)))) as worker:
        worker.roll(recording.frames, recording.id)
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("hello from the vandal") == err.count("and from its shell") == 1
    with lent(find(str(write_contestant(tmp_path, "reader", READER)))) as worker:
        answer = worker.roll(recording.frames, recording.id)
    np.testing.assert_array_equal(answer.roll > 0.5, recording.pressed)


def test_of_much_that_is_printed_the_first_lines_are_shown(tmp_path, recording, capfd):
    text = f"{HEADER}    def roll(self, frames):\n"
    text += "        for number in range(200_000): print('line', number)\n"
    text += "        return np.zeros((KEYS, len(frames)), np.float32)\n"
    with lent(find(str(write_contestant(tmp_path, "mine", text)))) as worker:
        worker.roll(recording.frames, recording.id)
    first, *lines, last = capfd.readouterr().err.splitlines()
    assert first == "mine printed:"
    assert lines == [f"line {number}" for number in range(10)]
    assert last == "... and 199,990 lines more"


def test_facts_that_are_too_long_are_refused(tmp_path):
    worker = worker_of(tmp_path, f"{HEADER}    def describe(self): return {{'log': 'y' * 2**21}}\n{ANSWER}")
    with pytest.raises(AudeoBenchError, match=r"mine failed: ValueError: 2,\d+,\d+ bytes of facts"):
        worker.load()
    worker.close()


DRAWING = """
import random
import numpy as np
from audeo_bench.api import KEYS, VideoToRoll

AT_IMPORT = random.random() + np.random.random()

class Drawing(VideoToRoll):
    def __init__(self): self.weight = np.random.random(); self.answered = 0
    def roll(self, frames):
        self.answered += 1
        drawn = [AT_IMPORT / 2, self.weight, random.random(), np.random.random(), self.answered / 2]
        return np.resize(np.array(drawn), (KEYS, len(frames)))
"""


def test_the_seed_is_told_before_the_import_and_instances_are_fresh(tmp_path, recording):
    path = find(str(write_contestant(tmp_path, "drawing", DRAWING)))
    answers = {}
    for run, seed in enumerate((5, 5, 6)):
        with lent(path, seed) as worker:
            names = ("one", "two") if run == 0 else ("two",)
            answers[run] = [worker.roll(recording.frames, name).roll for name in names][-1]
    np.testing.assert_array_equal(answers[0], answers[1])
    assert (answers[1][0, :4] != answers[2][0, :4]).all()
    assert answers[0][0, 4] == 0.5, "the second recording met the first one's instance"


KEEPING = (
    HEADER
    + """
    keeps_state = True
    answered = 0
    def roll(self, frames):
        self.answered += 1
        return np.full((KEYS, len(frames)), self.answered / 4)
"""
)


def test_a_class_may_say_that_it_keeps_state(tmp_path, recording):
    with lent(find(str(write_contestant(tmp_path, "mine", KEEPING)))) as worker:
        found = [worker.roll(recording.frames, name).roll[0, 0] for name in ("one", "two")]
    assert found == [0.25, 0.5]


INDEXING = """
import numpy as np
from audeo_bench.api import KEYS, VideoToRoll

INDICES = [
    slice(None, None, 2), slice(None, None, -1), slice(50, 10, -7), slice(-5, None), slice(7, 3), 0, -1,
    np.int64(3), [4, 2, 2], np.array([0, -1]), (slice(2, 9, 3), 5), (slice(None), slice(10, 20), 7),
    (3, slice(None), [1, 2]), ([1, 2], [3, 4]), ..., (..., 5), None, np.arange(120) % 2 == 0,
]

class Indexing(VideoToRoll):
    def roll(self, frames):
        whole = np.asarray(frames)
        wrong = [repr(i) for i in INDICES if not np.array_equal(frames[i], whole[i])]
        for index in (120, -121, [120]):
            try:
                frames[index]
                wrong.append(repr(index))
            except IndexError:
                pass
        if wrong or len(list(frames)) != 120 or frames.shape != whole.shape:
            raise ValueError(", ".join(wrong))
        return whole[:, 0, :880:10].T / np.float32(255)
"""


def test_frames_index_as_numpy_does(tmp_path, recording):
    with lent(find(str(write_contestant(tmp_path, "indexing", INDEXING)))) as worker:
        answer = worker.roll(recording.frames, recording.id)
    np.testing.assert_array_equal(answer.roll > 0.5, recording.pressed)


ELSEWHERE = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
import numpy as np
from audeo_bench.api import KEYS, VideoToRoll

class Column:
    def __init__(self, frames): self.frames = frames
    def __call__(self, start): return np.asarray(self.frames[start : start + 10])[:, 0, :880:10].T

class Elsewhere(VideoToRoll):
    def roll(self, frames):
        column, starts = Column(frames), range(0, len(frames), 10)
        frames[0:3]  # a connection is open before anything is forked
        with ThreadPoolExecutor(4) as pool:
            threads = np.concatenate(list(pool.map(column, starts)), axis=1)
        for way in ("fork", "spawn"):
            context = multiprocessing.get_context(way)
            with ProcessPoolExecutor(2, mp_context=context) as pool:
                forked = np.concatenate([pool.submit(frames.__getitem__, slice(s, s + 10)).result()
                                         for s in starts])[:, 0, :880:10].T
            assert np.array_equal(threads, forked), way
        return threads / np.float32(255)
"""


def test_frames_are_read_from_threads_and_from_forked_and_spawned_processes(tmp_path, recording):
    read = []
    with lent(find(str(write_contestant(tmp_path, "elsewhere", ELSEWHERE)))) as worker:
        answer = worker.roll(recording.frames, recording.id, read.append)
    np.testing.assert_array_equal(answer.roll > 0.5, recording.pressed)
    assert sum(read) == len(recording)
    assert answer.seconds > 0


def test_frames_that_cannot_be_read_are_not_the_contestants_fault(tmp_path, recording):
    class Damaged:
        shape = recording.frames.shape

        def __len__(self):
            return self.shape[0]

        def __getitem__(self, window):
            raise AudeoBenchError("film.mp4: damaged at frame 7")

    reader = find(str(write_contestant(tmp_path, "reader", READER)))
    with lent(reader) as worker, pytest.raises(AudeoBenchError, match=r"^film\.mp4: damaged at frame 7$"):
        worker.roll(Damaged(), recording.id)


def test_the_process_ends_with_the_harness(tmp_path):
    path = write_contestant(tmp_path, "reader", READER)
    code = f"""
import os, signal, sys
sys.path[:] = {sys.path!r}
from audeo_bench.contestants.loading import find
from audeo_bench.contestants.process import Worker
print(Worker(find({str(path)!r})).line.process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == -9
    pid = int(done.stdout)
    gone = threading.Event()
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        gone.wait(0.05)
    raise AssertionError("the contestant's process outlives the harness")


def test_json_stays_json(tmp_path, monkeypatch, capfd):
    """A contestant that prints does not spoil what a command prints."""
    from typer.testing import CliRunner

    from audeo_bench.cli import app

    chatty = READER.replace("        columns", "        print('look at me')\n        columns")
    path = write_contestant(tmp_path, "chatty", chatty)
    result = CliRunner().invoke(app, ["check", str(path), "--json"])
    assert json.loads(result.stdout)[0]["outcome"] == "pass"


SEEING = """
import os, sys
import numpy as np
from audeo_bench.api import KEYS, VideoToRoll

class Seeing(VideoToRoll):  # says torch, so that its process has it
    def describe(self):
        return {"where": os.getcwd(), "told": os.environ.get("TOLD"), "path": sys.path[-1],
                "hashed": hash("torch"), "torch": "torch" in sys.modules}
    def roll(self, frames): return np.zeros((KEYS, len(frames)))
"""


def test_a_process_sees_what_its_harness_sees_now(tmp_path, monkeypatch):
    """Whatever was imported beforehand, folder, environment, search path and seed are those of the start."""
    path = find(str(write_contestant(tmp_path, "seeing", SEEING)))
    hashes = []
    for turn, seed in enumerate((0, 0, 1)):
        folder = tmp_path / str(turn)
        folder.mkdir()
        monkeypatch.chdir(folder)
        monkeypatch.setenv("TOLD", str(turn))
        monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
        with lent(path, seed) as worker:
            facts = worker.declared.facts
        assert (facts["where"], facts["told"], facts["path"]) == (str(folder), str(turn), str(folder))
        assert facts["torch"] == (sys.platform == "linux")
        hashes.append(facts["hashed"])
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
def test_a_nursery_that_died_is_followed_by_another(tmp_path, recording):
    path = find(str(write_contestant(tmp_path, "reader", READER)))
    with lent(path):
        pass
    for nursery in birth._nurseries.values():
        nursery._process.kill()
        nursery._process.wait()
    with lent(path) as worker:
        answer = worker.roll(recording.frames, recording.id)
    np.testing.assert_array_equal(answer.roll > 0.5, recording.pressed)


def test_where_nothing_is_forked_an_interpreter_is_started(tmp_path, recording, monkeypatch):
    monkeypatch.setattr(sys, "platform", "elsewhere")
    with lent(find(str(write_contestant(tmp_path, "reader", READER)))) as worker:
        answer = worker.roll(recording.frames, recording.id)
    np.testing.assert_array_equal(answer.roll > 0.5, recording.pressed)
