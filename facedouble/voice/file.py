"""`.fvoice`: one file, safetensors with a JSON header. Nothing in it is executed when it is read."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import save

from facedouble import disk, tensors
from facedouble.consent import SCOPES
from facedouble.errors import InputRefused
from facedouble.publish import write_new
from facedouble.types import Consent
from facedouble.voice.volunteer import SCHEMA, VoiceDouble, identity

FORMAT = "facedouble-voice-1"
KEY = "facedouble"  # the one entry of the header; its text is JSON
LARGEST = 1 << 28  # bytes; five minutes take about 20 MB
AGAIN = "make the voice again with `facedouble voice make`"


def _header(voice: VoiceDouble) -> dict[str, Any]:
    return {"format": FORMAT, "id": voice.id, "rate": voice.rate, "seconds": float(voice.seconds), "consent": vars(voice.consent)}


def _seal(header: dict[str, Any]) -> str:
    """A digest of all of the header but itself: a date that was changed by accident or by hand is noticed, too."""
    rest = {k: v for k, v in header.items() if k != "seal"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def write_voice(voice: VoiceDouble, path: Path) -> None:
    """Write a new file; it exists only when whole. StoreError if the destination exists or cannot be written."""
    header = _header(voice)
    text = json.dumps({**header, "seal": _seal(header)}, sort_keys=True)
    write_new(path, save({name: np.ascontiguousarray(voice.arrays[name]) for name in SCHEMA}, {KEY: text}))


def read_voice(path: Path) -> VoiceDouble:
    """Read and check a voice; InputRefused for anything that is not a whole one."""
    if not disk.is_file(path):
        raise InputRefused(f"{path}: there is no such voice; make one with `facedouble voice make`")
    if disk.size(path) > LARGEST:
        raise InputRefused(f"{path}: too large for a voice")
    try:
        stored = tensors.read(path)
        found: dict[str, str] = stored.metadata
        header = json.loads(found.get(KEY, "{}"))
        if set(found) != {KEY} or not isinstance(header, dict) or header.get("format") != FORMAT:
            raise InputRefused(f"{path}: not a volunteer's voice; make one with `facedouble voice make`")
        if set(stored.keys()) != set(SCHEMA):
            raise InputRefused(f"{path}: holds other arrays than a voice does; {AGAIN}")
        arrays = {name: stored.get(name) for name in SCHEMA}
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise InputRefused(f"{path}: not a whole voice; {AGAIN}") from error
    try:
        if header["seal"] != _seal(header) or set(header) != {"format", "id", "rate", "seconds", "consent", "seal"}:
            raise ValueError("the header was changed")
        if type(header["rate"]) is not int or type(header["seconds"]) is not float:
            raise ValueError("numbers of another kind")
        voice = VoiceDouble(header["id"], _consent(header["consent"]), header["rate"], header["seconds"], arrays)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InputRefused(f"{path}: damaged ({error}); {AGAIN}") from error
    if identity(voice.rate, voice.arrays) != voice.id:
        raise InputRefused(f"{path}: its content was changed after it was made; {AGAIN}")
    return voice


def _consent(held: dict[str, Any]) -> Consent:
    """The consent record of a header; ValueError or TypeError if it says nothing that can be relied on."""
    consent = Consent(**{**held, "scope": tuple(held["scope"])})
    texts = (consent.who, consent.date, consent.note, *consent.scope, *(() if consent.until is None else (consent.until,)))
    if not all(isinstance(t, str) for t in texts) or not consent.who.strip() or not set(consent.scope) <= set(SCOPES):
        raise ValueError("the consent")
    for day in (consent.date, consent.until):
        if day is not None:
            dt.date.fromisoformat(day)
    return consent
