"""Text: UTF-8 in every locale, JSON and CSV within limits, names that cannot act on a terminal."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audeo_bench.errors import AudeoBenchError
from audeo_bench.formats.text import parse_json, plain, read_csv, read_json, read_text

REMEDY = "write it again"
quietly = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(st.text())
def test_plain_text_is_one_printable_line_and_keeps_what_is_printable(text: str) -> None:
    shown = plain(text)
    assert "\x1b" not in shown
    assert len(shown.splitlines()) <= 1
    assert all(sign.isprintable() or sign.isspace() for sign in shown)
    assert plain(shown) == shown
    shown.encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Präludium Nr. 1 – C-Dur 前奏曲", "Präludium Nr. 1 – C-Dur 前奏曲"),
        ("Prélude\u00a0: 1", "Prélude\u00a0: 1"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("two\nlines\r", r"two\nlines\r"),
        ("gpj.\u202eexe", r"gpj.\u202eexe"),
        (os.fsdecode(b"\xff.wav"), r"\udcff.wav"),
        ("\x9b31m\u2028", r"\x9b31m\u2028"),
    ],
)
def test_names_are_shown_literally(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(text=st.text())
@quietly
def test_utf_8_reads_back_with_or_without_a_mark(tmp_path: Path, text: str) -> None:
    for codec in ("utf-8", "utf-8-sig"):
        (tmp_path / "a").write_bytes(text.encode(codec))
        if codec == "utf-8-sig" or not text.startswith("\ufeff"):
            assert read_text(tmp_path / "a", remedy=REMEDY) == text


def test_the_locale_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("é前".encode())
    program = (
        "import sys; from pathlib import Path; from audeo_bench.formats.text import read_text\n"
        "print(ascii(read_text(Path(sys.argv[1]), remedy='')))"
    )
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", program, tmp_path / "a"],
        env={**os.environ, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == ascii("é前")


values = st.recursive(
    st.none()
    | st.booleans()
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**63), 2**63 - 1),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(values)
def test_json_reads_back(content: object) -> None:
    assert parse_json(json.dumps(content), "a", remedy=REMEDY) == content


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 100_000, "nested too deeply"),
        ("[" * 100 + "]" * 100, "nested too deeply"),
        ('{"a":' * 100 + "1" + "}" * 100, "nested too deeply"),
        ("1" + "0" * 400, "the number 100000000000... of 401 digits"),
        ("1" * 10_000, "of 10000 digits"),
        (str(2**63), "of 19 digits"),
        ("[1e999]", "the number 1e999"),
        ("NaN", "the number NaN"),
        ("[-Infinity]", "the number -Infinity"),
        ("", "Expecting value"),
        ("{} {}", "Extra data"),
        ('{"a": 1, "b": 2, "a": 3}', "'a' stands in it twice"),
        (r'["\ud800"]', "half of a character"),
    ],
    ids=lambda text: text[:12],
)
def test_json_beyond_its_limits_is_one_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(AudeoBenchError) as refused:
        read_json(tmp_path / "a.json", remedy=REMEDY)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@given(text=st.text(alphabet='[]{}",:0123456789.eE-+truefalsnNIy \\u', max_size=60))
@settings(quietly, max_examples=300)
def test_any_json_is_a_finite_value_or_one_line(text: str) -> None:
    try:
        content = parse_json(text, "a.json", remedy=REMEDY)
    except AudeoBenchError as fault:
        assert str(fault).startswith("a.json: ")
    else:
        assert not isinstance(content, float) or math.isfinite(content)


def test_texts_that_cannot_be_read_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes("é".encode("latin1"))
    with pytest.raises(AudeoBenchError, match=r"a\.json: not UTF-8 at byte 0; write it again\.$"):
        read_json(path, remedy=REMEDY)
    with pytest.raises(AudeoBenchError, match="1 bytes, more than 0"):
        read_text(path, remedy=REMEDY, limit=0)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(AudeoBenchError, match="is a pipe"):
        read_text(path, remedy=REMEDY)


def test_a_table_has_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('\ufefffile,title\r\na.wav,"one, ""two"""\r\nb.wav\r\n', encoding="utf-8")
    assert read_csv(path, ("file", "title"), remedy=REMEDY) == [
        {"file": "a.wav", "title": 'one, "two"'},
        {"file": "b.wav", "title": ""},
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("file,title\n" + "a" * 200_000 + ",b\n", "field larger than field limit"),
        ('file,title\n"a,b\n', "unexpected end of data"),
        ("file,name\na,b\n", "has no column title"),
        ("", "has no column file, title"),
        ("file,title\na,b,c\n", "more cells than the header"),
    ],
    ids=["long", "open quote", "column", "empty", "wide"],
)
def test_other_tables_are_one_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(AudeoBenchError, match=words):
        read_csv(tmp_path / "t.csv", ("file", "title"), remedy=REMEDY)
