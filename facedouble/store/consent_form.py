"""The consent record as a text to fill in: TOML. What could give somebody away is not in it; that is asked for, and sealed."""

from __future__ import annotations

import datetime as dt
import tomllib
from typing import Any, Final

from facedouble.errors import ConsentError
from facedouble.store.consents import COVERS, MISTAKEN, PURPOSES, TOLD, Agreed

TEXTS: Final = ("language", "explained_by", "audience")
LISTS: Final = ("scope", "covers", "stay_away")
DAYS: Final = ("from", "until")
SECRET: Final = ("name", "real_name", "reach", "phone", "address")  # what people would write, and must not


def template(volunteer: bool) -> str:
    """An empty form. As it is it is refused: each line has to be thought about."""
    more = f"""
# For volunteers: {MISTAKEN}.
mistaken = false
stay_away = []                # places they should not travel to while the film is about
"""
    told = "\n".join(f"{name} = false".ljust(30) + f"# {words}" for name, words in TOLD.items())
    return f"""# A consent record. Fill it in with the person, in their language. No real name, no address, no telephone in here:
# `facedouble` asks for these and keeps them sealed.
language = ""                 # in which it was explained
explained_by = ""             # who explained it: a code
# The worst audience, as it was said. Not "the public": those who hunt this person will see the film.
audience = ""
scope = []                    # some of {', '.join(PURPOSES)}
covers = []                   # some of {', '.join(COVERS)}
# from = 2026-01-31           # the first day; without it, today
# until = 2028-01-31          # the last day; without it, no end
# What was said and done before they agreed. Set to true what is true.
{told}
{more if volunteer else ""}""".rstrip() + "\n"


def parse(text: str, today: dt.date) -> Agreed:
    """The record that a form says; ConsentError for a line that is missing, unknown, or does not belong there."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConsentError(f"the consent record is not valid TOML: {error}") from error
    for key in table:
        if key in SECRET:
            raise ConsentError(f"take {key} out of the consent record and delete the old file: it is asked for, and kept sealed")
        if key not in (*TEXTS, *LISTS, *DAYS, *TOLD, "mistaken"):
            raise ConsentError(f"the consent record has an unknown entry {key!r}; `--template` prints the known ones")
    for key in (*TOLD, "mistaken"):
        if not isinstance(table.get(key, False), bool):
            raise ConsentError(f"the consent record has {key} = {table[key]!r}; write true or false")
    days = {key: _day(table, key) for key in DAYS}
    lists = {key: _list(table, key) for key in LISTS}
    language, explained_by, audience = (str(table.get(key, "")) for key in TEXTS)
    return Agreed(language, explained_by, audience, lists["scope"], lists["covers"], days["from"] or today.isoformat(),
                  days["until"], tuple(key for key in TOLD if table.get(key, False)), bool(table.get("mistaken", False)),
                  lists["stay_away"])


def _day(table: dict[str, Any], key: str) -> str:
    value = table.get(key, "")
    return value.isoformat()[:10] if isinstance(value, dt.date) else str(value)


def _list(table: dict[str, Any], key: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list):
        raise ConsentError(f'the consent record has {key} = {value!r}; write a list: {key} = ["…"]')
    return tuple(map(str, value))
