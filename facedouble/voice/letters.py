"""One spelling for many: how a name is written in Latin, Cyrillic, Greek, Arabic or Persian letters, with its endings.

`keys` gives what a word may sound like, in a few Latin letters, the same for spellings that are taken for each other: Магомед,
Magomed and Mahomed are `mahomed`. It errs towards alike: a word too many that is replaced costs less than a name too few.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from typing import Final

_TABLE: Final = """
    а=a б=b в=v г=g д=d е=e ж=zh з=z и=i й=i к=k л=l м=m н=n о=o п=p р=r с=s т=t у=u ф=f х=kh ц=ts ч=ch ш=sh щ=sh ъ= ы=i ь= э=e
    ю=yu я=ya і=i ї=yi є=ye ґ=g ў=u ј=j љ=l њ=n ћ=ch ђ=j џ=j ѓ=g ќ=k ѕ=z қ=k ғ=g ң=n ү=u ұ=u ө=o һ=h ә=a ӏ=
    α=a β=v γ=g δ=d ε=e ζ=z η=i θ=th ι=i κ=k λ=l μ=m ν=n ξ=x ο=o π=p ρ=r σ=s ς=s τ=t υ=i φ=f χ=kh ψ=ps ω=o
    ا=a أ=a إ=a آ=a ى=a ء= ئ= ع= ب=b پ=p ت=t ث=s ج=j چ=ch ح=h خ=kh د=d ذ=d ر=r ز=z ژ=zh س=s ش=sh ص=s ض=d ط=t ظ=z غ=g ف=f ق=k
    ک=k ك=k گ=g ل=l م=m ن=n
"""
_TWO_WAYS: Final = """
    ё=e/o ц=ts/c х=kh/x ş=sh š=sh ç=ch/c č=ch/c ć=ch/c ž=zh/z ı=i ğ=g/ đ=d/dj ł=l þ=th ð=d ä=a ö=o ü=u å=a/aa ø=o æ=a œ=o
    و=v/ ؤ=v/ ي=i/ ی=i/ ه=h/ ة=/h/t
"""
_PLAIN: Final = {letter: latin for letter, _, latin in (pair.partition("=") for pair in _TABLE.split())}
_EITHER: Final = {letter: tuple(ways.split("/")) for letter, _, ways in (pair.partition("=") for pair in _TWO_WAYS.split())}
_GREEK_PAIRS: Final = (("ου", "u"), ("μπ", "b"), ("ντ", "d"), ("γκ", "g"), ("γγ", "ng"), ("αι", "e"), ("ει", "i"), ("οι", "i"),
                       ("αυ", "av"), ("ευ", "ev"))
_SOUNDS: Final = tuple((re.compile(pattern), to) for pattern, to in (
    ("^[yj]e", "e"), ("shch|sch|sh", "s"), ("tch|ch", "C"), ("dzh|dj|zh|j", "i"), ("kh|gh|g|h", "h"), ("x", "ks"),
    ("ph|w|f", "v"), ("th", "t"), ("tz", "ts"), ("ck|c|q", "k"), ("ou|oo", "u"), ("y", "i")))
_JOINTS: Final = tuple((re.compile(pattern), to) for pattern, to in (  # where stem and ending meet, too
    ("ee", "i"), ("i+[eo]", "e"), ("ae", "a"), ("oe", "o"), ("ue", "u"), (r"(.)\1+", r"\1")))
_MOST: Final = 32  # spellings of one word

_ENDING_TEXT: Final = """
    а я у ю е и ы о і ой ою ей ею єю ом ем єм ам ям ами ями ах ях ов ев ий ого ому его ему ым им ую юю ая яя ое ее ые ие ых их ыми
    ими ия ию ией иям иями иях ові еві єві ин ина ину иной ином ины ович овича овичу овичем евич евича евичу овна овны овне овну
    овной евна евны евне евну евной ова ову овой овы овым овых ове ский ская ского ской скую ские ских ском скому ским
    s es a u e i om em os o on is as us am da de ta te dan den tan ten ya ye nin in un nun na ne la le yla yle li lu lar ler ian
"""
_AFTER_TEXT: Final = "ي ه ها هم هن هما كم كن ك نا ني ا ان ين ون ی ای های هایی ام ات اش م ت ش مان تان شان را"
_BEFORE: Final = ("", *(a + b for a in ("", "و", "ف") for b in ("ال", "لل", "بال", "كال", "ب", "ك", "ل")), "و", "ف")
_AFTER: Final = ("", *_AFTER_TEXT.split())
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


@lru_cache(8192)
def keys(word: str) -> frozenset[str]:
    """What a word may sound like."""
    small = unicodedata.normalize("NFKC", "".join(c for c in word if unicodedata.category(c) != "Cf")).casefold()
    small = small.replace("i̇", "i")
    small = unicodedata.normalize("NFC", unicodedata.normalize("NFD", small).replace("\u0301", ""))  # the stress of a vowel
    for pair, latin in _GREEK_PAIRS:
        small = small.replace(pair, latin)
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
    return _join(latin)


def _join(key: str) -> str:
    for pattern, to in _JOINTS:
        key = pattern.sub(to, key)
    return key


def consonants(key: str) -> str:
    """A key without vowels, as Arabic letters write it."""
    return re.sub(r"(.)\1+", r"\1", re.sub("[aeiou]", "", key))


def forms(word: str) -> frozenset[str]:
    """The keys of a name and of its forms: Russian and Ukrainian cases, patronymics, Greek, Turkish, English endings."""
    made: set[str] = set()
    for key in keys(word):
        made.add(key)
        if len(key) >= 3:
            made.update(_join(stem + ending) for stem in _stems(key) for ending in _ENDINGS)
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


_ENDINGS: Final = frozenset(key for ending in _ENDING_TEXT.split() for key in keys(ending))


def without_clitics(word: str) -> Iterator[str]:
    """An Arabic or Persian word, and what is left without what may be written together with it: and, with, the, his."""
    plain = bare(word)
    for before in _BEFORE:
        if plain.startswith(before):
            for after in _AFTER:
                rest = plain[len(before):len(plain) - len(after)]
                if plain.endswith(after) and len(rest) >= 2:
                    yield rest
