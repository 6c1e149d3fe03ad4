"""One spelling for many: how a name is written in Latin, Cyrillic, Greek, Arabic or Persian letters, with its endings.

`keys` gives what a word may sound like, in a few Latin letters, the same for spellings that are taken for each other: Магомед,
Magomed and Mahomed are `mahomed`. It errs towards alike: a word too many that is replaced costs less than a name too few.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import product
from typing import Final

_CYRILLIC: Final = dict(zip("абвгдежзийклмнопрстуфхцчшщъыьэюяіїєґўјљњћђџѓќѕѐѝ", (
    "a b v g d e zh z i i k l m n o p r s t u f kh ts ch sh sh  _ i _ e yu ya i yi ye g u j l n ch j j g k z e i").replace(
    "  ", " ").split(" "), strict=True)) | {"ъ": "", "ь": "", "ё": "e", "қ": "k", "ғ": "g", "ң": "n", "ү": "u", "ұ": "u", "ө": "o",
                                            "һ": "h", "ә": "a", "ӏ": ""}
_GREEK: Final = dict(zip("αβγδεζηθικλμνξοπρστυφχψως", "a v g d e z i th i k l m n x o p r s t i f kh ps o s".split(), strict=True))
_ARABIC: Final = dict(zip("بپتثجچحخدذرزژسشصضطظعغفقکكگلمنهة", (
    "b p t s j ch h kh d d r z zh s sh s d t z _ g f k k k g l m n h _").split(), strict=True)) | {
    "ا": "a", "أ": "a", "إ": "a", "آ": "a", "ء": "", "ئ": "", "ى": "a", "ع": "", "ة": ""}
_EITHER: Final = {  # letters that are written in more than one way
    "ё": ("e", "yo", "o"), "ş": ("sh",), "š": ("sh",), "ç": ("ch", "c"), "č": ("ch", "c"), "ć": ("ch", "c"), "ž": ("zh", "z"),
    "ı": ("i",), "ğ": ("g", ""), "ä": ("a", "ae"), "ö": ("o", "oe"), "ü": ("u", "ue"), "å": ("a", "aa"), "ø": ("o", "oe"), "æ": ("ae",),
    "œ": ("oe",), "đ": ("d", "dj"), "ł": ("l",), "þ": ("th",), "ð": ("d",), "ц": ("ts", "c"), "х": ("kh", "x"),
    "و": ("v", ""), "ؤ": ("v", ""), "ي": ("i", ""), "ی": ("i", ""), "ه": ("h", ""),
}
_PLAIN: Final = {c: latin.strip("_") for table in (_CYRILLIC, _GREEK, _ARABIC) for c, latin in table.items()}
_SOUNDS: Final = tuple((re.compile(pattern), to) for pattern, to in (
    ("^[yj]e", "e"), ("shch|sch|sh", "s"), ("tch|ch", "C"), ("dzh|dj|zh|j", "i"), ("kh|gh|g|h", "h"), ("x", "ks"), ("ph|w|f", "v"),
    ("th", "t"), ("tz", "ts"), ("ck|c|q", "k"), ("ou|oo|w", "u"), ("ee", "i"), ("y", "i"), ("ie", "e"), (r"(.)\1+", r"\1")))
_GREEK_PAIRS: Final = (("ου", "u"), ("μπ", "b"), ("ντ", "d"), ("γκ", "g"), ("γγ", "ng"), ("αι", "e"), ("ει", "i"), ("οι", "i"), ("αυ", "av"),
                       ("ευ", "ev"))
_MOST: Final = 32  # spellings of one word

_SLAVIC: Final = ("а я у ю е и ы о і ой ою ей ею єю ом ем єм ам ям ами ями ах ях ов ев ий ого ому его ему ым им ую юю ая яя ое ее ые ие ых их ыми ими "
                  "ия ию ией иям иями иях ові еві єві ин ина ину иной ином ины ович овича овичу овичем евич евича евичу овна овны овне овну овной "
                  "евна евны евне евну евной ова ову овой овы овым овых ове ский ская ского ской скую ские ских ском скому ским").split()
_LATIN: Final = ("s es a u e i om em os o on is as us ae am da de ta te dan den tan ten ya ye nin in un nun na ne la le yla yle li lu lar ler ian".split())
_BEFORE: Final = ("", *(a + b for a in ("", "و", "ف") for b in ("ال", "لل", "بال", "كال", "ب", "ك", "ل")), "و", "ف")
_AFTER: Final = ("", *"ي ه ها هم هن هما كم كن ك نا ني ا ان ين ون ی ای های هایی ام ات اش م ت ش مان تان شان را".split())
_SCRIPTS: Final = re.compile(r"[A-Za-zÀ-ɏ]|[\u0370-\u03ff]|[\u0400-\u052f]|[\u0600-\u06ff]")


def bare(text: str) -> str:
    """Small letters without accents, vowel marks and letters that show nothing; Arabic presentation forms as letters."""
    kept = (c for c in unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
            if not unicodedata.combining(c) and unicodedata.category(c) not in ("Cf", "Mn") and c != "ـ")
    return "".join(kept)


def spelled(text: str) -> bool:
    """Whether the tables know the letters; others (Georgian, Chinese) are sought as they are written."""
    return bool(_SCRIPTS.search(unicodedata.normalize("NFKC", text)))


def arabic(text: str) -> bool:
    """Whether a word is in Arabic letters, which leave out short vowels."""
    return any("\u0600" <= c <= "\u06ff" for c in unicodedata.normalize("NFKC", text))


def keys(word: str) -> frozenset[str]:
    """What a word may sound like."""
    small = unicodedata.normalize("NFKC", "".join(c for c in word if unicodedata.category(c) != "Cf")).casefold()
    small = small.replace("i̇", "i")
    for pair, latin in _GREEK_PAIRS:
        small = unicodedata.normalize("NFC", "".join(c for c in unicodedata.normalize("NFD", small) if c != "\u0301")).replace(pair, latin)
    choices: list[tuple[str, ...]] = []
    for c in small:
        plain = bare(c)
        choices.append(_EITHER.get(c) or tuple([*_EITHER.get(plain, ("".join(_PLAIN.get(p, p) for p in plain),))]))
    few = [options if i < 40 else options[:1] for i, options in enumerate(choices)]
    while _count(few) > _MOST:  # the last letters that leave a choice give it up
        last = max(i for i, options in enumerate(few) if len(options) > 1)
        few[last] = few[last][:1]
    return frozenset(filter(None, (_sound("".join(letters)) for letters in product(*few))))


def _count(choices: list[tuple[str, ...]]) -> int:
    total = 1
    for options in choices:
        total *= len(options)
    return total


def _sound(latin: str) -> str:
    for pattern, to in _SOUNDS:
        latin = pattern.sub(to, latin)
    return latin


def consonants(key: str) -> str:
    """A key without vowels, as Arabic letters write it."""
    return re.sub(r"(.)\1+", r"\1", re.sub("[aeiou]", "", key))


def forms(word: str) -> frozenset[str]:
    """The keys of a name and of its forms: Russian and Ukrainian cases, patronymics, Greek, Turkish, English endings."""
    made: set[str] = set()
    for key in keys(word):
        made.add(key)
        if len(key) >= 3:
            made.update(re.sub(r"(.)\1+", r"\1", (stem + ending).replace("ie", "e")) for stem in _stems(key) for ending in _ENDINGS)
        made.update(s for s in _stems(key) if len(s) >= 4)
    return frozenset(made)


def _stems(key: str) -> Iterator[str]:
    yield key
    if key[-1] in "aeiou" and len(key) >= 3:
        yield key[:-1]
        if key[-2] in "hk":  # Ольга, Ользі
            yield from (key[:-2] + other for other in (("z", "s") if key[-2] == "h" else ("ts", "C")))
    if re.search("[oia]s$", key) and len(key) >= 5:
        yield key[:-2]
    if re.search("[^aeiou][eo][^aeiou]$", key):  # Павел, Павла
        yield key[:-2] + key[-1]


_ENDINGS: Final = frozenset(key for ending in (*_SLAVIC, *_LATIN) for key in keys(ending))


def without_clitics(word: str) -> Iterator[str]:
    """An Arabic or Persian word, and what is left without what may be written together with it: and, with, the, his."""
    plain = bare(word)
    for before in _BEFORE:
        if plain.startswith(before):
            for after in _AFTER:
                rest = plain[len(before):len(plain) - len(after)]
                if plain.endswith(after) and len(rest) >= 2:
                    yield rest
