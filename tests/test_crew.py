"""Units give the same whoever does them; a lost worker's are done again; a fault comes as it was raised."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from dask_workers import workers

from audeo_bench.api import AudeoBenchError
from audeo_bench.crew import Crew, Unit, crew, fitting

pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def two():
    with crew(2) as who:
        yield who


def squared(number: int, before: int = 0) -> int:
    return number * number + before


def slow(number: int) -> int:
    time.sleep(0.1)
    return number


def noted(number: int, book: Path) -> int:
    with book.open("a") as lines:
        lines.write(f"{number}\n")
    time.sleep(0.1)
    return number


def fault(number: int) -> int:
    raise AudeoBenchError(f"film {number} is damaged; replace it.")


def chained(count: int) -> list[Unit]:
    """Every odd unit adds the one before."""
    return [Unit(f"unit {n}", squared, (n,), (f"unit {n - 1}",) if n % 2 else ()) for n in range(count)]


def test_two_workers_give_what_one_process_gives(two):
    alone = {unit.name: found for unit, found in Crew().done(chained(40))}
    assert {unit.name: found for unit, found in two.done(chained(40))} == alone
    assert alone["unit 3"] == 13


@pytest.mark.parametrize("several", [False, True])
def test_a_fault_comes_as_it_was_raised(two, several):
    units = [Unit("good", squared, (3,)), Unit("bad", fault, (7,))]
    with pytest.raises(AudeoBenchError, match=r"^film 7 is damaged; replace it\.$"):
        list((two if several else Crew()).done(units))


def test_the_units_of_lost_workers_are_done_again(two):
    rng, found, killed = np.random.default_rng(5), {}, 0
    for unit, number in two.done(Unit(f"slow {n}", slow, (n,)) for n in range(40)):
        found[unit.name] = number
        if len(found) in (4, 15, 26) and (there := workers()):
            there[int(rng.integers(len(there)))].kill()
            killed += 1
    assert found == {f"slow {n}": n for n in range(40)}
    assert killed > 0


def test_what_a_lost_worker_gave_already_is_not_done_again(two, tmp_path):
    given: list[int] = []
    for _, number in two.done(Unit(f"noted {n}", noted, (n, tmp_path / "book")) for n in range(24)):
        given.append(number)
        if len(given) == 16:
            before = set(given)
            for worker in workers():
                worker.kill()
    done = [int(line) for line in (tmp_path / "book").read_text().split()]
    assert sorted(given) == list(range(24))
    assert sorted(number for number in done if number in before) == sorted(before)
    assert len(done) > 24  # those that were under way


def test_a_scheduler_that_is_not_there_is_one_line(monkeypatch):
    monkeypatch.setattr("audeo_bench.crew.PATIENCE", "1s")
    with (
        pytest.raises(AudeoBenchError, match="no dask scheduler answers there"),
        crew(1, "tcp://127.0.0.1:9"),
    ):
        pass


def test_without_dask_one_process_does_it_all(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert fitting(100) == 1
    with pytest.raises(AudeoBenchError, match=r"pip install 'audeo-bench\[scale\]'"), crew(2):
        pass
    with crew() as who:
        assert [found for _, found in who.done(chained(2))] == [0, 1]


def test_dask_is_imported_only_where_it_is_used():
    code = "import sys, audeo_bench.crew; print('distributed' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
