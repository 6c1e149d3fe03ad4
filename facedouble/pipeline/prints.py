"""What people of a project can be known by: how a recogniser sees their face and hears their voice, sealed to their own key.

With it every audit asks whether anybody of the whole project is recognised in a clip, and not only those whom the plan has there.
Erase a person's key, and it is closed for good. The recognisers are those of the audit, which take no part in any render.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
import soxr
from safetensors.numpy import save

from facedouble import disk, tensors
from facedouble.audit.account import Account
from facedouble.audit.residual import RATE
from facedouble.errors import ConsentError, StoreError
from facedouble.media.probe import probe
from facedouble.media.sound import pcm
from facedouble.models.judge import Speaker
from facedouble.pipeline.audit.account import account_of_plan, known_of
from facedouble.pipeline.audit.project import FOLDER, KIND, PROTECTED, opened, sealed
from facedouble.pipeline.audit.run import Kit
from facedouble.pipeline.digest import Digest
from facedouble.pipeline.screening import Finished
from facedouble.plan.people import Person
from facedouble.plan.plan import Plan
from facedouble.publish import write_over
from facedouble.store import people, personal
from facedouble.store.project import Project
from facedouble.types import Floats

MOST: Final = 60  # looks, and stretches of speech, that are kept of a person in a clip
LEAST_S, LONGEST_S = 1.0, 20.0  # of a turn that a voice is told from; of each, what is heard


def take(project: Project, one: Finished, kit: Callable[[], Kit]) -> list[str]:
    """Measure the witnesses who are in a finished clip, and keep it sealed to each; whose prints were taken.

    Of somebody whose key was erased nothing is taken. If everybody was measured as the plan has them, nothing is read again.
    """
    clear(project)
    clip = one.plan.clip(one.clip)
    footage, source = clip.sha256[:16], one.base / clip.file
    wanted = {}  # by their names in the plan: who they are, and by what they are measured
    for person in one.plan.people:
        who, told = people.find(project.db, person.id), _told(one.plan, one.clip, person)
        if who is None or who.role != PROTECTED or not personal.has_key(project.db, who.id, KIND):
            continue
        if told and _measured(project, who.id, footage) != told:
            wanted[person.id] = who.id, told
    if not wanted:
        return []
    held = kit()
    known = {k.name: k.vectors for group in known_of(source, _account(one), 0, held.eyes)[:2] for k in group}
    voices = _voices(one.plan, one.clip, source, held.ears.judge)
    taken = []
    for name, (who_id, told) in sorted(wanted.items()):
        with suppress(ConsentError):
            keep(project, who_id, footage, told, known.get(name), voices.get(name))
            taken.append(who_id)
    return taken


def keep(project: Project, person: str, footage: str, told: str, faces: Floats | None, voices: Floats | None) -> None:
    """Seal looks (n, 128) and stretches of speech (m, 256) to a person. footage: of which; told: what the plan said of them."""
    data = save({"faces": np.ascontiguousarray(faces[:MOST]) if faces is not None else np.zeros((0, 128), np.float32),
                 "voices": np.ascontiguousarray(voices[:MOST]) if voices is not None else np.zeros((0, 256), np.float32)},
                {"told": told})
    write_over(project.folder / FOLDER / f"{person}.{footage}.age", sealed(project, person, data))


def clear(project: Project) -> None:
    """Take away what was sealed to keys that are erased, or replaced: a withdrawal cannot while somebody works in the project."""
    for path in disk.listing(project.folder / FOLDER):
        with suppress(StoreError):  # it was altered, and is kept to be told of
            try:
                opened(project, path.name.partition(".")[0], path)
            except ConsentError:
                disk.remove(path)


def _told(plan: Plan, clip: str, person: Person) -> str:
    """A digest of where the plan has somebody in a clip, and of what they get there; "" where they are not in it."""
    faces = [face for face in person.faces if face.clip == clip]
    turns = [(turn.start, turn.stop) for _, turn in plan.turns(clip) if turn.person == person.id]
    return Digest(faces, person.decision, person.spans, turns).hex() if faces or turns else ""


def _measured(project: Project, person: str, footage: str) -> str:
    """That digest, as it was when they were measured last; "" where they were not, or where it does not open."""
    path = project.folder / FOLDER / f"{person}.{footage}.age"
    with suppress(ConsentError, StoreError):
        if disk.is_file(path):
            return tensors.parse(opened(project, person, path)).metadata.get("told", "")
    return ""


def _account(one: Finished) -> Account:
    where = {r.track.id: (r.track.start, np.asarray(r.track.rows["box"])) for r in one.made.roles}
    return account_of_plan(one.plan, one.clip, where, 0)


def _voices(plan: Plan, clip: str, source: Path, hear: Speaker | None) -> dict[str, Floats]:
    """Voices (m, 256) by the ids of the plan."""
    info = probe(source)
    if hear is None or not info.audio:
        return {}
    audio = info.audio[0]
    found: dict[str, list[Floats]] = {}
    wanted = [(turn.person, Fraction(turn.start, 1000), Fraction(turn.stop, 1000)) for _, turn in plan.turns(clip)
              if turn.person and turn.stop - turn.start >= 1000 * LEAST_S]
    held: list[Floats] = []
    at, todo = 0, list(wanted)
    for block in pcm(info, audio.index) if todo else ():
        for person, start, stop in todo[:1]:
            first, last = (round((t + info.start - audio.start) * audio.rate) for t in (start, min(stop, start + int(LONGEST_S))))
            a, b = max(first - at, 0), min(last - at, len(block))
            if a < b:
                held.append(np.asarray(block[a:b].mean(1), np.float32))
            if at + len(block) >= last:
                sound = np.concatenate(held) if held else np.zeros(0, np.float32)
                if len(sound) >= LEAST_S * audio.rate * 0.9:
                    found.setdefault(person, []).append(hear(np.asarray(soxr.resample(sound, audio.rate, RATE), np.float32)))
                held = []
                todo.pop(0)
        at += len(block)
    return {person: np.stack(rows[:MOST]) for person, rows in found.items()}
