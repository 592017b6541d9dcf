"""Boards: whole or not at all, the same from the same rows, never a mixture."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mounting import mounted

from audeo_bench.api import AudeoBenchError
from audeo_bench.files import locked
from audeo_bench.leaderboards.boards import held, read_boards
from audeo_bench.leaderboards.rows import write_row
from audeo_bench.places import checkout
from audeo_bench.records import Row, Training
from audeo_bench.report import boards as building
from audeo_bench.report.boards import build, outdated


def test_committed_boards_are_a_fresh_build():
    root = checkout()
    assert root is not None
    folder = root / "leaderboards"
    stale = outdated(folder)
    assert not stale, f"{', '.join(stale)}: run `audeo-bench leaderboard build` and commit"


def test_the_same_rows_give_the_same_boards(boards_folder):
    first = [path.read_bytes() for path in build(boards_folder)]
    assert [path.read_bytes() for path in build(boards_folder)] == first
    assert outdated(boards_folder) == []


def test_a_new_row_makes_the_boards_outdated(boards_folder, make_row):
    build(boards_folder)
    write_row(make_row("newcomer"), boards_folder)
    assert outdated(boards_folder) == ["README.md", "index.html"]


def test_boards_are_ranked_and_say_where_they_come_from(boards_folder):
    (board,) = read_boards(boards_folder)
    assert [(e.rank, e.name) for e in board.entries] == [(1, "keywise"), (2, "video2roll")]
    markdown, page = (path.read_text() for path in build(boards_folder))
    assert "## simulated · wtc2 (simulated)" in markdown
    assert "| 1 | a | **keywise** |" in markdown
    assert "*56.4*" in markdown, "the paper's cell stands beside"
    assert "Contradicts the row's own columns" in markdown
    assert "https://" not in page and "http://www.w3.org/2000/svg" in page


def test_real_films_are_ranked_on_all_keys_and_speak_of_other_films(tmp_path, make_row):
    film = {
        "corpus": "akbari",
        "split": "test",
        "provenance": "recorded",
        "truth": "pressed",
        "recordings": 9,
    }
    for name, right in (("video2roll@akbari", 0.6), ("keywise@akbari", 0.8)):
        write_row(make_row(name, right, seed=int(100 * right), **film), tmp_path)
    (board,) = read_boards(tmp_path)
    assert (str(board.measure), str(board.beside)) == ("micro.88@0.4", "frame_mean.88@0.4")
    assert board.standing.compare("keywise@akbari", "video2roll@akbari").verdict == "general"
    markdown, page = (path.read_text() for path in build(tmp_path))
    assert "## akbari · test (recorded)" in markdown and "paper's F1 |" not in markdown
    assert "speak of recordings like these 9." in markdown and "speak of recordings like these 9." in page
    assert "truth: what is pressed" in markdown
    assert "Note columns" in markdown and "onset@100" in markdown


def test_boards_say_how_long_a_minute_of_film_takes_on_what(tmp_path, make_row):
    known = make_row("known", 0.8).model_dump()
    hardware = {"processor": "AMD <EPYC>", "cores": 8, "threads": 1}
    nothing = {"seconds": None, "frames_per_second": None}
    known = make_row("known", 0.8, origin=known["origin"] | {"hardware": hardware})
    unknown = make_row("unknown", 0.6, seed=5, times=known.times.model_dump() | nothing)
    for row in (known, unknown):
        write_row(row, tmp_path)
    frames = sum(answer.frames for answer in known.answers.values())
    seconds = 25 * 60 * 12.5 / frames  # 12.5 s for all recordings, on the wall's clock
    shown = f"{seconds:.1f}"
    (lines,) = json.loads(building.as_json(tmp_path)).values()
    assert [(line["s/min of film"], line["Hardware"]) for line in lines] == [
        (shown, "AMD <EPYC>, 1 thread"),
        ("–", "–"),
    ]
    markdown, page = (path.read_text() for path in build(tmp_path))
    assert f"| {shown} | AMD &lt;EPYC&gt;, 1 thread |" in markdown
    assert ">AMD &lt;EPYC&gt;, 1 thread</td>" in page and f'"seconds_a_minute":[{seconds:.6f},null]' in page
    assert "on the wall's clock of the hardware beside" in markdown


def test_boards_say_what_training_took_on_what(tmp_path, make_row):
    row = make_row("trained", 0.8)
    training = Training(seconds=900.0, hardware={"processor": "AMD EPYC", "threads": 2})
    stage = row.stages[0].model_copy(update={"training": training})
    write_row(row.model_copy(update={"stages": (stage,)}), tmp_path)
    write_row(make_row("unknown", 0.6, seed=5), tmp_path)
    (lines,) = json.loads(building.as_json(tmp_path)).values()
    assert [line["Training"] for line in lines] == ["0.50 CPU-h, AMD EPYC, 2 threads", "–"]
    markdown, page = (path.read_text() for path in build(tmp_path))
    assert "| 0.50 CPU-h, AMD EPYC, 2 threads |" in markdown
    assert ">0.50 CPU-h, AMD EPYC, 2 threads</td>" in page


def test_three_recordings_do_not_speak_of_new_ones(boards_folder):
    (board,) = read_boards(boards_folder)
    assert str(board.measure) == "frame_mean.51@0.4"
    assert "fewer than 8 say nothing of new ones" in board.reading()
    assert "points would be shown in 80 % of such tables" in board.reading()


def test_equals_share_a_rank(boards_folder, make_row):
    write_row(make_row("twin", 0.8, seed=80), boards_folder)
    (board,) = read_boards(boards_folder)
    ranks = {entry.name: entry.rank for entry in board.entries}
    assert ranks == {"keywise": 1, "twin": 1, "video2roll": 3}
    (lines,) = json.loads(building.as_json(boards_folder)).values()
    assert [line["ties"] for line in lines] == ["a", "a", "b"], "the group that each line is tied with"
    markdown, page = (path.read_text() for path in build(boards_folder))
    assert "| 1= | a | **twin** |" in markdown
    assert page.count('data-label="Ties">a</td>') == 2


def test_names_are_text_wherever_they_stand(tmp_path, make_row):
    hostile = "x: <script>alert(1)</script> | `code` \x1b[31m\n# heading"
    write_row(make_row("keywise", marks=(hostile,)), tmp_path)
    markdown, page = (path.read_text() for path in build(tmp_path))
    assert "<script>alert" not in markdown and "<script>alert" not in page
    assert "\\|" in markdown
    assert "\x1b" not in markdown + page
    assert "\n# heading" not in markdown


def test_other_recordings_are_never_merged(boards_folder, make_row):
    write_row(make_row("stranger", provenance="recorded"), boards_folder)
    with pytest.raises(AudeoBenchError, match=r"provenance.*never merged"):
        build(boards_folder)


def test_a_row_that_names_its_truth_joins_older_ones_that_do_not(boards_folder, make_row):
    def by(name: str, whose: str) -> Row:
        row = make_row(name)
        subject = row.subject.model_copy(update={"truth_by": whose})
        return row.model_copy(update={"scores": row.scores.model_copy(update={"subject": subject})})

    write_row(by("named", "true MIDI"), boards_folder)
    (board,) = read_boards(boards_folder)
    assert "truth: what is sounding (true MIDI)" in board.facts()
    write_row(by("other", "PianoYT"), boards_folder)
    with pytest.raises(AudeoBenchError, match=r"truth_by.*never merged"):
        read_boards(boards_folder)


def test_a_broken_row_leaves_the_old_boards(boards_folder):
    before = [path.read_bytes() for path in build(boards_folder)]
    row = boards_folder / "simulated-wtc2" / "keywise.json"
    row.write_text(row.read_text().replace('"seconds": 12.5', '"seconds": "12.5"'))
    with pytest.raises(AudeoBenchError, match=r"keywise\.json: times\.seconds"):
        build(boards_folder)
    assert [(boards_folder / name).read_bytes() for name in ("README.md", "index.html")] == before


def test_a_folder_that_cannot_be_written_is_one_clear_error(boards_folder, monkeypatch):
    build(boards_folder)

    def refuse(path: Path, *others: Path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(building, "atomic_writes", refuse)
    with pytest.raises(AudeoBenchError, match=r"cannot be written \(Permission denied\).*--boards"):
        build(boards_folder)
    with pytest.raises(AudeoBenchError, match="cannot be written"), held(Path("/proc/leaderboards")):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_one_clear_error(boards_folder):
    boards_folder.chmod(0o500)
    with pytest.raises(AudeoBenchError, match="cannot be written"):
        build(boards_folder)


def test_a_read_only_folder_is_one_clear_error(boards_folder, tmp_path):
    with mounted(tmp_path / "disk", "size=8m") as disk:
        folder = shutil.copytree(boards_folder, disk / "boards")
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(AudeoBenchError, match="cannot be written"):
            build(folder)
        assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_whoever_holds_the_folder_is_waited_for(boards_folder):
    with (
        held(boards_folder),
        pytest.raises(AudeoBenchError, match=rf"process {os.getpid()} .* has been writing here for 0.1 s"),
        locked(boards_folder, seconds=0.1),
    ):
        pass


def test_killed_at_any_moment_the_boards_are_whole(boards_folder, make_row):
    """Kill -9 while a process builds in turns from two sets of rows: one's boards lie there whole."""
    names = ("README.md", "index.html")
    wholes = {name: set() for name in names}
    row = boards_folder / "simulated-wtc2" / "keywise.json"
    texts = [row.read_text(), row.read_text().replace("audeo-bench midi", "audeo-bench midi --seed 1")]
    for text in texts:
        row.write_text(text)
        build(boards_folder)
        for name in names:
            wholes[name].add((boards_folder / name).read_bytes())
    script = (
        "import sys; from pathlib import Path\n"
        "from audeo_bench.report.boards import build\n"
        "folder, row, *texts = sys.argv[1:]\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    for text in texts: Path(row).write_text(Path(text).read_text()); build(Path(folder))\n"
    )
    files = []
    for number, text in enumerate(texts):
        files.append(boards_folder.parent / f"{number}.json")
        files[-1].write_text(text)
    for wait in (0.0, 0.15, 0.4):
        command = [sys.executable, "-c", script, boards_folder, row, *files]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        for name in names:
            assert (boards_folder / name).read_bytes() in wholes[name]
    row.write_text(texts[0])
    build(boards_folder)  # neither the lock nor a temporary file is in the way


def test_verified_json_is_checked(boards_folder):
    (boards_folder / "verified.json").write_text(json.dumps({"simulated-wtc2/keywise": 1}))
    with pytest.raises(AudeoBenchError, match=r"verified\.json.*leaderboard verify"):
        build(boards_folder)


def test_boards_are_printed_and_a_row_has_a_badge(boards_folder, tmp_path):
    (sheet,) = building.sheets(boards_folder, "simulated-wtc2")
    assert [line.cells[1] for line in sheet.lines] == ["keywise", "video2roll"]
    (rows,) = json.loads(building.as_json(boards_folder)).values()
    assert rows[0]["contestant"] == "keywise"
    with pytest.raises(AudeoBenchError, match="did you mean simulated-wtc2"):
        building.sheets(boards_folder, "simulated-wtc")
    badge = building.write_badge(boards_folder / "simulated-wtc2" / "keywise.json", tmp_path / "badge.svg")
    assert badge.read_text().startswith("<svg ")
    assert f"F1 {rows[0]['F1']} % · rank 1 of 2" in badge.read_text()
