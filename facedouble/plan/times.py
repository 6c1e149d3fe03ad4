"""Points in time as people write them, and frames: one clock for reading and writing."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from fractions import Fraction
from typing import Final

HOW: Final = "write a frame as 120, seconds as 4.8, or a timecode as \"00:00:04.800\""
_CODE: Final = re.compile(r"(?:([0-9]{1,3}):)?([0-9]{1,3}):([0-9]{1,2}(?:\.[0-9]{1,9})?)")
_SECONDS: Final = re.compile(r"([0-9]{1,9})(\.[0-9]{1,9})? ?s|[0-9]{1,9}\.[0-9]{1,9}")


def seconds(said: object) -> Fraction:
    """A length of time: 2, 2.5, "2.5", "2.5 s" or a timecode; ValueError if it is something else."""
    if isinstance(said, bool):
        raise ValueError("a yes or no is no time")
    if isinstance(said, int | Decimal):
        exact = Decimal(said)
        if not exact.is_finite() or abs(exact.adjusted()) > 9 or int(exact.as_tuple().exponent) < -12:
            raise ValueError("not a length of time")
        return Fraction(exact)
    if isinstance(said, dt.time):  # 00:00:04.800 without quotes is TOML as well
        return Fraction(said.hour * 3600 + said.minute * 60 + said.second) + Fraction(said.microsecond, 1_000_000)
    if isinstance(said, str) and (code := _CODE.fullmatch(said.strip())):
        hours, minutes, rest = code.groups()
        return Fraction(int(hours or 0) * 3600 + int(minutes) * 60) + Fraction(rest)
    if isinstance(said, str) and _SECONDS.fullmatch(said.strip()):
        return Fraction(said.strip().rstrip("s").rstrip())
    raise ValueError("not a length of time")


def frame(said: object, rate: Fraction) -> int:
    """The frame of a point in time: a whole number is one, anything else is taken to the nearest; ValueError as above."""
    if isinstance(said, int) and not isinstance(said, bool):
        return said
    return round(seconds(said) * rate)


def moment(said: object, rate: Fraction) -> int:
    """A point in time in ms: a whole number is a frame, anything else a time, to the nearest; ValueError as above."""
    if isinstance(said, int) and not isinstance(said, bool):
        return round(Fraction(said) / rate * 1000)
    return round(seconds(said) * 1000)


def timecode(number: int, rate: Fraction) -> str:
    """The time of a frame to the millisecond, which `frame` takes back to it for any rate up to 499/s."""
    return clock(round(Fraction(number) / rate * 1000))


def clock(thousandths: int) -> str:
    """The timecode of a point in time in ms, which `moment` takes back to it."""
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"
