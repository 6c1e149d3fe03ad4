"""`facedouble voice …`: volunteers' voices, who speaks when, takes, the listening page."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import typer

from facedouble import disk
from facedouble.cli import takes
from facedouble.cli.shown import OUT, Bar
from facedouble.errors import ConsentError, ExitCode, InputRefused, StoreError, UsageError

voice_app = typer.Typer(no_args_is_help=True, help="Voice doubles: another voice says the witness's words.")
_WORDS = {"refused": "too alike: refused", "near": "near: only if there is nothing better", "far": "far: as two people are"}


@voice_app.callback()
def _voice() -> None:
    """Voice doubles: another voice says the witness's words."""


@voice_app.command("make", epilog="Example: facedouble voice make noor.fvoice reading.wav --consent consent.toml")
def voice_make(
    output: Annotated[Path, typer.Argument(help="the voice to make, .fvoice")],
    material: Annotated[list[Path], typer.Argument(help="recordings of one volunteer: WAV, FLAC, MP3, M4A, or film with sound")],
    consent: Annotated[Path | None, typer.Option(help="the volunteer's consent record, TOML")] = None,
) -> None:
    """Make a voice of 15 seconds to 5 minutes of a volunteer's speech. The film will sound like the volunteer."""
    from facedouble.consent import check_consent, read_consent
    from facedouble.pipeline.hearing import open_ears
    from facedouble.pipeline.protect import close_doors
    from facedouble.pipeline.voices import make, open_maker
    from facedouble.voice.file import write_voice

    if consent is None:
        raise ConsentError("a voice needs the volunteer's consent: write it down in consent.toml and give it with --consent")
    if disk.exists(output):
        raise StoreError(f"{output}: exists already; choose another name")
    record = read_consent(consent)
    check_consent(record, dt.date.today(), "voice double")
    close_doors()
    with Bar() as bar:
        voice, found = make(material, record, open_ears(), open_maker(), bar)
    write_voice(voice, output)
    _describe(output, voice)
    for remark in found.remarks:
        OUT.print(f"  {remark}", markup=False)


def _describe(path: Path, voice: Any) -> None:
    from math import exp

    OUT.print(f"{path}: voice {voice.id}, of {voice.seconds:.0f} s of speech, {voice.rate} samples/s", markup=False)
    c = voice.consent
    OUT.print(f"  consent: {c.who}, for {', '.join(c.scope)}, {c.date}" + (f" until {c.until}" if c.until else ""), markup=False)
    OUT.print(f"  pitch: {exp(float(voice.arrays['f0'][0])):.0f} Hz in the middle")
    OUT.print("  whoever knows this volunteer will know the voice")


@voice_app.command("show", epilog="Example: facedouble voice show noor.fvoice")
def voice_show(path: Annotated[Path, typer.Argument(help="a .fvoice file")]) -> None:
    """Say what a voice holds, and whether it is whole."""
    from facedouble.isolation import close_doors
    from facedouble.voice.file import read_voice

    close_doors()
    _describe(path, read_voice(path))


@voice_app.command("check", epilog="Example: facedouble voice check noor.fvoice --against interview.mp4")
def voice_check(
    path: Annotated[Path, typer.Argument(help="a .fvoice file")],
    against: Annotated[list[Path], typer.Option(help="footage or recordings of those it may speak for, can be given again; or a "
                                                  "film's plan, for the people in it")],
    override: Annotated[str, typer.Option(help='cast it all the same for "voice 1", or P1: needs --by and --reason')] = "",
    by: Annotated[str, typer.Option(help="who decides")] = "",
    reason: Annotated[str, typer.Option(help="and why")] = "",
) -> None:
    """Measure how like a volunteer's voice is to each voice in the footage. Too alike is refused, exit code 3."""
    from facedouble.pipeline import voices
    from facedouble.pipeline.auditions import overrides, put_override
    from facedouble.pipeline.digest import of_file
    from facedouble.pipeline.film import SUFFIX, Home
    from facedouble.pipeline.hearing import open_ears
    from facedouble.pipeline.protect import close_doors
    from facedouble.plan.read import read
    from facedouble.voice import casting
    from facedouble.voice.file import read_voice

    close_doors()
    voice = read_voice(path)
    home = Home(against[0]) if len(against) == 1 and against[0].name.endswith(SUFFIX) else None
    with Bar() as bar:
        people = voices.people(against, open_ears(), bar) if home is None else voices.people_of(home, open_ears(), bar)
    found = voices.check(voice, people)
    for finding in found:
        _tell(path.stem, finding)
    if not found:
        raise InputRefused("nobody speaks in it long enough to be compared; give other footage of them")
    footage = {of_file(a) for a in against} if home is None else {clip.sha256 for clip in read(home.text()).clips}
    if override:
        target = put_override(path, casting.override(found, override, by, reason, footage).record())
        OUT.print(f"  recorded in {target}", markup=False)
    settled = {r.get("whom") for r in overrides(path) if r.get("voice") == voice.id and footage <= set(r.get("footage", ()))}
    if any(f.verdict.value == "refused" and f.whom not in settled for f in found):
        raise typer.Exit(ExitCode.AUDIT)


def _tell(name: str, finding: Any, place: str = "") -> None:
    like = "too little speech to tell: refused" if finding.likeness != finding.likeness else \
        f"likeness {finding.likeness:.2f}, {_WORDS[finding.verdict.value]}"
    OUT.print(f"{place}{name}: {like}" if place else f"{name} and {finding.whom}: {like}", markup=False)


@voice_app.command("rank", epilog="Example: facedouble voice rank voices --for interview.mp4")
def voice_rank(
    folder: Annotated[Path, typer.Argument(help="a folder of .fvoice files")],
    footage: Annotated[list[Path], typer.Option("--for", help="footage with the people to cast for; can be given again")],
) -> None:
    """Order a folder of voices for each voice in the footage: unlike it first, then of how much speech they are made."""
    from facedouble.pipeline import voices
    from facedouble.pipeline.hearing import open_ears
    from facedouble.pipeline.protect import close_doors

    if not disk.is_folder(folder):
        raise UsageError(f"{folder}: no such folder; give the one that holds the .fvoice files")
    close_doors()
    with Bar() as bar:
        against = voices.people(footage, open_ears(), bar)
    for whom, fits in voices.rank(voices.voices_in(folder), against).items():
        OUT.print(f"{whom}:", markup=False)
        for place, fit in enumerate(fits, 1):
            _tell(f"{fit.finding.voice} (of {fit.seconds:.0f} s)", fit.finding, f"  {place}. ")
    if not against:
        raise InputRefused("nobody speaks in it long enough to be compared; give other footage of them")


@voice_app.command("compare", epilog="Example: facedouble voice compare interview.mp4 safe.mp4 -o listen.html")
def voice_compare(
    before: Annotated[Path, typer.Argument(help="the footage")],
    after: Annotated[Path, typer.Argument(help="the protected film")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the page, .html; has to be new. Never give it away")],
    plan: Annotated[Path | None, typer.Option(help="the film's plan: who speaks when, and what became of it")] = None,
    clip: Annotated[str, typer.Option(help="which clip of the plan this is, if it has several")] = "",
    start: Annotated[float, typer.Option("--from", min=0.0, help="seconds; a page holds ten minutes")] = 0.0,
) -> None:
    """Put the sound before and after side by side, to listen to and to look at. The page holds the original voice."""
    from facedouble.pipeline.listening import compare, marks_of
    from facedouble.pipeline.protect import close_doors
    from facedouble.plan.read import read

    if disk.exists(output):
        raise StoreError(f"{output}: exists already; choose another name")
    try:
        marks = marks_of(read(disk.read_text(plan)), clip) if plan is not None else ()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{plan}: the plan cannot be read; check the name") from error
    close_doors()
    with Bar() as bar:
        page = compare(before, after, output, start, marks, bar)
    OUT.print(f"{output}: {page.seconds:.0f} s, {len(page.flags)} places to listen to first", markup=False)
    OUT.print("  it holds the ORIGINAL voice: keep it with the footage, give it to nobody, delete it afterwards")
takes.register(voice_app)
