"""A set is a file: what is in it, what is refused, and how it is said."""

import json
import re
import time
from pathlib import Path

import numpy as np
import pytest
from film_server import make_film, make_labels
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from audeo_bench.cli import app
from audeo_bench.corpus.sets import Film, manifest_of_folder, read_labels, read_manifest, shipped_sets
from audeo_bench.corpus.sets.check import Refused, check_film
from audeo_bench.corpus.sets.here import open_set
from audeo_bench.corpus.sets.manifest import rows_of
from audeo_bench.corpus.sets.ways import way_of
from audeo_bench.errors import AudeoBenchError
from audeo_bench.film.writing import write_video

THREE = """
name = "my-films"
title = "Three films of my own"
truth = "true MIDI"

[[film]]
id = "prelude"
film = "prelude.mp4"
midi = "prelude.mid"
split = "train"

[[film]]
id = "fugue"
film = "fugue.mov"
midi = "fugue.mid"
corners = [[616.2, 174.7], [20.1, 312.6], [0.6, 229.2], [604.1, 103.8]]
start_s = 1.25

[[film]]
id = "silent"
film = "films/silent.mp4"
"""
CSV = """id,film,midi,split,corners,blocked,remark
a,a.mp4,a.mid,test,"1 2 3 4 5 6 7 8",33.4-end,"said, and quoted"
b,b.mp4,,,,38.32-45.76 50-51,
"""


def written(tmp_path: Path, text: str, name: str = "set.toml") -> Path:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / name


def test_a_set_of_three_films(tmp_path):
    films = read_manifest(written(tmp_path, THREE))
    assert films.name == "my-films"
    assert films.splits == {"train": 1, "test": 2}
    assert films.films[1].corners == (616.2, 174.7, 20.1, 312.6, 0.6, 229.2, 604.1, 103.8)
    assert films.films[2].midi is None
    assert films.films[0].start_s is None and films.films[1].start_s == 1.25


def test_the_same_as_a_table(tmp_path):
    films = read_manifest(written(tmp_path, CSV, "My films.csv"))
    assert films.name == "my-films"
    assert films.films[0].corners == (1, 2, 3, 4, 5, 6, 7, 8)
    assert films.films[0].blocked == ((33.4, None),)
    assert films.films[1].blocked == ((38.32, 45.76), (50, 51))
    assert films.films[1].split == "test"


def test_a_folder_of_films_with_midi_beside_them(tmp_path):
    for name in ("train/a.mp4", "valid/b.mkv", "c.MOV", ".hidden/d.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    make_labels(tmp_path / "train/a.mid")
    make_labels(tmp_path / "labels/c.midi")
    films = manifest_of_folder(tmp_path)
    assert {film.id: (film.film, film.midi, film.split) for film in films.films} == {
        "a": ("train/a.mp4", "train/a.mid", "train"),
        "b": ("valid/b.mkv", None, "validation"),
        "c": ("c.MOV", "labels/c.midi", "test"),
    }


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ('id = "a"\nfilm = "../a.mp4"', r"film 1 \(a\): film: must be a path below the set's folder"),
        ('id = "a"\nfilm = "/etc/passwd"', r"film: must be a path below"),
        ('id = "a"\nmidi = "C:\\\\a.mid"', r"midi: must be a path below"),
        ('id = "../a"', r"id: must be letters, digits"),
        ('id = "a"\ntitel = "x"', r"titel: no such column; did you mean title\?"),
        ('id = "a"\ncorners = [1, 2, 3]', r"corners: "),
        ('id = "a"\ncorners = [1,2,3,4,5,6,7,8]\ncrop = [1,2,3,4]', r"corners and a crop"),
        ('id = "a"\ncrop = [5,2,3,4]', r"left, top, right, bottom"),
        ('id = "a"\nrate = 0.0', r"rate: "),
        ('id = "a"\nstart_s = nan', r"start_s: .*finite"),
        ('id = "a"\ntitle = "\\u001b[31mred"', r"title: holds control characters"),
        ('id = "a"\nyoutube = "x&y=1"', r"youtube: "),
        ('film = "a.mp4"', r"film 1: id: missing"),
        ('id = "a"\nmidi = ".bash_profile"', r"midi: must not be hidden"),
        ('id = "a"\nfilm = "a/.ssh/b.mp4"', r"film: must not be hidden"),
        ('id = "a"\nmidi = "Makefile"', r"midi: must end in one of \.mid, \.midi, \.tsv, found 'Makefile'"),
        ('id = "a"\nnpz = "a.mid"', r"npz: must end in one of \.npz"),
        ('id = "a"\nfilm = "a.py"', r"film: must end in one of \.mp4"),
        ('id = "a"\ncorners = [1,2,3,4,5,6,7,1e300]', r"corners\.7: .*less than or equal to 100000"),
        ('id = "a"\ncrop = [-1e9,2,3,4]', r"crop\.0: .*greater than or equal to -100000"),
        ('id = "a"\npicture = [0, 0]', r"picture\.0: .*greater than or equal to 1"),
        ('id = "a"\ntrim_s = 1e18', r"trim_s: .*less than or equal to 86400"),
        ('id = "a"\nstart_s = -1e300', r"start_s: .*greater than or equal to -86400"),
        ('id = "a"\nblocked = [[-1, 2]]', r"blocked\.0\.0: .*greater than or equal to 0"),
        ('id = "a"\nnumber = 1' + 29 * "0", r"number: .*less than or equal to 100000"),
        ('id = "a"\nnumber = 0x' + 5000 * "f", r"number: .*found 'a number of thousands of digits'"),
        ('id = "a"\n[[film]]\nid = "A"', r"two rows have the id 'a'"),
    ],
)
def test_what_is_wrong_is_said_with_row_and_column(tmp_path, row, told):
    path = written(tmp_path, f'name = "x"\n[[film]]\n{row}\n')
    with pytest.raises(AudeoBenchError, match=told) as error:
        read_manifest(path)
    assert str(error.value).startswith(str(path)) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name = 'x'\nfolder = '/etc'\n", "folder: no such column"),
        ("name = 'x'\nlicense = 'MIT'\n", "license: no such column; did you mean licence"),
        ("name = 'x'\ntruth = 'guessed'\n", "truth: "),
        ("name = 'x'\n[source]\nkind = 'https'\nbase = 'file:///etc/'\n", "base"),
        ("name = 'x'\n[source]\nkind = 'ftp'\n", "source: "),
        ("name = 'x'\ntable = '../other.csv'\n", "table must name a .csv"),
        ("name = 'x", "not TOML"),
        ("name = 'x'\nnumber = " + 5000 * "9", r"not TOML \(Exceeds the limit"),
        ("name = 'x'\nfaults = " + 5000 * "[" + 5000 * "]", r"not TOML \(nested too deeply"),
        ("name = 'x'\nfaults = [[{" + 5000 * "a." + "a = 1}]]", r"faults\.0: input should be a valid string"),
        ("name = 'x'\ngigabytes = 1e300", "gigabytes: "),
        ("title = 'x'\n", "name: missing"),
    ],
)
def test_faults_of_the_head(tmp_path, text, told):
    with pytest.raises(AudeoBenchError, match=told):
        read_manifest(written(tmp_path, text))


def test_a_faulty_line_of_a_table_is_named(tmp_path):
    path = written(tmp_path, "id,split\na,test\nb,Test Set\n", "x.csv")
    with pytest.raises(AudeoBenchError, match=r"x\.csv: line 3 \(b\): split: .*'Test Set'"):
        read_manifest(path)
    with pytest.raises(AudeoBenchError, match="line 2: more cells than columns"):
        read_manifest(written(tmp_path, "id,split\na,test,corner\n", "y.csv"))
    with pytest.raises(AudeoBenchError, match="line 1: two columns are called 'id'"):
        read_manifest(written(tmp_path, "id,split,id\na,test,b\n", "z.csv"))
    with pytest.raises(AudeoBenchError, match="the file is empty; begin with a line"):
        read_manifest(written(tmp_path, "", "nothing.csv"))


@pytest.mark.parametrize("sign", [";", "\t"])
def test_a_table_with_other_signs_between_its_cells(tmp_path, sign):
    path = written(tmp_path, f"id{sign}film\na{sign}a,b.mp4\n", "excel.csv")
    with pytest.raises(
        AudeoBenchError, match=re.escape(f"line 1: its cells stand apart by {sign!r}; save it")
    ):
        read_manifest(path)


def test_a_table_of_many_rows_is_read_in_seconds(tmp_path):
    path = written(tmp_path, "id\n" + "".join(f"film-{place}\n" for place in range(40_000)), "many.csv")
    began = time.monotonic()
    assert len(read_manifest(path).films) == 40_000
    assert time.monotonic() - began < 20


def test_a_set_that_became_unreadable_hides_no_other(tmp_path):
    path = written(tmp_path, THREE)
    open_set(str(path), remember=True)
    path.write_text("faults = " + 5000 * "[")
    shown = CliRunner().invoke(app, ["data", "list", "--json"])
    states = {row["corpus"]: row["state"] for row in json.loads(shown.output)}
    assert "nested too deeply" in states["my-films"] and states["pianoray"] == "none of 2 films here"


@pytest.mark.parametrize("source", ["", "/lab/{name}.mp4", "https://lab/{id}/{}"])
def test_a_mirror_without_a_place_for_an_id_is_refused(source):
    with pytest.raises(AudeoBenchError, match=re.escape("give a folder or an address, with {id}")):
        way_of(read_manifest(shipped_sets()["pianoray"]), source, None, None)


def test_a_check_of_a_film_can_be_stopped(tmp_path):
    write_video(tmp_path / "film.mp4", np.zeros((50, 90, 160), np.uint8))

    def stopped() -> None:
        raise Refused("stopped")

    with pytest.raises(Refused, match="stopped"):
        check_film(tmp_path / "film.mp4", Film(id="film", film="film.mp4"), None, stopped)


def test_a_set_that_is_only_looked_at_is_not_remembered(tmp_path):
    path = written(tmp_path, THREE)
    shown = CliRunner().invoke(app, ["data", "info", str(path)])
    assert shown.exit_code == 0 and "Three films of my own" in shown.output
    assert "my-films" not in CliRunner().invoke(app, ["data", "list", "--json"]).output


@given(st.text(max_size=60))
def test_no_path_leaves_the_folder(text):
    try:
        film = Film.model_validate({"id": "a", "film": text + ".mp4"})
    except ValueError:
        return
    root = Path("/somewhere/films")
    assert (root / film.film).resolve().is_relative_to(root)


def test_shipped_sets_are_whole():
    sets = {name: read_manifest(path) for name, path in shipped_sets().items()}
    assert sets.keys() == {
        "akbari",
        "audeo-films",
        "audeo-films-found",
        "miditest",
        "other-keyboards",
        "pianoray",
        "pianovam",
        "pianovid-r",
        "pianoyt",
    }
    for name, films in sets.items():
        assert films.name == name and films.citation.strip().startswith("@") and films.licence != "not stated"
    assert sets["audeo-films"].splits == {"wtc1": 21, "validation": 3, "wtc2": 3}
    assert sets["audeo-films-found"].films == sets["audeo-films"].films
    assert sets["audeo-films-found"].find_corners and not sets["audeo-films"].find_corners
    assert sets["pianoyt"].splits == {"train": 207, "test": 21}
    assert sets["akbari"].splits == {"test": 9, "train": 44, "validation": 12}
    assert {film.youtube for film in sets["audeo-films"].split("wtc2")} == {
        "u5nBBJndN3I",
        "nwwHuxHMIpc",
        "ra1jf2nzJPg",
    }
    furelise = sets["pianoray"].films[0]
    assert (furelise.id, furelise.start_s, furelise.split) == ("furelise", -16.0, "test")


def test_no_film_and_no_midi_ships():
    folder = shipped_sets()["akbari"].parent
    assert {path.suffix for path in folder.iterdir()} == {".toml", ".csv"}


# The form of PianoVAM: metadata.json is an object of entries, TSV tables have a commented header.
VAM = {
    "0": {
        "record_time": "2024-02-14_19-10-09",
        "split": "train",
        "composer": "E. Grieg",
        "piece": "Piano Concerto",
        "Point_LT": "12, 30",
        "Point_RT": "1900, 28",
        "Point_RB": "1903, 190",
        "Point_LB": "9, 193",
        "P1_name": "somebody",
    },
    "1": {
        "record_time": "2024-09-04_10-00-00",
        "split": "valid",
        "composer": None,
        "piece": "Improvisation",
        "Point_LT": "",
    },
}
TSV = (
    "# onset\tkey_offset\tframe_offset\tnote\tvelocity\n"
    "6.684375\t6.740625\t7.5\t105\t92\n"
    "1.0\t1.5\t2.5\t60\t40\n"
)


def test_a_set_that_lists_its_own_rows():
    films = read_manifest(shipped_sets()["pianovam"])
    assert films.listing is not None
    first, second = rows_of(films.listing, VAM, Path("metadata.json"))
    assert first.film == "Video/2024-02-14_19-10-09.mp4" and first.midi == "TSV/2024-02-14_19-10-09.tsv"
    assert first.corners == (12, 30, 1900, 28, 1903, 190, 9, 193)
    assert (first.split, second.split, second.corners) == ("train", "validation", None)
    assert (first.composer, first.work) == ("E. Grieg", "Piano Concerto")


@pytest.mark.parametrize("time", ["../../etc/passwd", "a/b", ""])
def test_a_listing_cannot_lead_out_of_the_folder(time):
    films = read_manifest(shipped_sets()["pianovam"])
    assert films.listing is not None
    with pytest.raises(AudeoBenchError, match=r"metadata\.json: entry 1"):
        rows_of(films.listing, {"0": VAM["0"] | {"record_time": time}}, Path("metadata.json"))
    with pytest.raises(AudeoBenchError, match="no field 'record_time'"):
        rows_of(films.listing, json.loads('[{"split": "train"}]'), Path("metadata.json"))


def test_a_table_of_notes(tmp_path):
    held = read_labels(written(tmp_path, TSV, "a.tsv"), "hold")
    assert held.intervals[:, 1].tolist() == [2.5, 7.5]
    notes = read_labels(written(tmp_path, TSV, "a.tsv"))
    assert np.allclose(notes.intervals, [[1.0, 1.5], [6.684375, 6.740625]])
    assert notes.pitches.tolist() == [60, 105] and notes.velocities.tolist() == [40, 92]
    with pytest.raises(AudeoBenchError, match=r"a\.tsv: line 2: not a note"):
        read_labels(written(tmp_path, "onset\tkey_offset\tnote\tvelocity\nnan\t1\t60\t1\n", "a.tsv"))
    with pytest.raises(AudeoBenchError, match="no column 'key_offset'"):
        read_labels(written(tmp_path, "onset\tnote\n", "a.tsv"))


def test_the_example_of_the_docs_is_a_set(tmp_path):
    docs = Path(__file__).parents[3] / "docs" / "sets.md"
    example = re.search(r"```toml\n(.*?)```", docs.read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    films = read_manifest(written(tmp_path, example[1]))
    assert len(films.films) == 3
    make_film(tmp_path / films.films[0].film)
