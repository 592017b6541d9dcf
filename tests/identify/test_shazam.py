"""The real shazamio client against the loopback service: every fault ends in the right outcome."""

import asyncio
import socket
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from loopback import (
    Loopback,
    drip,
    drop,
    forbidden_json,
    hang,
    html,
    invalid_json,
    json_without_matches,
    match,
    no_match,
    refusal,
    server_error,
)

from audeo_bench.api import SAMPLE_RATE, AudeoBenchError, Work
from audeo_bench.identify.asking import FAULTS_IN_A_ROW, ask_all
from audeo_bench.identify.ledger import Ledger
from audeo_bench.identify.segments import cut
from audeo_bench.identify.service import ServiceFault
from audeo_bench.identify.shazam import Pacing, ShazamService, parse_retry_after, read_answer
from audeo_bench.identify.titles import judge

WORK = Work(
    "Johann Sebastian Bach", "Prelude and Fugue No. 1", "The Well-Tempered Clavier, Book I", 1, 846, "C major"
)
RIGHT = "The Well-Tempered Clavier, Book I: Prelude No. 1 in C Major, BWV 846"
HASTY = Pacing(
    per_minute=60_000,
    jitter=0,
    time_limit=0.3,
    connect_limit=0.3,
    transport_pauses=(0.01, 0.01),
    refusal_pauses=(0.01, 0.01, 0.01),
    longest_pause=0.2,
)


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.3, 0.3, round(seconds * SAMPLE_RATE)).astype(np.float32)


def ask(tmp_path, script, segments=1, pacing=HASTY):
    """Outcomes of so many segments, and the loopback service."""
    with Loopback(script) as server, Ledger(tmp_path / "identify.sqlite") as ledger:
        pieces = cut(noise(20 * segments))
        ledger.add_recording("truth", "wtc1-01", "wtc1-variants", "title", WORK, pieces)
        service = ShazamService(pacing, server.url)
        asyncio.run(ask_all(service, pieces, ledger))
        outcomes = []
        for query in ledger.queries(service.name, service.version):
            if query.reply is None:
                outcomes.append("error" if query.fault else "unasked")
            else:
                verdict = judge(WORK, query.reply.answer)
                outcomes.append({"match": "right", "none": "nothing"}.get(verdict, "wrong"))
        return outcomes, server


FINAL = {
    "match": (match(RIGHT), "right", 1),
    "wrong match": (match("Für Elise"), "wrong", 1),
    "no match": (no_match(), "nothing", 1),
    "500": (server_error(500), "error", 1),
    "HTML with 200": (html(), "error", 1),
    "invalid JSON": (invalid_json(), "error", 1),
    "JSON error body with 403": (forbidden_json(), "error", 1),
    "JSON without matches": (json_without_matches(), "error", 1),
    "429": (refusal(), "error", 4),
    "429 with Retry-After": (refusal(0.01), "error", 4),
    "503": (server_error(503), "error", 3),
    "dropped connection": (drop(), "error", 3),
    "hang": (hang(), "error", 3),
    "slow drip": (drip(), "error", 3),
}


@pytest.mark.parametrize("name", FINAL)
def test_every_case_ends_in_its_outcome_after_so_many_requests(tmp_path, name):
    case, outcome, requests = FINAL[name]
    outcomes, server = ask(tmp_path, [case] * 9)
    assert outcomes == [outcome]
    assert len(server.asked) == requests


@pytest.mark.parametrize("fault", [refusal(), refusal(0.01), server_error(502), drop(), hang(), drip()])
def test_a_passing_fault_costs_nothing(tmp_path, fault):
    outcomes, server = ask(tmp_path, [fault, match(RIGHT)])
    assert outcomes == ["right"]
    assert len(set(server.asked)) == 1


def test_an_answered_no_match_is_never_asked_again(tmp_path):
    outcomes, server = ask(tmp_path, [no_match(), match(RIGHT)], segments=1)
    outcomes, again = ask(tmp_path, [match(RIGHT)], segments=1)
    assert outcomes == ["nothing"]
    assert (len(server.asked), len(again.asked)) == (1, 0)


def test_a_fault_is_asked_again_by_the_next_run(tmp_path):
    assert ask(tmp_path, [server_error(500)])[0] == ["error"]
    assert ask(tmp_path, [match(RIGHT)])[0] == ["right"]


def test_retry_after_is_honoured_up_to_its_cap(tmp_path):
    started = time.monotonic()
    ask(tmp_path, [refusal(0.15), match(RIGHT)])
    assert time.monotonic() - started >= 0.15
    started = time.monotonic()
    ask(tmp_path / "capped", [refusal(3600), match(RIGHT)])
    assert 0.2 <= time.monotonic() - started < 5


def test_retry_after_as_seconds_or_date():
    now = datetime(2026, 11, 21, tzinfo=UTC)
    assert parse_retry_after("17") == 17
    assert parse_retry_after("-5") == 0
    assert parse_retry_after("Sat, 21 Nov 2026 00:01:30 GMT", now) == 90
    assert parse_retry_after(None) is None
    assert parse_retry_after("soon") is None
    assert parse_retry_after("Fri, 20 Nov 2026 00:00:00 GMT", now) == 0


def test_a_date_in_retry_after_reaches_the_client(tmp_path):
    outcomes, _ = ask(tmp_path, [refusal(datetime.now(UTC) + timedelta(hours=1)), match(RIGHT)])
    assert outcomes == ["right"]


def test_requests_are_paced(tmp_path):
    started = time.monotonic()
    ask(tmp_path, [], segments=4, pacing=Pacing(per_minute=600, jitter=0))
    assert 0.3 <= time.monotonic() - started < 3


def test_language_and_country_are_fixed_and_recorded(tmp_path):
    _, server = ask(tmp_path, [])
    assert server.countries == {"en-US/GB"}
    assert "en-US GB" in ShazamService().version


def test_faults_in_a_row_stop_the_run_and_keep_the_answers(tmp_path):
    script = [match(RIGHT)] + [forbidden_json()] * 20
    with pytest.raises(AudeoBenchError, match=f"shazam gave no answer {FAULTS_IN_A_ROW} times.*403"):
        ask(tmp_path, script, segments=9)
    outcomes, server = ask(tmp_path, [], segments=9)
    assert outcomes == ["right"] + ["nothing"] * 8
    assert len(server.asked) == 8


def test_no_network_is_one_clear_message(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    with Ledger(tmp_path / "identify.sqlite") as ledger:
        service = ShazamService(HASTY, url)
        with pytest.raises(AudeoBenchError, match=r"shazam cannot be reached.*--service pitch"):
            asyncio.run(ask_all(service, cut(noise(20)), ledger))


def test_without_a_network_the_message_comes_within_40_seconds():
    pacing = Pacing()
    tries = len(pacing.transport_pauses) + 1
    longest = pacing.jitter + sum(pacing.transport_pauses) + tries * pacing.connect_limit
    assert longest + tries < 40  # stamina adds no more than its jitter, a second a pause


def test_silence_is_a_query_like_any_other(tmp_path):
    with Loopback() as server, Ledger(tmp_path / "identify.sqlite") as ledger:
        service = ShazamService(HASTY, server.url)
        (segment,) = cut(np.zeros(20 * SAMPLE_RATE))
        asyncio.run(ask_all(service, [segment], ledger))
        assert ledger.find(service.name, service.version, segment.sha256) is not None


@pytest.mark.parametrize("sections", [[None], [{"type": "SONG", "metadata": [None]}]])
def test_an_answer_with_null_sections_is_a_fault_of_the_service(sections):
    with pytest.raises(ServiceFault):
        read_answer({"matches": [1], "track": {"title": "Prelude", "sections": sections}})
