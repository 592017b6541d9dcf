"""kill -9 at random moments, a hundred times: nothing that was answered is lost or asked for again."""

import multiprocessing
import os
import random
import sys
import time

import pytest
import victim
from aiohttp import web
from loopback import Loopback, match, no_match, slowly

from audeo_bench.identify.ledger import Ledger
from audeo_bench.identify.shazam import ShazamService
from audeo_bench.identify.table import add_up

# A life answers some three queries on a slow machine, more on a fast one; the run must outlast them all.
SEGMENTS, KILLS = 800, 100
RIGHT = match("The Well-Tempered Clavier, Book I: Prelude No. 1 in C Major, BWV 846")


async def by_fingerprint(request: web.Request) -> web.StreamResponse:
    """Right, wrong or nothing, always the same for the same segment."""
    uri = (await request.json())["signature"]["uri"]
    case = (RIGHT, match("Für Elise"), no_match())[int(uri[:8], 16) % 3]
    return await slowly(case, 0.004)(request)


def table(path):
    service = ShazamService()
    with Ledger(path) as ledger:
        return add_up(ledger.queries(service.name, service.version), service.name, "")


def answered(path):
    service = ShazamService()
    with Ledger(path) as ledger:
        return {q.sha256 for q in ledger.queries(service.name, service.version) if q.reply is not None}


@pytest.mark.slow
def test_a_hundred_kills_lose_nothing_and_ask_nothing_twice(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    # Children are forked from a server that has imported everything: a life begins within milliseconds.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["victim"])
    killed, known, kills = tmp_path / "killed.sqlite", set(), 0
    chance = random.Random(0)
    with Loopback(default=by_fingerprint) as server:
        while kills < KILLS:
            asked_before = len(server.asked)
            process = context.Process(target=victim.run, args=(server.url, str(killed), SEGMENTS))
            process.start()
            # Half of the kills wait for a number of queries, the others for a time: all moments are met.
            if chance.random() < 0.5:
                wanted = asked_before + chance.randint(1, 4)
                while len(server.asked) < wanted and process.is_alive():
                    time.sleep(0.0005)
                time.sleep(chance.uniform(0, 0.006))
            else:
                time.sleep(chance.uniform(0, 0.15))
            if not process.is_alive():
                break
            process.kill()
            process.join()
            time.sleep(0.01)  # a request that was still on its way arrives
            kills += 1
            asked_now = len(server.asked)
            now = answered(killed) if killed.exists() else set()
            assert known <= now, "an answer was lost"
            assert asked_now - asked_before <= len(now - known) + 1, (
                "a kill cost more than the query in flight"
            )
            known = now
        assert kills == KILLS, f"the run was over after {kills} kills; give it more segments"
        assert 0 < len(known) < SEGMENTS
        asked_before = len(server.asked)
        victim.run(server.url, str(killed), SEGMENTS)
        assert len(server.asked) - asked_before == SEGMENTS - len(known), "an answered query was asked again"
        whole = tmp_path / "whole.sqlite"
        victim.run(server.url, str(whole), SEGMENTS)
    assert table(killed) == table(whole)
    assert len(answered(killed)) == SEGMENTS
