"""Reading the facts out of a recording's title, in a dozen languages.

A title such as ``Das Wohltemperierte Klavier, 2. Teil: Präludium und Fuge b-Moll BWV 891`` states a work, a
book, a key, a catalogue number and movements. :func:`parse` finds them; :mod:`.titles` decides.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cache


def fold(text: str) -> str:
    """Lower case without Latin accents, one kind of dash, musical signs spelled out: ``A♭`` -> ``a flat``."""
    text = text.replace("♯", " sharp ").replace("♭", " flat ").replace("№", " no ")
    text = re.sub(r"n\.?\s?[º°]", " no ", text, flags=re.IGNORECASE)
    text = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    text = unicodedata.normalize("NFC", "".join(c for c in text if not "\u0300" <= c <= "\u036f"))
    text = re.sub(r"[‐‑‒–—―−]", "-", text)
    text = re.sub(r"#\s*(?=\d)", " no ", text)
    text = re.sub(r"(?<=\b[a-g])#", " sharp ", text)
    return re.sub(r"\s+", " ", text).strip()


@dataclass(frozen=True)
class Key:
    """Tonic as a pitch class (C = 0; enharmonic names are equal) and mode, None where it is not said."""

    tonic: int
    major: bool | None

    def agrees(self, other: Key) -> bool:
        """False only where the two contradict each other."""
        unknown = self.major is None or other.major is None
        return self.tonic == other.tonic and (unknown or self.major == other.major)


@dataclass(frozen=True)
class Facts:
    """What one text states. Empty or None: it does not say.

    Attributes
    ----------
    clavier : bool
        The Well-Tempered Clavier is named.
    book : int or None
        1 or 2.
    number : int or None
        The number within the collection or opus.
    keys : tuple of Key
    movements : frozenset of {"prelude", "fugue"}
        The last part that names any (after a colon, dash or comma) wins, so that
        ``Prelude & Fugue ...: II. Fugue`` is a fugue.
    catalogue : dict
        Single catalogue numbers by system (``bwv``, ``op``, ...), with letter suffixes kept (``855a``).
    """

    text: str = ""
    clavier: bool = False
    book: int | None = None
    number: int | None = None
    keys: tuple[Key, ...] = ()
    movements: frozenset[str] = frozenset()
    catalogue: dict[str, frozenset[str]] = field(default_factory=dict)


def _any(*phrases: str) -> str:
    return "(?:" + "|".join(fold(phrase) for phrase in phrases) + ")"


_NATURAL = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_GERMAN = {
    **{
        "c": 0,
        "cis": 1,
        "des": 1,
        "d": 2,
        "dis": 3,
        "es": 3,
        "e": 4,
        "fes": 4,
        "eis": 5,
        "f": 5,
        "fis": 6,
        "ges": 6,
    },
    **{
        "g": 7,
        "gis": 8,
        "as": 8,
        "a": 9,
        "ais": 10,
        "b": 10,
        "bes": 10,
        "hes": 10,
        "h": 11,
        "ces": 11,
        "his": 0,
    },
}
_SOLFEGE = {
    **{"ut": 0, "do": 0, "re": 2, "mi": 4, "fa": 5, "sol": 7, "la": 9, "si": 11},
    **{"до": 0, "ре": 2, "ми": 4, "фа": 5, "соль": 7, "ля": 9, "си": 11},
}
_JAPANESE: dict[str, int] = dict(zip("ハニホヘへトイロ", (0, 2, 4, 5, 5, 7, 9, 11), strict=True))
_KOREAN: dict[str, int] = dict(
    zip((fold(name) for name in "다라마바사가나"), (0, 2, 4, 5, 7, 9, 11), strict=True)
)

_MAJOR = r"major|maj\b|majeur|maggiore|mayor|maior|мажор\w*"
_MINOR = r"minor|min\b|mineur|minore|menor|м[иі]нор\w*"
_SHARP = r"sharp|diese|diesis|sostenido|sustenido|diez|диез\w*"
_FLAT = r"flat|bemolle|bemol|бемоль\w*"
_MODE = rf"(?:(?P<major>{_MAJOR})|(?P<minor>{_MINOR}))"
_ACCIDENTAL = rf"(?:(?P<sharp>{_SHARP})|(?P<flat>{_FLAT}))"


def _longest_first(names: dict[str, int]) -> str:
    return "|".join(sorted(names, key=len, reverse=True))


# Latin and Cyrillic names need a word boundary; East Asian text has none.
_KEY_PATTERNS: tuple[tuple[str, dict[str, int]], ...] = (
    (rf"\b(?P<tonic>{_longest_first(_SOLFEGE)})[\s-]*{_ACCIDENTAL}?[\s-]*{_MODE}", _SOLFEGE),
    (rf"\b(?P<tonic>[a-g])[\s-]*(?:{_ACCIDENTAL}|(?P<b>(?<=[a-g])b\b))?[\s-]*{_MODE}", _NATURAL),
    (
        rf"\b(?P<tonic>{_longest_first(_GERMAN)})[\s-]*(?:(?P<major>dur\b|duuri|groot\b|grote terts)"
        r"|(?P<minor>moll?\b|molli\b|klein\b|kleine terts))",
        _GERMAN,
    ),
    (
        rf"\b(?:in|en|em)\s(?P<tonic>[a-g])(?:[\s-]+{_ACCIDENTAL})?(?=\s*(?:[,;:()\[\]]|$|-\s|bwv\b|op\b))",
        _NATURAL,
    ),
    (
        r"(?:(?P<sharp>升)|(?P<flat>降))?(?P<tonic>[a-g])\s*(?:(?P<major>大[调調])|(?P<minor>小[调調]))",
        _NATURAL,
    ),
    (
        r"(?:(?P<sharp>嬰)|(?P<flat>変))?(?P<tonic>[ハニホヘへトイロ])(?:(?P<major>長調)|(?P<minor>短調))",
        _JAPANESE,
    ),
    (
        rf"(?:(?P<sharp>{fold('올림')})|(?P<flat>{fold('내림')}))?\s*(?P<tonic>{_longest_first(_KOREAN)})\s*"
        rf"(?:(?P<major>{fold('장조')})|(?P<minor>{fold('단조')}))",
        _KOREAN,
    ),
)

_CLAVIER = (
    r"\bwell[\s-]*tempered|\bwohltemperi\w*|\btemperierte[ns]? klavier|\bclavier bien tempere"
    r"|\bclave bien temperado|\bclavicembalo ben temperato|\b(?:cravo|teclado) bem temperado"
    r"|\bclave ben temperat|\bwel(?:l)?getemperee?r?d|\bvalt?empererade|\bveltempererede|темперированн\w*"
    r"|темперован\w*|\bdobrze temperowan\w*|\btemperovan\w* klavir|\bhyvin viritetty|平均律|"
    + fold("평균율")
    + r"|"
    r"\bwt[ck]\b|\bdwk\b|\b48 preludes (?:and|&) fugues|\bthe 48\b"
)
_BOOK_WORD = (
    r"(?:book|bk|buch|band|bd|teil|livre|libro|livro|llibre|cahier|volume|vol|tome|tom|том|тетрадь|zeszyt|czesc|"
    r"deel|boek|kniha|dil|del|bok|kotet|osa|part|parte|partie|heft)"
)
_FIRST = r"first|erste[rs]?|premiere?|primo|primera?|primeiro|первый|первая|eerste|forste|forsta|pierwsz[ya]"
_SECOND = r"second|zweite[rs]?|deuxieme|secondo|segund[oa]|второй|вторая|tweede|andra|anden|drug[ia]"
_ORDINAL = rf"(?P<first>i\b|1\b|one\b|{_FIRST})|(?P<second>ii\b|2\b|two\b|zwei\b|{_SECOND})"
_BOOK_PATTERNS = (
    rf"\b{_BOOK_WORD}\b[.\s]*(?:no[.\s]*)?(?:{_ORDINAL})",
    rf"\b(?:{_ORDINAL})[.\s]*{_BOOK_WORD}\b",
    r"第\s*(?:(?P<first>[1一])|(?P<second>[2二]))\s*[巻卷冊集]",
    rf"{fold('제')}\s*(?:(?P<first>1)|(?P<second>2))\s*{fold('권')}",
    r"(?:(?P<first>[上])|(?P<second>[下]))[卷冊册]",
    # A bare numeral counts only right behind the work's name: "Klavier I", "WTC II", "平均律 2".
    rf"(?:{_CLAVIER})(?:\s*(?:clavier|klavier|keyboard|clavecin|clave|klavir|клавир))?[\s,.:-]*"
    r"(?:(?P<first>i|1)|(?P<second>ii|2))\b(?!\s*[.]?\s*(?:prelude|praeludium|fug))",
)

_PRELUDE = (
    r"\bprelud\w*|\bpraelud\w*|прелюди\w*|前奏曲|プレリュード|序曲|" + fold("전주곡") + "|" + fold("프렐류드")
)
_FUGUE = r"\bfug(?:ue|ues|e|en|a|as|hetta)\b|\bfuuga|\bфуг\w*|フーガ|遁走曲|赋格|賦格|" + fold("푸가")

_ROMAN_NUMERALS = (
    "i ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii xviii xix xx xxi xxii xxiii xxiv"
)
_ROMAN = {name: number for number, name in enumerate(re.findall(r"\w+", _ROMAN_NUMERALS), 1)}
_NUMERAL = rf"(?P<number>\d{{1,3}}\b|(?:{_longest_first(_ROMAN)})\b)"
_NUMBER_PATTERNS = (
    rf"\b(?:no|nr|num|numero|nummer|number|n|c|č|sz|op\s*\d+\s*[/-])[.\s]*(?:o\s)?{_NUMERAL}",
    r"第\s*(?P<number>\d{1,3})\s*[番首号號曲]",
    rf"(?P<number>\d{{1,3}})\s*(?:{fold('번')}|番|号)",
    rf"(?:{_PRELUDE}|{_FUGUE})\s+{_NUMERAL}(?!\s*(?:preludes|fugues))",
    r"\b(?:wt[ck]|dwk)\s*(?:i{1,2}|[12])\s*[/.:-]\s*(?P<number>\d{1,2})\b",
)

_CATALOGUES = ("bwv", "op", "k", "kv", "hob", "rv", "hwv", "woo", "twv", "wq", "d", "s", "l")
_CATALOGUE_NUMBER = re.compile(
    rf"\b(?P<system>{'|'.join(_CATALOGUES)})(?:\.\s*|\s+|(?=\d))(?:no\.?\s*)?(?P<number>\d{{1,4}})"
    r"(?P<suffix>[a-e]\b)?(?:\s*(?:-|/|bis|to|until)\s*(?:bwv\s*)?(?P<end>\d{1,4}))?"
)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def parse_keys(text: str) -> tuple[Key, ...]:
    """Every key that a folded text names, without repetition, as ``Key(tonic, major)``."""
    found: dict[Key, None] = {}
    taken: list[tuple[int, int]] = []
    for pattern, tonics in _KEY_PATTERNS:
        for match in _compiled(pattern).finditer(text):
            if any(start < match.end() and match.start() < end for start, end in taken):
                continue
            taken.append(match.span())
            groups = match.groupdict()
            shift = bool(groups.get("sharp")) - bool(groups.get("flat") or groups.get("b"))
            mode = True if groups.get("major") else False if groups.get("minor") else None
            found[Key((tonics[match["tonic"]] + shift) % 12, mode)] = None
    return tuple(found)


def _catalogue_numbers(text: str) -> tuple[dict[str, frozenset[str]], list[tuple[int, int]]]:
    singles: dict[str, set[str]] = {}
    ranges: list[tuple[int, int]] = []
    for match in _CATALOGUE_NUMBER.finditer(text):
        if match["end"] and match["system"] == "bwv":
            ranges.append((int(match["number"]), int(match["end"])))
            continue
        system = "k" if match["system"] == "kv" else match["system"]
        singles.setdefault(system, set()).add(match["number"].lstrip("0") + (match["suffix"] or ""))
        if match["end"]:  # "Op. 28/4": the second is the number within the opus; parse() reads it there.
            continue
    return {system: frozenset(numbers) for system, numbers in singles.items()}, ranges


def _book(text: str, ranges: list[tuple[int, int]]) -> int | None:
    for pattern in _BOOK_PATTERNS:
        if match := _compiled(pattern).search(text):
            return 1 if match["first"] else 2
    for start, end in ranges:
        if 846 <= start <= end <= 869:
            return 1
        if 870 <= start <= end <= 893:
            return 2
    return None


def _number(text: str) -> int | None:
    without_book = _compiled(_BOOK_PATTERNS[0]).sub(" ", text)
    for pattern in _NUMBER_PATTERNS:
        if match := _compiled(pattern).search(without_book):
            numeral = match["number"]
            return int(numeral) if numeral.isdigit() else _ROMAN[numeral]
    return None


def _movements(text: str) -> frozenset[str]:
    def named(part: str) -> frozenset[str]:
        kinds = (("prelude", _PRELUDE), ("fugue", _FUGUE))
        return frozenset(kind for kind, pattern in kinds if _compiled(pattern).search(part))

    for part in reversed(re.split(r":|;|\s-\s|,|\(", text)):
        if found := named(part):
            return found
    return frozenset()


def parse(text: str) -> Facts:
    """The facts that ``text`` states; see :class:`Facts`."""
    text = fold(text)
    catalogue, ranges = _catalogue_numbers(text)
    return Facts(
        text=text,
        clavier=bool(_compiled(_CLAVIER).search(text)) or any(846 <= a <= b <= 893 for a, b in ranges),
        book=_book(text, ranges),
        number=_number(text),
        keys=parse_keys(text),
        movements=_movements(text),
        catalogue=catalogue,
    )
