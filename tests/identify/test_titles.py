"""Answers that a service might give, and what each is worth."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audeo_bench.api import Work
from audeo_bench.identify.title_parsing import Key, fold, parse, parse_keys
from audeo_bench.identify.titles import Answer, judge

CASES = list(csv.DictReader((Path(__file__).parent / "title_cases.csv").open(encoding="utf-8")))
TONICS = ("C", "C sharp", "D", "E flat", "E", "F", "F sharp", "G", "A flat", "A", "B flat", "B")


def clavier(book: int, number: int) -> Work:
    key = f"{TONICS[(number - 1) // 2]} {'major' if number % 2 else 'minor'}"
    title = f"Prelude and Fugue No. {number} in {key}"
    bwv = 845 + number + 24 * (book - 1)
    return Work(
        "Johann Sebastian Bach", title, f"The Well-Tempered Clavier, Book {'I' * book}", number, bwv, key
    )


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case['book']}.{case['number']} {case['title'][:60]}"
)
def test_the_67_cases(case: dict[str, str]):
    work = clavier(int(case["book"]), int(case["number"]))
    answer = Answer(case["title"], case["artist"], case["album"])
    assert judge(work, answer, case["movement"] or None) == case["expected"]


def test_there_are_67_cases():
    assert len(CASES) == 67


LANGUAGES = [
    ("Le Clavier bien tempéré, Livre {book}: Prélude et fugue n° {number}", "French"),
    ("Das Wohltemperierte Klavier, Teil {book}: Präludium und Fuge Nr. {number}", "German"),
    ("Il clavicembalo ben temperato, Libro {book}: Preludio e fuga n. {number}", "Italian"),
    ("El clave bien temperado, Libro {book}: Preludio y fuga núm. {number}", "Spanish"),
    ("O Cravo Bem Temperado, Livro {book}: Prelúdio e Fuga Nº {number}", "Portuguese"),
    ("Хорошо темперированный клавир, том {book}: Прелюдия и фуга № {number}", "Russian"),
    ("平均律クラヴィーア曲集 第{book}巻 第{number}番 前奏曲とフーガ", "Japanese"),
    ("Das wohltemperierte Klavier, tom {book}: Preludium i fuga nr {number}", "Polish"),
    ("Het wohltemperierte Klavier, Boek {book}: Prelude en fuga nr. {number}", "Dutch"),
    ("平均律鋼琴曲集 第{book}卷 第{number}首", "Chinese"),
    ("The Well-Tempered Clavier, Bk. {book}: Prelude & Fugue #{number}", "English"),
    ("Das wohltemperirte Clavier, {book}. Teil: Fuge {number}", "old German"),
]


@pytest.mark.parametrize("pattern", [p for p, _ in LANGUAGES], ids=[language for _, language in LANGUAGES])
@given(
    book=st.integers(1, 2), number=st.integers(1, 24), other_book=st.integers(1, 2), other=st.integers(1, 24)
)
def test_book_and_number_decide_in_every_language(pattern, book, number, other_book, other):
    verdict = judge(clavier(book, number), Answer(pattern.format(book=other_book, number=other)))
    assert verdict == ("match" if (book, number) == (other_book, other) else "other")


@given(st.integers(1, 2), st.integers(1, 24), st.integers(1, 2), st.integers(1, 24))
def test_a_works_own_name_matches_it_and_no_other(book, number, other_book, other):
    work = clavier(other_book, other)
    answer = Answer(f"{work.collection}: {work.title}, BWV {work.bwv}")
    expected = "match" if (book, number) == (other_book, other) else "other"
    assert judge(clavier(book, number), answer) == expected


@pytest.mark.parametrize(
    ("text", "tonic", "major"),
    [
        ("h-Moll", 11, False),
        ("b-Moll", 10, False),
        ("B-Dur", 10, True),
        ("B Major", 11, True),
        ("B♭ minor", 10, False),
        ("Bb minor", 10, False),
        ("fis-moll", 6, False),
        ("As-Dur", 8, True),
        ("en sol dièse mineur", 8, False),
        ("in do diesis minore", 1, False),
        ("si bemol mayor", 10, True),
        ("ми-бемоль минор", 3, False),
        ("嬰ハ短調", 1, False),
        ("変ロ長調", 10, True),
        ("降B大调", 10, True),
        ("올림다단조", 1, False),
        ("in C-sharp minor", 1, False),
        ("C# major", 1, True),
        ("in G, BWV 860", 7, None),
    ],
)
def test_keys(text, tonic, major):
    assert parse_keys(fold(text)) == (Key(tonic, major),)


@pytest.mark.parametrize(
    "text", ["24 Preludes in a Jazz Style", "Domino", "Bach", "La Campanella", "Solitude"]
)
def test_no_key_where_there_is_none(text):
    assert parse_keys(fold(text)) == ()


def test_a_range_fixes_only_the_book():
    facts = parse("The Well-Tempered Clavier, BWV 870–893: Prelude No. 3")
    assert (facts.book, facts.number, facts.catalogue) == (2, 3, {})


def test_a_number_that_contradicts_its_key_is_ambiguous():
    assert (
        judge(clavier(1, 2), Answer("The Well-Tempered Clavier, Book I: Prelude No. 2 in D major"))
        == "ambiguous"
    )
    assert judge(clavier(1, 2), Answer("Prelude in D major, BWV 847")) == "ambiguous"


NOCTURNE = Work("Frédéric Chopin", "Nocturne in E-flat major, Op. 9 No. 2")
GYMNOPEDIE = Work("Erik Satie", "Gymnopédie No. 1")
SIMULATED = Work(
    "audeo-bench (simulated)", "Simulated prelude and fugue in C major, book 2", number=1, key="C major"
)


@pytest.mark.parametrize(
    ("work", "answer", "expected"),
    [
        (NOCTURNE, Answer("Nocturnes, Op. 9: No. 2 in E-Flat Major", "Arthur Rubinstein", "Chopin"), "match"),
        (NOCTURNE, Answer("Nocturne No. 2 in Es-Dur, Op. 9/2", "Maria João Pires"), "match"),
        (NOCTURNE, Answer("Nocturne in B-flat minor, Op. 9 No. 1", "Arthur Rubinstein", "Chopin"), "other"),
        (NOCTURNE, Answer("Nocturne in C minor, Op. 48 No. 1", "Arthur Rubinstein", "Chopin"), "other"),
        (NOCTURNE, Answer("Nocturnes, Op. 9", "Arthur Rubinstein", "Chopin"), "ambiguous"),
        (NOCTURNE, Answer("Prelude in C Major, BWV 846", "Lang Lang"), "other"),
        (GYMNOPEDIE, Answer("Gymnopédie No. 1", "Pascal Rogé", "Satie"), "match"),
        (GYMNOPEDIE, Answer("Gymnopédie No. 1", "Relaxing Piano"), "ambiguous"),
        (GYMNOPEDIE, Answer("3 Gymnopédies: No. 3", "Satie"), "other"),
        (SIMULATED, Answer(SIMULATED.title, SIMULATED.composer), "match"),
        (SIMULATED, Answer("Prelude and fugue in C major"), "other"),
        (SIMULATED, Answer("The Well-Tempered Clavier, Book II: Prelude No. 1 in C Major, BWV 870"), "other"),
    ],
)
def test_other_works(work, answer, expected):
    assert judge(work, answer) == expected


@given(st.text(max_size=80), st.text(max_size=40), st.text(max_size=40))
def test_any_text_gets_a_verdict(title, artist, album):
    verdict = judge(clavier(2, 1), Answer(title, artist, album))
    assert (verdict == "none") == (not title.strip())
