"""Bech32 (BIP 173) without its limit on length: how age writes keys, so that a typing error is noticed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from facedouble.age.errors import AgeError

LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
CHECKSUM = 6  # letters


def encode(prefix: str, data: bytes) -> str:
    """A prefix, "1", the data and six letters of checksum; upper case if the prefix is."""
    low = prefix.lower()
    values = list(_regroup(data, 8, 5, pad=True))
    rest = _polymod([*_spread(low), *values, *[0] * CHECKSUM]) ^ 1
    values += [rest >> 5 * (CHECKSUM - 1 - k) & 31 for k in range(CHECKSUM)]
    text = f"{low}1{''.join(LETTERS[v] for v in values)}"
    return text.upper() if prefix.isupper() else text


def decode(text: str) -> tuple[str, bytes]:
    """Prefix, in the case it was written in, and data; AgeError if a letter is wrong."""
    if text not in (text.lower(), text.upper()):
        raise AgeError("the key mixes capitals and small letters; copy it again, whole")
    prefix, one, tail = text.rpartition("1")
    low = tail.lower()
    if not one or not prefix or len(tail) < CHECKSUM or not all(33 <= ord(c) <= 126 for c in prefix) or set(low) - set(LETTERS):
        raise AgeError("this is no age key; copy it again, whole")
    values = [LETTERS.index(c) for c in low]
    if _polymod([*_spread(prefix.lower()), *values]) != 1:
        raise AgeError("a letter of the key is wrong or missing; copy it again, whole")
    return prefix, bytes(_regroup(values[:-CHECKSUM], 5, 8, pad=False))


def _spread(prefix: str) -> list[int]:
    return [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]


def _polymod(values: Iterable[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for k, generator in enumerate(GENERATORS):
            check ^= generator if top >> k & 1 else 0
    return check


def _regroup(values: Iterable[int], old: int, new: int, pad: bool) -> Iterator[int]:
    held = bits = 0
    for value in values:
        held, bits = held << old | value, bits + old
        while bits >= new:
            bits -= new
            yield held >> bits & (1 << new) - 1
        held &= (1 << bits) - 1
    if pad and bits:
        yield held << new - bits & (1 << new) - 1
    elif not pad and (bits >= old or held):
        raise AgeError("the key has the wrong length; copy it again, whole")
