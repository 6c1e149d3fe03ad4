"""A film that was made in a project is written down there: its scenes, who is in them, and what the audit said."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Collection, Sequence
from pathlib import Path

from facedouble import __version__, disk
from facedouble.errors import AuditFailed
from facedouble.options import Options
from facedouble.pipeline.analyse import Progress, quiet
from facedouble.pipeline.appearing import borders_of, scenes_of, take_id
from facedouble.pipeline.contents import contents
from facedouble.pipeline.digest import of_file
from facedouble.pipeline.rounds import AUDIT, REPORT
from facedouble.pipeline.screening import Finished
from facedouble.plan.voices import Voicing
from facedouble.plan.write import write
from facedouble.store import renders
from facedouble.store.project import Project
from facedouble.store.renders import Render
from facedouble.store.vault import generation_at
from facedouble.voice.file import read_voice

SUBTITLES = ".srt"
BESIDE = (REPORT, ".sheet.jpg")  # of a film, besides what its audit said, which is written over


def clear_unfinished(project: Project, folder: Path, clips: tuple[str, ...] = ()) -> None:
    """Take away films that got their name just before the machine stopped, and were never written down: nobody can approve them.

    clips: only these; without any, all of the folder. A film that was not made by a plan stays.
    """
    known = renders.films(project.db)
    there = {disk.stamp(path)[1] for path in disk.found(project.folder, "**/*.mp4")}
    stamps = {stamp for _, stamp in known}
    lost = {sha for sha, stamp in known if stamp not in there}  # under that stamp: a crash while it was encrypted again
    for film in disk.found(folder, "*.mp4"):
        if (not clips or film.stem in clips) and not _known(film, stamps, lost) and _by_plan(film):
            for path in (film, *(film.with_suffix(suffix) for suffix in BESIDE)):
                disk.remove(path)


def _known(film: Path, stamps: Collection[str], lost: Collection[str]) -> bool:
    """Whether it was written down, and is not another drawing of the same bytes as films that are all there."""
    return disk.stamp(film)[1] in stamps or of_file(film) in lost


def _by_plan(film: Path) -> bool:
    """Whether its report says of which clip it was made; a film without a report has none yet."""
    try:
        said = json.loads(disk.read(film.with_suffix(REPORT)))
    except FileNotFoundError:
        return disk.is_file(film.with_suffix(AUDIT))
    return isinstance(said, dict) and said.get("clip") == film.stem and isinstance(said.get("audit"), dict)


def record(project: Project, one: Finished, purpose: str, options: Options, progress: Progress = quiet,
           fence: Sequence[str] = ()) -> Render:
    """Hash what is seen and heard in a finished clip of a mounted project, and enter it. fence: what kept the run to its folder.

    Only a film that passed its audit is entered; AuditFailed for a draft.
    """
    said = one.report.facts.get("audit")
    if not isinstance(said, dict) or said.get("passed") is not True:
        raise AuditFailed(f"{one.film}: was not audited, so that nobody can approve it; render it without --no-audit")
    lead = int(one.report.facts.get("card_frames", 0))
    words = one.film.with_suffix(SUBTITLES)
    told = contents(one.film, borders_of(one.made, lead), disk.read(words) if disk.is_file(words) else None, progress)
    voices = {v.name: v.file for v in one.plan.voices}
    takes: dict[str, str] = {}  # where they lie, for whoever has to say whose voice is in them

    def voice_id(said: Voicing) -> str:
        if said.voice == "revoice":
            id_ = take_id(project.folder, one.base / (said.of or ""))
            takes[id_] = said.of or ""
            return id_
        return read_voice(one.base / voices[said.of or ""]).id

    scenes = scenes_of(one.plan, one.clip, one.made, told, lead, one.report.facts, voice_id)
    made = Render(id=f"r-{secrets.token_hex(4)}", clip=one.clip, file=disk.stamp(one.film)[1], sha256=of_file(one.film),
                  content=told.whole, plan=hashlib.sha256(write(one.plan).encode()).hexdigest(), options=options.digest(),
                  audit_passed=True, audit=hashlib.sha256(disk.read(one.film.with_suffix(AUDIT))).hexdigest(), purpose=purpose,
                  frames=told.frames, scenes=scenes,
                  facts={"facedouble": __version__, "rounds": str(said["rounds"]), "fence": " ".join(fence), **takes})
    now = dt.datetime.now(dt.UTC)
    with project.change("rendered", {"render": made.id, "clip": made.clip, "content": made.content, "audit": made.audit,
                                     "frames": made.frames, "fence": list(fence)}, index=generation_at(project.folder)) as db:
        renders.record(db, made, project.keyring.holder, now)
    return made
