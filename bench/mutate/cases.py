"""The clean films of the trial: short clips of the shared data, protected, and films with speech."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1]))
from bench.mutate.faults import Case  # noqa: E402  found from any folder

VIDEO = HERE.parents[2] / "shared" / "data" / "video"
PICTURES = ("grid_bbaf2n.mpg", "grid_swiz3n.mpg", "grid_lbax4n.mpg", "grid_pwij3p.mpg", "asl_thanks.mkv", "asl_bird.mkv",
            "asl_learn.mkv", "cisco_vt2people.mp4", "vr_3.mp4", "lp_d18.mp4", "intel_two_people.mp4",
            "grid_lwbsza.mpg")
HELD_OUT = ("grid_id2_swwp2s.mpg", "asl_book.mkv", "lp_s13.mp4", "vr_1.mp4", "vr_4.mp4", "intel_three_people.mp4")
"""Clips of which no fault led to a limit; once one does, its clip belongs to the others. Clean, all are held against limits."""


def make(folder: Path, clips: Sequence[str]) -> None:
    """Protect the clips that are not there yet; drafts, because the trial audits them itself."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in clips:
        film = folder / f"{Path(name).stem}.mp4"
        if not film.exists():
            draft = film.with_suffix(".draft.mp4")
            command = [sys.executable, "-m", "facedouble", "protect", str(VIDEO / name), "-o", str(film), "--no-audit"]
            subprocess.run(command, check=True)
            for suffix in (".mp4", ".report.json", ".sheet.jpg"):
                draft.with_suffix(suffix).rename(film.with_suffix(suffix))


def make_speech(folder: Path, held_out: bool) -> None:
    """The films with speech, and the voice that speaks in them, of the shared volunteer."""
    voice, consent = folder / "volunteer.fvoice", folder / "consent.toml"
    if not voice.exists():
        consent.write_text('name = "bench volunteer"\nscope = ["film", "test"]\ndate = "2026-01-01"\n')
        some = sorted((VIDEO.parent / "speech_volunteer").iterdir())[:12]
        subprocess.run([sys.executable, "-m", "facedouble", "voice", "make", str(voice), *map(str, some), "--consent",
                        str(consent)], check=True)
    subprocess.run([sys.executable, "-m", "bench.mutate.sound_films", str(folder), str(voice),
                    *(["held-out"] if held_out else [])], check=True, cwd=HERE.parents[1])


def cases(folder: Path) -> Iterator[Case]:
    """The films of a folder: NAME.mp4 of a shared clip, or NAME/{film.plan.toml, NAME.mkv, out/A.mp4} with words.txt."""
    for film in sorted(folder.glob("*.mp4")):
        sources = sorted(VIDEO.glob(f"{film.stem}.*"))
        if sources and film.with_suffix(".report.json").is_file():
            yield Case(sources[0], film)
    for plan in sorted(folder.glob("*/film.plan.toml")):
        film, source = plan.parent / "out" / "A.mp4", plan.parent / f"{plan.parent.name}.mkv"
        words = film.with_name("words.txt")
        if film.is_file():
            yield Case(source, film, tuple(words.read_text().split("\n")) if words.is_file() else ())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--no-speech", action="store_true", help="only the films of clips")
    parser.add_argument("--held-out", action="store_true", help="the films at which nobody looked when limits were set")
    given = parser.parse_args()
    make(given.folder, HELD_OUT if given.held_out else PICTURES)
    if not given.no_speech:
        make_speech(given.folder, given.held_out)
