"""Does an answer name the work? The rules that turn a service's answer into a verdict.

Only ``match`` counts as right. ``other`` names another work; ``ambiguous`` could be the work but does not
say enough (the Well-Tempered Clavier has two preludes and fugues in every key, so a title without its book
decides nothing); ``none`` is no answer. In order:

1. A BWV number wins. It is ambiguous where it contradicts the key stated beside it, or carries a variant's
   letter. A range (``BWV 846-869``) fixes only the book.
2. Else the answer must name the collection and its book, and the number or the key with its mode. The album
   may supply the collection and the book, nothing else, and never against the title.
3. The movement is either one unless the caller asks, since the recordings are prelude-and-fugue pairs.
4. Works outside the Well-Tempered Clavier: catalogue number (opus and number, K., D., ...), else title,
   number and key together with the composer's name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from audeo_bench.api import Work
from audeo_bench.identify.title_parsing import Facts, Key, fold, parse, parse_keys

Verdict = Literal["match", "other", "ambiguous", "none"]
Movement = Literal["prelude", "fugue"]

RULES_VERSION = 1
"""Goes up whenever a verdict may change; stored with every judged table."""


@dataclass(frozen=True)
class Answer:
    """What a service or an engine answered; an empty title is no answer."""

    title: str = ""
    artist: str = ""
    album: str = ""


def judge(work: Work, answer: Answer, movement: Movement | None = None) -> Verdict:
    """Whether ``answer`` names ``work``.

    Parameters
    ----------
    work : Work
        What was played.
    answer : Answer
    movement : {"prelude", "fugue"}, optional
        Ask for this movement; by default either will do.

    Returns
    -------
    {"match", "other", "ambiguous", "none"}

    Examples
    --------
    >>> clavier = "The Well-Tempered Clavier, Book II"
    >>> work = Work("J. S. Bach", "Prelude and Fugue No. 1", clavier, number=1, bwv=870, key="C major")
    >>> judge(work, Answer("Das Wohltemperierte Klavier II: Präludium Nr. 1 C-Dur", "Richter"))
    'match'
    >>> judge(work, Answer("The Well-Tempered Clavier: Prelude No. 1 in C Major", "Gould"))
    'ambiguous'
    """
    if not answer.title.strip():
        return "none"
    own_name = (work.title, work.composer, work.collection or "")
    if tuple(map(fold, (answer.title, answer.artist, answer.album))) == tuple(map(fold, own_name)):
        return "match"  # As our own catalogues answer.
    if "simulated" in fold(f"{work.composer} {work.collection or ''} {work.title}"):
        return "other"  # Invented music: no real recording can be it, whatever its title has in common.
    stated, album = parse(answer.title), parse(answer.album)
    if movement and stated.movements and movement not in stated.movements:
        return "other"
    if (numbers := stated.catalogue.get("bwv")) and (work.bwv or "bach" in fold(work.composer)):
        return _judge_bwv(work, numbers, stated)
    known = parse(f"{work.collection or ''}: {work.title}")
    if known.clavier:
        return _judge_clavier(work, known.book, stated, album)
    return _judge_other_work(work, stated, answer)


def _work_key(work: Work) -> Key | None:
    keys = parse_keys(fold(work.key or "")) or parse_keys(fold(work.title))
    return keys[0] if keys else None


def _contradicts(key: Key | None, stated: tuple[Key, ...]) -> bool:
    return key is not None and bool(stated) and not any(key.agrees(other) for other in stated)


def _judge_bwv(work: Work, numbers: frozenset[str], stated: Facts) -> Verdict:
    if str(work.bwv) not in {number.rstrip("abcde") for number in numbers}:
        return "other"
    if numbers != {str(work.bwv)} or _contradicts(_work_key(work), stated.keys):
        return "ambiguous"
    return "match"


def _judge_clavier(work: Work, book: int | None, stated: Facts, album: Facts) -> Verdict:
    key = _work_key(work)
    number_agrees = None if stated.number is None or work.number is None else stated.number == work.number
    if _contradicts(key, stated.keys):
        key_agrees = False
    else:
        key_agrees = True if any(k.major is not None for k in stated.keys) else None
    if not (stated.clavier or album.clavier):
        # Perhaps the piece, but a title that does not say whose prelude it is proves nothing.
        plausible = stated.movements and not stated.catalogue and not album.catalogue
        agrees = True in (number_agrees, key_agrees) and False not in (number_agrees, key_agrees)
        return "ambiguous" if plausible and agrees else "other"
    if number_agrees is False and key_agrees is not True:
        return "other"
    if key_agrees is False and number_agrees is not True:
        return "other"
    stated_book = stated.book if stated.book is not None else album.book
    if stated_book is not None and stated_book != book:
        return "other"
    if number_agrees is False or key_agrees is False:  # The number says one piece, the key another.
        return "ambiguous"
    if stated_book is None or (number_agrees is None and key_agrees is None):
        return "ambiguous"
    return "match"


_STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an and the of for in no nr op opus major minor flat sharp dur moll de la le les un une et y e il "
        "der die das und piano solo by from i ii iii iv v vi bwv",
    )
)


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"[^\W\d_]+", text) if word not in _STOP_WORDS and len(word) > 1}


def _judge_other_work(work: Work, stated: Facts, answer: Answer) -> Verdict:
    known = parse(work.title)
    number = work.number if work.number is not None else known.number
    key = _work_key(work)
    composer = fold(work.composer).split()[-1:] or [""]
    composer_named = bool(composer[0]) and composer[0] in fold(
        f"{answer.title} {answer.artist} {answer.album}"
    )
    for system, numbers in known.catalogue.items():
        if system not in stated.catalogue:
            continue
        if not numbers & stated.catalogue[system]:
            return "other"
        if number is not None and stated.number is not None:
            if stated.number != number:
                return "other"
        elif number is not None:
            return "ambiguous"
        # Opus numbers are shared by all composers, so the number alone says too little.
        same_form = composer_named or bool(_words(known.text) & _words(stated.text))
        return "match" if same_form and not _contradicts(key, stated.keys) else "ambiguous"
    if _contradicts(key, stated.keys) or (None not in (number, stated.number) and number != stated.number):
        return "other"
    wanted = _words(known.text) - {composer[0]}
    if not wanted or not wanted <= _words(stated.text):
        return "other"
    said_enough = (key is None or bool(stated.keys)) and (number is None or stated.number is not None)
    return "match" if composer_named and said_enough else "ambiguous"
