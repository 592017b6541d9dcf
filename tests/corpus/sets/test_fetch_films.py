"""Real yt-dlp and real huggingface_hub against a server on this machine."""

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from film_server import FilmServer, Hub, cut, make_film, make_labels, make_sound, page, refuse
from mounting import mounted
from typer.testing import CliRunner

from audeo_bench.cli import app
from audeo_bench.corpus.registry import Registered
from audeo_bench.corpus.sets import films_of
from audeo_bench.corpus.sets.fetch import Plan, fetch, plan
from audeo_bench.corpus.sets.here import read_record
from audeo_bench.corpus.sets.overview import computable
from audeo_bench.errors import AudeoBenchError

PAPER_TEST = ("u5nBBJndN3I", "nwwHuxHMIpc", "ra1jf2nzJPg")


def run(plan: Plan) -> tuple[list[str], list[str]]:
    told: list[str] = []
    return fetch(plan, told.append), told


def own_set(folder: Path, url: str, films: dict[str, str]) -> Path:
    """A set of films at the server, one row for each id."""
    rows = "".join(f'[[film]]\nid = "{name}"\nmidi = "{name}.mid"\n{more}\n' for name, more in films.items())
    (folder / "mine.toml").write_text(
        f'name = "mine"\ntruth = "true MIDI"\n[source]\nkind = "https"\nbase = "{url}/films"\n{rows}'
    )
    return folder / "mine.toml"


def starts(server: FilmServer, path: str) -> list[int]:
    """Where in a film the requests that resumed it began."""
    ranges = [asked for method, place, asked in server.asked if (method, place) == ("GET", path) and asked]
    return [int(asked.removeprefix("bytes=").partition("-")[0]) for asked in ranges]


def rises(server: FilmServer, path: str, times: int) -> bool:
    """Whether a film was resumed that often, never from before where it had come."""
    found = starts(server, path)
    return len(found) >= times and found[0] > 0 and found == sorted(found)


@pytest.fixture(scope="module")
def bodies(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    return {
        "film": make_film(folder / "film.mp4").read_bytes(),
        "other": make_film(folder / "other.mp4", seed=1).read_bytes(),
        "long": make_film(folder / "long.mp4", seconds=20, fps=2).read_bytes(),
        "labels": make_labels(folder / "film.mid").read_bytes(),
        "early": make_labels(folder / "early.mid", last=1.0).read_bytes(),
    }


def test_a_lab_folder_registers_films_with_the_labels_beside_them(tmp_path, bodies):
    lab = tmp_path / "lab"
    make_film(lab / "furelise.mp4", seconds=44, fps=1)
    make_labels(lab / "furelise.mid", last=59.0)
    chosen = plan("pianoray", tmp_path / "films", source=str(lab / "{id}.mp4"))
    assert (len(chosen.wanted), len(chosen.here)) == (2, 0)
    failed, told = run(chosen)
    assert failed == ["bach"] and told == [
        f"bach: not there: {lab}/bach.mp4; put it there, or leave it out with --only"
    ]
    (film,) = films_of("pianoray")
    assert film.path == tmp_path / "films/furelise.mp4" and film.midi == tmp_path / "films/furelise.mid"
    assert film.film.start_s == -16.0 and film.film.split == "test"
    assert film.sha256 == hashlib.sha256((lab / "furelise.mp4").read_bytes()).hexdigest()
    assert computable("pianoray") == [("test", "1 of 2", "1", "Table 1, every row, on 1 of 2 films")]


def test_youtube_ids_name_the_films_of_a_mirror_too(tmp_path, server, bodies):
    server.files = {f"/{name}.mp4": bodies["film"] for name in PAPER_TEST}
    server.files |= {f"/{name}.mid": bodies["labels"] for name in PAPER_TEST}
    template = f"{server.url}/{{id}}.mp4"
    failed, told = run(plan("audeo-films", tmp_path / "films", PAPER_TEST, template))
    assert (failed, told) == ([], [])
    assert [film.film.id for film in films_of("audeo-films")] == ["wtc2-01", "wtc2-02", "wtc2-03"]
    assert ("wtc2", "3 of 3", "3", "Table 1, every row, on all 3 films") in computable("audeo-films")
    asked = len(server.asked)
    again = plan("audeo-films", only=PAPER_TEST, source=template)
    assert (len(again.here), again.wanted) == (3, ()) and run(again) == ([], [])
    assert len(server.asked) == asked  # nothing is fetched twice


def test_what_another_set_has_is_not_fetched(tmp_path, server, bodies):
    server.files = {"/u5nBBJndN3I.mp4": bodies["film"], "/u5nBBJndN3I.mid": bodies["labels"]}
    template = f"{server.url}/{{id}}.mp4"
    assert run(plan("audeo-films", tmp_path / "a", ["u5nBBJndN3I"], template))[0] == []
    before = server.gets("/u5nBBJndN3I.mp4")
    assert run(plan("pianoyt", tmp_path / "b", ["169"], template))[0] == []
    assert server.gets("/u5nBBJndN3I.mp4") == before
    assert [film.path for film in films_of("pianoyt")] == [tmp_path / "b/169.mp4"]


def test_pictures_and_sound_come_apart_and_are_put_together(tmp_path, server):
    """As YouTube has them: two streams, the better of two heights, merged without recoding."""
    server.files["/v.mp4"] = make_film(tmp_path / "v.mp4").read_bytes()
    server.files["/a.m4a"] = make_sound(tmp_path / "a.m4a").read_bytes()
    server.files["/wtc2-01.mpd"] = b"""<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT3S"><Period>
<AdaptationSet mimeType="video/mp4"><Representation id="137" codecs="avc1.64001e" width="96" height="64"
 bandwidth="90000"><BaseURL>v.mp4</BaseURL></Representation></AdaptationSet>
<AdaptationSet mimeType="audio/mp4"><Representation id="140" codecs="mp4a.40.2" bandwidth="64000"
 audioSamplingRate="16000"><BaseURL>a.m4a</BaseURL></Representation></AdaptationSet></Period></MPD>"""
    server.files["/wtc2-01.mid"] = make_labels(tmp_path / "l.mid").read_bytes()
    source = f"{server.url}/{{id}}.mpd"
    assert run(plan("audeo-films", tmp_path / "films", ["wtc2-01"], source)) == ([], [])
    import av

    with av.open(str(tmp_path / "films/wtc2-01.mp4")) as film:
        assert {stream.type for stream in film.streams} == {"video", "audio"}


def test_every_fault_is_one_line_and_the_others_go_on(tmp_path, server, bodies):
    faults = {
        "good": bodies["film"],
        "gone": None,
        "shut": bodies["film"],
        "words": b"",
        "short": bodies["film"],
        "early": bodies["film"],
        "torn": bodies["film"][: len(bodies["film"]) // 2],
        "other": bodies["other"],
        "busy": bodies["film"],
        "list": b"#EXTM3U\n#EXTINF:3,\nfilm.mp4\n",
        "down": bodies["film"],
    }
    server.files = {f"/films/{name}.mp4": body for name, body in faults.items() if body is not None}
    server.files |= {f"/films/{name}.mid": bodies["early"] for name in faults}
    server.files["/films/early.mid"] = make_labels(tmp_path / "late.mid", last=9.0).read_bytes()
    server.script["/films/shut.mp4"] = [refuse(403)] * 20
    server.script["/films/words.mp4"] = [page()] * 20
    server.script["/films/down.mp4"] = [refuse(500)] * 20
    server.script["/films/busy.mp4"] = [refuse(429, Retry_After="1")]
    digest = hashlib.sha256(bodies["film"]).hexdigest()
    path = own_set(
        tmp_path,
        server.url,
        dict.fromkeys(faults, "") | {"short": "seconds = 13.0", "other": f'sha256 = "{digest}"'},
    )
    failed, told = run(plan(str(path), tmp_path / "films"))
    lines = dict(line.split(": ", 1) for line in told)
    assert sorted(failed) == sorted(lines) == sorted(faults.keys() - {"good", "busy"})
    assert lines["list"].startswith("a playlist came instead of the film")
    assert lines["down"].startswith("the server fails (500)")
    assert lines["gone"].startswith("gone (404); look for a copy")
    assert lines["shut"].startswith("refused (403); wait an hour")
    assert "a web page came instead" in lines["words"]
    assert lines["short"].startswith("wrong film: 3.0 s, the set's file says 13.0 s")
    assert "its labels go on to" in lines["early"]
    assert lines["torn"].startswith(("cut off", "cannot be read as a film"))
    assert lines["other"].startswith("wrong film: SHA-256")
    assert {film.film.id for film in films_of("mine")} == {"good", "busy"}
    # What was refused is not kept, and the rerun brings what has become right meanwhile.
    server.files["/films/gone.mp4"] = server.files["/films/torn.mp4"] = bodies["film"]
    failed, _ = run(plan(str(path), only=["gone", "torn", "good"]))
    assert failed == [] and server.gets("/films/good.mp4") <= 2


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (page(), "labels: a web page came instead"),
        (lambda handler, _: handler.answer(200, b"MThd, or so", {}), "labels: not a readable MIDI file"),
        (refuse(403), "labels: refused (403)"),
        (refuse(410), "labels: gone (410)"),
        (refuse(404), "labels are missing; put them where the film is had, or at "),
    ],
)
def test_labels_that_cannot_be_had_cost_no_film(tmp_path, server, bodies, answer, told):
    """The film stays, bad labels do not, and the next run asks for labels alone."""
    path, films = own_set(tmp_path, server.url, {"a": ""}), tmp_path / "films"
    server.files = {"/films/a.mp4": bodies["film"], "/films/a.mid": bodies["labels"]}
    server.script["/films/a.mid"] = [answer] * 20
    failed, lines = run(plan(str(path), films))
    assert failed == ["a"] and lines[0].startswith(f"a: {told}") and "/.fetching/" not in lines[0]
    assert not (films / "a.mid").exists() and films_of("mine")[0].midi is None
    gets = server.gets("/films/a.mp4")

    again = plan(str(path), films)
    assert (again.wanted, [film.id for film in again.unlabelled]) == ((), ["a"])
    assert run(again) == (failed, lines)
    server.script.clear()
    assert run(plan(str(path), films)) == ([], [])
    assert films_of("mine")[0].midi == films / "a.mid" and server.gets("/films/a.mp4") == gets


def test_labels_of_another_film_are_refused_where_the_set_knows_the_film(tmp_path, server, bodies):
    path = own_set(tmp_path, server.url, {"a": "seconds = 3.0"})
    late = make_labels(tmp_path / "late.mid", last=9.0).read_bytes()
    server.files = {"/films/a.mp4": bodies["film"], "/films/a.mid": late}
    failed, told = run(plan(str(path), tmp_path / "films"))
    assert failed == ["a"] and told[0].startswith("a: wrong labels: they go on to 8.5 s, the film to 3.0 s")
    assert not (tmp_path / "films/a.mid").exists() and len(films_of("mine")) == 1


def test_labels_that_come_to_a_lab_later_are_fetched(tmp_path):
    lab, films = tmp_path / "lab", tmp_path / "films"
    make_film(lab / "furelise.mp4", seconds=44, fps=1)
    command = ("data", "fetch", "pianoray", "--source", str(lab / "{id}.mp4"), "--only", "furelise")
    said = CliRunner().invoke(app, [*command, "--into", str(films)])
    assert (
        said.exit_code == 1
        and f"labels are missing; put them where the film is had, or at {films}"
        in " ".join(said.output.split())
    )
    make_labels(lab / "furelise.mid", last=59.0)
    said = CliRunner().invoke(app, command)
    assert said.exit_code == 0 and "0 films to bring" in said.output and "labels of 1 missing" in said.output
    assert films_of("pianoray")[0].midi == films / "furelise.mid"
    # And from there on there is nothing to do, wherever it is asked for.
    said = CliRunner().invoke(app, [*command, "--into", str(tmp_path / "elsewhere")])
    assert said.exit_code == 0 and f"1 here already, in {films}" in said.output.replace("\n", "")


def test_labels_that_the_film_does_not_come_with_are_nobodys_fault(tmp_path, server, bodies):
    """Such as PianoYT's; where a mirror has them all the same, they are taken."""
    path = own_set(tmp_path, server.url, {"a": ""})
    path.write_text('labels = "pianoyt"\n' + path.read_text())
    server.files = {"/a.mp4": bodies["film"]}
    server.script["/a.mid"] = [refuse(403)]
    chosen = (str(path), tmp_path / "films", [], f"{server.url}/{{id}}.mp4")
    assert run(plan(*chosen)) == ([], [])
    assert films_of("mine")[0].midi is None
    server.script["/a.mid"], server.files["/a.mid"] = [], bodies["labels"]
    gets = server.gets("/a.mp4")
    assert run(plan(*chosen)) == ([], [])
    assert films_of("mine")[0].midi is not None and server.gets("/a.mp4") == gets


def test_labels_may_be_rolls(tmp_path, server, bodies):
    path = own_set(tmp_path, server.url, {"a": ""})
    path.write_text(path.read_text().replace('midi = "a.mid"', 'npz = "a.npz"'))
    np.savez(tmp_path / "roll.npz", pressed=np.ones((88, 75), bool))
    server.files = {"/films/a.mp4": bodies["film"], "/films/a.npz": (tmp_path / "roll.npz").read_bytes()}
    assert run(plan(str(path), tmp_path / "films")) == ([], [])
    assert films_of("mine")[0].midi == tmp_path / "films/a.npz"


def test_a_connection_that_breaks_ten_times_goes_on_where_it_broke(tmp_path, server, bodies):
    server.files = {"/films/a.mp4": bodies["long"], "/films/a.mid": bodies["labels"]}
    server.script["/films/a.mp4"] = [cut(0.0)] + [cut(0.08, at_least=2000)] * 10
    assert run(plan(str(own_set(tmp_path, server.url, {"a": ""})), tmp_path / "films")) == ([], [])
    (film,) = films_of("mine")
    assert film.sha256 == hashlib.sha256(bodies["long"]).hexdigest()
    assert rises(server, "/films/a.mp4", 10)


def test_403_in_the_middle_of_a_file(tmp_path, server, bodies):
    """The half that is here stays, and the next run brings the other half."""
    path = own_set(tmp_path, server.url, {"a": ""})
    server.files = {"/films/a.mp4": bodies["long"], "/films/a.mid": bodies["labels"]}
    server.script["/films/a.mp4"] = [cut(0.0), cut(0.5)] + [refuse(403)] * 20
    failed, told = run(plan(str(path), tmp_path / "films"))
    assert failed == ["a"] and "refused (403)" in told[0]
    server.script.clear()
    assert run(plan(str(path), tmp_path / "films"))[0] == []
    assert films_of("mine")[0].sha256 == hashlib.sha256(bodies["long"]).hexdigest()
    assert rises(server, "/films/a.mp4", 2) and starts(server, "/films/a.mp4")[0] > 0.3 * len(bodies["long"])
    assert not (tmp_path / "films/.fetching").exists()


def test_a_full_disk_is_said_and_the_run_goes_on_after_it(tmp_path, server, bodies):
    path = own_set(tmp_path, server.url, {"a": ""})
    server.files = {"/films/a.mp4": bodies["long"], "/films/a.mid": bodies["labels"]}
    with mounted(tmp_path / "small", "size=64k") as small:
        failed, told = run(plan(str(path), small))
        assert failed == ["a"] and told == ["a: the disk is full; make room and run the same command again"]
    assert films_of("mine") == []


def test_a_link_in_the_folder_leads_nowhere(tmp_path, server, bodies):
    path = own_set(tmp_path, server.url, {"a": 'film = "sub/a.mp4"'})
    (tmp_path / "outside").mkdir()
    (tmp_path / "films").mkdir()
    (tmp_path / "films/sub").symlink_to(tmp_path / "outside")
    server.files = {"/films/sub/a.mp4": bodies["film"]}
    failed, told = run(plan(str(path), tmp_path / "films"))
    assert failed == ["a"] and "leads out of" in told[0]
    assert list((tmp_path / "outside").iterdir()) == []


def test_films_that_are_there_are_checked_not_fetched(tmp_path):
    (tmp_path / "mine.csv").write_text("id,midi,seconds\na,a.mid,3\nb,b.mid,13\nc,,\n")
    for name in "ab":
        make_film(tmp_path / f"{name}.mp4")
        make_labels(tmp_path / f"{name}.mid")
    failed, told = run(plan(str(tmp_path / "mine.csv")))
    assert failed == ["c", "b"]
    assert told[0] == f"1 of 3 films are not in {tmp_path} (c): put it where the set's file says"
    assert told[1].startswith("b: wrong film: 3.0 s")
    assert (tmp_path / "b.mp4").exists()
    assert [film.midi for film in films_of("mine")] == [tmp_path / "a.mid"]


def test_a_place_that_cannot_be_written_stops_nobody_else(tmp_path):
    (tmp_path / "mine.csv").write_text("id\na\nb\n")
    make_film(tmp_path / "lab/a.mp4")
    make_film(tmp_path / "lab/b.mp4")
    (tmp_path / "films/a.mp4").mkdir(parents=True)
    lab = str(tmp_path / "lab/{id}.mp4")
    failed, told = run(plan(str(tmp_path / "mine.csv"), tmp_path / "films", source=lab))
    assert failed == ["a"] and "a.mp4: Is a directory; put that right" in told[0]
    assert [here.film.id for here in films_of("mine")] == ["b"]


def test_a_mirror_of_a_set_that_lists_its_own_rows(tmp_path):
    lab = tmp_path / "lab"
    make_film(lab / "Video/one.mp4")
    (lab / "TSV").mkdir()
    (lab / "TSV/one.tsv").write_text("onset\tkey_offset\tnote\tvelocity\n1\t1.5\t60\t40\n")
    entry = '{"record_time": "one", "split": "valid", "composer": "B", "piece": "x"}'
    (lab / "metadata.json").write_text(f"[{entry}]")
    assert run(plan("pianovam", tmp_path / "films", source=str(lab))) == ([], [])
    (film,) = films_of("pianovam")
    assert (film.film.split, film.midi) == ("validation", tmp_path / "films/TSV/one.tsv")


def test_labels_may_lie_in_a_registered_data_set(tmp_path, server, bodies, home):
    make_labels(tmp_path / "pianoyt/pianoyt_MIDI/audio_169.0.midi", last=2.0)
    entry = Registered(name="pianoyt", directory=tmp_path / "pianoyt", files={}, as_published=None)
    (home / "registry").mkdir(parents=True)
    (home / "registry/pianoyt.json").write_text(entry.model_dump_json())
    server.files = {"/wtc2-01.mp4": bodies["film"]}
    chosen = plan("audeo-films", tmp_path / "films", ["wtc2-01"], f"{server.url}/{{id}}.mp4")
    assert run(chosen) == ([], [])
    assert films_of("audeo-films")[0].midi == tmp_path / "pianoyt/pianoyt_MIDI/audio_169.0.midi"


def test_a_set_whose_file_has_gone_stops_nobody(tmp_path, server, bodies):
    path = own_set(tmp_path, server.url, {"a": ""})
    server.files = {"/films/a.mp4": bodies["film"], "/films/a.mid": bodies["labels"]}
    assert run(plan(str(path), tmp_path / "films"))[0] == []
    path.unlink()
    shown = CliRunner().invoke(app, ["data", "list", "--json"])
    states = {row["corpus"]: row["state"] for row in json.loads(shown.output)}
    assert "the file of the set mine has gone" in states["mine"]
    assert states["pianoray"] == "none of 2 films here" and "simulated" in states


def test_nobody_waits_on_after_an_interruption(tmp_path, server, bodies):
    path = own_set(tmp_path, server.url, {"a": ""})
    server.script["/films/a.mp4"] = [refuse(429, Retry_After="500")]
    chosen = plan(str(path), tmp_path / "films")
    threading.Timer(1.0, chosen.way.stop.set).start()
    began = time.monotonic()
    assert run(chosen)[0] == ["a"] and time.monotonic() - began < 20


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"place": "audeo-film"}, "did you mean audeo-films"),
        ({"place": "audeo-films", "only": ["wtc3-01"], "source": "/tmp"}, "no film 'wtc3-01'"),
        ({"place": "pianoray", "source": "/nowhere/{id}.mp4"}, "no folder /nowhere"),
        ({"place": "pianovam", "source": "/tmp/{id}.mp4"}, "fetch it from there once"),
        ({"place": "pianovam", "source": "/tmp"}, "metadata.json: missing"),
    ],
)
def test_what_cannot_be_begun(arguments, told):
    with pytest.raises(AudeoBenchError, match=told):
        plan(**arguments)


def test_what_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "deno", None)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(AudeoBenchError, match=r"JavaScript runtime deno.*pip install 'audeo-bench\[fetch\]'"):
        plan("audeo-films")
    monkeypatch.setitem(sys.modules, "yt_dlp", None)
    monkeypatch.setitem(sys.modules, "yt_dlp.version", None)
    with pytest.raises(AudeoBenchError, match=r"films from the web need yt_dlp"):
        plan("audeo-films")


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "audeo_bench", "data", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | environment,
    )


def test_hub_sets_come_at_one_commit_with_the_users_token(tmp_path, server, bodies):
    times = ["2024-02-14_19-10-09", "2024-02-15_10-00-00"]
    entries = ", ".join(
        f'"{place}": {{"record_time": "{time}", "split": "test", "composer": "B", "piece": "[red]B"}}'
        for place, time in enumerate(times)
    )
    tsv = b"# onset\tkey_offset\tframe_offset\tnote\tvelocity\n1.0\t1.5\t2.5\t60\t40\n"
    files = {"metadata.json": f"{{{entries}}}".encode()}
    files |= {f"Video/{time}.mp4": bodies["film"] for time in times}
    files |= {f"TSV/{time}.tsv": tsv for time in times}
    server.hubs["PianoVAM/PianoVAM_v1"] = hub = Hub(files, gated=True)
    environment = {"HF_ENDPOINT": server.url, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_XET": "1"}
    arguments = ("fetch", "pianovam", "--into", str(tmp_path / "films"))
    shut = command(*arguments, **environment)
    assert shut.returncode == 2 and "accept its conditions" in shut.stderr, shut.stderr
    server.script[f"/datasets/PianoVAM/PianoVAM_v1/resolve/{hub.sha}/Video/{times[0]}.mp4"] = [cut(0.5)]
    done = command(*arguments, **environment, HF_TOKEN="hf_good")
    assert done.returncode == 0, done.stderr
    assert "2 of 2" in done.stdout and "Table 1, every row, on all 2 films" in done.stdout
    record = read_record("pianovam")
    assert record.revision == hub.sha and set(record.films) == set(times)
    assert films_of("pianovam")[0].midi == tmp_path / "films/TSV/2024-02-14_19-10-09.tsv"
    asked = len(server.asked)
    assert command(*arguments, **environment).returncode == 0 and len(server.asked) == asked
    shown = CliRunner().invoke(app, ["data", "info", "pianovam"]).output
    assert "@inproceedings{kim2025pianovam" in shown and "[red]B" in shown
