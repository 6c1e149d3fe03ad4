"""The receipt of a release, for whoever gets the film, and its report, for the project. Neither leads back to the footage."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import apsw

from facedouble.errors import InputRefused
from facedouble.store import approvals, people
from facedouble.store.keys import Keyring, signed
from facedouble.store.override import Override
from facedouble.store.renders import Render

FORMAT: Final = 1


def receipt(release: str, render: Render, purpose: str, version: str, now: dt.datetime, overrides: Sequence[Override],
            holder: Keyring) -> bytes:
    """Which film this is, the day, what for, and who let it go, signed. Of overrides it says what and where, not about whom or
    why.

    There is no hash of footage in it: whoever has the same recording could find by it which one this was.
    """
    text = _canonical({"format": FORMAT, "release": release, "content": render.content, "file": render.sha256, "purpose": purpose,
                       "day": now.astimezone(dt.UTC).date().isoformat(), "program": f"facedouble {version}",
                       "overrides": [{"kind": o.kind, "scene": o.scene, "frames": [o.start, o.stop]} for o in overrides]})
    made = {"receipt": text, "key": holder.public, "signature": base64.b64encode(holder.sign(text.encode())).decode()}
    return f"{_canonical(made)}\n".encode()


def read(data: bytes) -> Mapping[str, Any]:
    """What a receipt says, with the key that signed it; InputRefused if a letter of it was changed."""
    try:
        made = json.loads(data)
        said = dict(json.loads(made["receipt"]))
        if not signed(made["key"], base64.b64decode(made["signature"], validate=True), made["receipt"].encode()):
            raise ValueError("another signature")
    except (ValueError, KeyError, TypeError) as error:
        raise InputRefused("this is no receipt that facedouble signed, or it was changed; ask for it again") from error
    return {**said, "key": made["key"]}


def report(db: apsw.Connection, release: str, render: Render, purpose: str, overrides: Sequence[Override]) -> bytes:
    """For the project only: who said what about each scene, who could not be reached, and each override with its reason."""
    scenes = []
    for scene in render.scenes:
        said = {a.person: approvals.state(db, a.person, scene.hash, purpose) for a in approvals.asked(db, scene)}
        words = {p: "" if s is None else f"{approvals.STATES[s.state]} {s.method}".strip() for p, s in said.items()}
        scenes.append({"scene": scene.number, "frames": [scene.start, scene.stop], "hash": scene.hash, "people": words,
                       "passers-by": sorted({who.id for a in scene.people if (who := people.find(db, a.person)) is not None
                                             and who.role == "passer-by"})})
    made = {"release": release, "render": render.id, "purpose": purpose, "content": render.content, "audit": render.audit,
            "scenes": scenes, "overrides": [vars(o) for o in overrides], "facts": render.facts}
    return (json.dumps(made, indent=1, sort_keys=True) + "\n").encode()


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
