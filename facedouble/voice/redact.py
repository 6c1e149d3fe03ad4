"""Names and places that must not be read: a list, and where a text has one of them, inflected or in other letters."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from facedouble.errors import UsageError
from facedouble.types import Value
from facedouble.voice.letters import arabic, bare, consonants, forms, keys, spelled, without_clitics

MARK: Final = "…"
_PARTICLE_TEXT: Final = """
    de da do di du dos das del della la le el al ul ud bin ibn bint ben van von der den ten ter zu af av mc o y i e abu abd umm
    san saint st и оглы кызы بن ابن بنت ابو عبد ال ام
"""
_PARTICLES: Final = frozenset(_PARTICLE_TEXT.split())  # words in any text; not sought alone, unless listed alone
_MARKS: Final = ("\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0640"  # accents, vowel marks
                "\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff")  # letters that show nothing
_TOKEN: Final = re.compile(rf"[^\W\d_][^\W\d_{_MARKS}]*(?:[{_MARKS}]+[^\W\d_]*)*|\d+")
_GLUE: Final = re.compile(r"['’ʼ`´‘]|[-‐‑–]\s*")  # between parts of one word: D'yan, Mago-med
_SPACED: Final = re.compile(r"[\s.·\-‐‑–_*]{1,3}")  # between letters that spell a word out


@dataclass(frozen=True)
class _Word:
    """One word of an entry: the keys it may have, in full and as Arabic letters write it."""

    forms: frozenset[str]
    bones: frozenset[str]
    arabic: bool
    digits: str = ""

    def is_(self, seen: _Seen) -> bool:
        if self.digits:
            return seen.text == self.digits
        return not self.forms.isdisjoint(seen.keys) or ((self.arabic or seen.arabic) and not self.bones.isdisjoint(seen.bones))


@dataclass(frozen=True)
class _Seen:
    """One word of a text, from the `first` token to before the `stop` one."""

    first: int
    stop: int
    text: str
    keys: frozenset[str]
    bones: frozenset[str]
    arabic: bool


@dataclass(frozen=True)
class Listed(Value):
    """What is on the list: sequences of words, texts in letters without endings, and what stands in their place.

    texts: all of it as it was written.
    """

    entries: tuple[tuple[_Word, ...], ...]
    literal: tuple[str, ...]
    mark: str = MARK
    texts: tuple[str, ...] = ()


def read_list(data: bytes, toml: bool) -> Listed:
    """A list from TOML (names, places, mark) or from lines; UsageError says which line, never what is in it."""
    try:
        text = data.decode("utf-8-sig")
        table = tomllib.loads(text) if toml else {"names": [line.split("#")[0].strip() for line in text.splitlines()]}
    except UnicodeDecodeError as error:
        raise UsageError("the redaction list is not UTF-8; save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError('the redaction list is not valid TOML; write names = ["…", "…"] and places = ["…"]') from error
    if set(table) - {"names", "places", "mark"}:
        raise UsageError("the redaction list has keys other than names, places and mark; remove them")
    texts = [table.get(kind, []) for kind in ("names", "places")]
    mark = table.get("mark", MARK)
    if not all(isinstance(held, list) and all(isinstance(t, str) for t in held) for held in texts) or not isinstance(mark, str):
        raise UsageError('in the redaction list, names and places are lists of texts: names = ["…", "…"]')
    return listed([t for t in texts[0] if t.strip() or toml], texts[1], mark)


def listed(names: Sequence[str], places: Sequence[str] = (), mark: str = MARK) -> Listed:
    """A list. Of a name every word is sought by itself, a place as a whole; what is too short to be sought is refused."""
    entries: list[tuple[_Word, ...]] = []
    literal: list[str] = []
    for kind, held in (("name", names), ("place", places)):
        for number, text in enumerate(held, 1):
            tokens = [t for t in _TOKEN.findall(text) if spelled(t) or t.isdigit()]
            other = [bare(t) for t in text.split() if not spelled(t) and not t.isdigit() and any(c.isalpha() for c in t)]
            words = [_word(t) for t in tokens]
            long = [w for w, t in zip(words, tokens, strict=True) if (w.digits or w.forms) and (t.isdigit() or len(bare(t)) >= 2)]
            joined = _word("".join(tokens)) if kind == "name" and len(tokens) > 1 and _GLUE.search(text) else None
            if not long and not other:
                raise UsageError(f"{kind} {number} of the redaction list is too short to be sought; write it out")
            if kind == "name":
                alone = (w for w, t in zip(words, tokens, strict=True) if bare(t) not in _PARTICLES and not w.digits)
                single = [(w,) for w in alone if w in long]
                entries += [*single, *([(joined,)] if joined else []), *([tuple(words)] if words else [])]
                literal += other
            else:
                if words:
                    entries.append(tuple(words))
                literal += ["".join(other)] if other else []
    if not entries and not literal:
        raise UsageError("the redaction list is empty; write what must not be read, a name on each line")
    if not mark.strip() or len(mark) > 20 or not mark.isprintable() or set("<>&{}") & set(mark):
        raise UsageError("the mark of the redaction list has to be 1 to 20 characters, none of <>&{}")
    made = Listed(tuple(entries), tuple(literal), mark, tuple(t.strip() for t in (*names, *places)))
    if any(find([mark], made)):
        raise UsageError("the mark of the redaction list is on the list itself; take another")
    return made


def _word(text: str) -> _Word:
    if text.isdigit():
        return _Word(frozenset(), frozenset(), False, str(int(text)))
    bones = frozenset(b for key in keys(text) if len(b := consonants(key)) >= 2)
    return _Word(forms(text), bones, arabic(text))


def _seen(first: int, stop: int, text: str) -> _Seen:
    if text.isdigit():
        return _Seen(first, stop, str(int(text)), frozenset(), frozenset(), False)
    parts = [text, *(text.split("\u200c") if "\u200c" in text else [])]  # Persian parts words so
    parts += [rest for part in parts if arabic(part) for rest in without_clitics(part)]
    whole = frozenset(key for part in parts for key in keys(part))
    return _Seen(first, stop, text, whole, frozenset(map(consonants, whole)), arabic(text))


def find(texts: Sequence[str], what: Listed) -> list[list[tuple[int, int]]]:
    """For each text the half-open spans to replace; an entry may begin in one text and end in the next."""
    tokens = [(k, m.start(), m.end()) for k, text in enumerate(texts) for m in _TOKEN.finditer(text)]
    hit = [False] * len(tokens)
    begins: dict[int, list[_Seen]] = {}
    for word in _words(texts, tokens):
        begins.setdefault(word.first, []).append(word)
    for first in range(len(tokens)):
        for entry in what.entries:
            for stop in _ends(entry, first, begins):
                hit[first:stop] = [True] * (stop - first)
    spans: list[list[tuple[int, int]]] = [list(_literal(text, what.literal)) for text in texts]
    for i, (k, start, end) in enumerate(tokens):
        if hit[i]:
            before = tokens[i - 1][2] if i and hit[i - 1] and tokens[i - 1][0] == k else start
            spans[k].append((start if re.search(r"[^\W_]|[.,;:!?…،؛؟]\s", texts[k][before:start]) else before, end))
    return [_union(held) for held in spans]


def _ends(entry: tuple[_Word, ...], first: int, begins: dict[int, list[_Seen]]) -> Iterator[int]:
    """Where the entry's words end, if they begin with token `first`."""
    for seen in begins.get(first, ()):
        if entry[0].is_(seen):
            if len(entry) == 1:
                yield seen.stop
            else:
                yield from _ends(entry[1:], seen.stop, begins)


def _words(texts: Sequence[str], tokens: list[tuple[int, int, int]]) -> Iterator[_Seen]:
    """Every token, tokens that are glued together, and letters that spell a word out."""
    for i, (k, start, end) in enumerate(tokens):
        yield _seen(i, i + 1, texts[k][start:end])
        together, j = texts[k][start:end], i + 1
        while j < len(tokens) and j < i + 4 and tokens[j][0] == k and _GLUE.fullmatch(texts[k][tokens[j - 1][2]:tokens[j][1]]):
            together += texts[k][tokens[j][1]:tokens[j][2]]
            j += 1
            yield _seen(i, j, together)
        if end - start == 1:
            together, j = texts[k][start:end], i + 1
            while (j < len(tokens) and j < i + 30 and tokens[j][0] == k and tokens[j][2] - tokens[j][1] == 1
                   and _SPACED.fullmatch(texts[k][tokens[j - 1][2]:tokens[j][1]])):
                together += texts[k][tokens[j][1]:tokens[j][2]]
                j += 1
                if len(together) >= 3:
                    yield _seen(i, j, together)


def _literal(text: str, literal: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Where the text has an entry in letters that the tables do not know, spaces or not."""
    places = [(c, i) for i, raw in enumerate(text) for c in bare(raw) if not c.isspace()]
    plain = "".join(c for c, _ in places)
    for wanted in literal:
        at = plain.find(wanted)
        while at >= 0:
            yield places[at][1], places[at + len(wanted) - 1][1] + 1
            at = plain.find(wanted, at + 1)


def _union(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    made: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if made and start <= made[-1][1]:
            made[-1] = (made[-1][0], max(end, made[-1][1]))
        else:
            made.append((start, end))
    return made


def redact(texts: Sequence[str], what: Listed) -> tuple[list[str], int]:
    """The texts with the mark in place of whatever is on the list, and how often."""
    made, count = list(texts), 0
    for _ in range(5):  # what stood apart may stand together now
        found = find(made, what)
        if not any(found):
            return made, count
        for k, spans in enumerate(found):
            for start, end in reversed(spans):
                made[k] = made[k][:start] + what.mark + made[k][end:]
                count += 1
    raise UsageError("the redaction list and its mark do not go together; take another mark")
