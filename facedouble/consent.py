"""The consent record of a volunteer: TOML in, a checked `Consent` out."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path

from facedouble import disk
from facedouble.errors import ConsentError
from facedouble.types import Consent

SCOPES = ("film", "trailer", "stills", "test")
KEYS = {"name", "code", "scope", "date", "until", "note"}


def read_consent(path: Path) -> Consent:
    """Read `consent.toml`; ConsentError says what is missing."""
    try:
        table = tomllib.loads(disk.read_text(path))
    except OSError as error:
        raise ConsentError(f"{path}: the consent record cannot be read ({error.strerror}); give one with --consent") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConsentError(f"{path}: the consent record is not valid TOML: {error}") from error
    unknown = sorted(set(table) - KEYS)
    if unknown:
        raise ConsentError(f"{path}: unknown entry {unknown[0]!r}; known are {', '.join(sorted(KEYS))}")
    who = table.get("name") or table.get("code")
    if not isinstance(who, str) or not who.strip():
        raise ConsentError(f"{path}: who consents? add name = \"…\" or code = \"…\"")
    scope = table.get("scope")
    if not isinstance(scope, list) or not scope or not set(map(str, scope)) <= set(SCOPES):
        raise ConsentError(f"{path}: add scope, a list of {', '.join(SCOPES)}")
    date, until = _day(path, table, "date"), _day(path, table, "until")
    if date is None:
        raise ConsentError(f"{path}: add the date of the consent: date = 2026-01-31")
    return Consent(who.strip(), tuple(scope), date, until, str(table.get("note", "")))


def _day(path: Path, table: dict[str, object], key: str) -> str | None:
    value = table.get(key)
    if value is None:
        return None
    try:
        day = value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value))
    except ValueError as error:
        raise ConsentError(f"{path}: {key} = {value!r} is no date; write it as 2026-01-31") from error
    return day.isoformat()[:10]


def check_consent(consent: Consent, today: dt.date, what: str = "double") -> None:
    """ConsentError if the consent for a double, or a voice double, has ended or does not begin yet."""
    if consent.until is not None and dt.date.fromisoformat(consent.until) < today:
        raise ConsentError(f"the consent of this {what} ended on {consent.until}; ask the volunteer for a new one")
    if dt.date.fromisoformat(consent.date) > today:
        raise ConsentError(f"the consent of this {what} is dated {consent.date}, which is in the future; check the date")
