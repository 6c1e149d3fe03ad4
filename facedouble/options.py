"""One frozen dataclass per step: every knob, with its range stated once. TOML <-> dataclass; unknown keys are errors."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any

from facedouble.errors import UsageError


def knob(default: float, low: float, high: float, unit: str = "") -> Any:
    """A number with its range; the command line and `check` read it from the field."""
    return field(default=default, metadata={"low": low, "high": high, "unit": unit})


class Checked:
    """Base of the option classes: numbers have to be in their range."""

    def __post_init__(self) -> None:
        for f in fields(self):  # type: ignore[arg-type]
            value = getattr(self, f.name)
            if "low" in f.metadata and not f.metadata["low"] <= value <= f.metadata["high"]:
                low, high, unit = f.metadata["low"], f.metadata["high"], f.metadata["unit"]
                raise UsageError(f"{f.name} = {value} is out of range: take {low} to {high} {unit}".rstrip())


@dataclass(frozen=True)
class DetectOptions(Checked):
    """Finding faces in single frames."""

    reduced_side: int = knob(640, 160, 4096, "px")  # longer side of the copy that every frame is searched on
    full_every: int = knob(10, 1, 1000, "frames")  # full size is searched that often, for faces of 12 px
    full_side: int = knob(1920, 320, 8192, "px")
    far_score: float = knob(0.5, 0.05, 0.99)  # MediaPipe full range
    yunet_score: float = knob(0.6, 0.05, 0.99)
    dark_below: float = knob(0.25, 0.0, 1.0)  # mean luma under which a brightened copy is searched as well


@dataclass(frozen=True)
class TrackOptions(Checked):
    """Linking faces to tracks and filling the gaps, both ways."""

    min_overlap: float = knob(0.15, 0.01, 0.9)
    max_gap: float = knob(4.0, 0.1, 60.0, "s")  # a face not seen for longer becomes a track of its own
    linger: float = knob(4.0, 0.1, 60.0, "s")  # a face no longer found stays covered that long
    growth: float = knob(1.0, 0.0, 10.0, "face sizes/s")  # how fast a cover grows while the face is not seen


@dataclass(frozen=True)
class FitOptions(Checked):
    """Landmarks, smoothing, trust."""

    crop_side: int = knob(384, 128, 1024, "px")
    max_yaw: float = knob(50.0, 5.0, 90.0, "degrees")
    max_pitch: float = knob(30.0, 5.0, 90.0, "degrees")
    max_roll: float = knob(20.0, 5.0, 180.0, "degrees")  # of a face under `upright_face`: recognisers misplace its eyes,
    upright_face: float = knob(120.0, 10.0, 4000.0, "px")  # and then take any tilted face for the witness
    small_roll: float = knob(8.0, 2.0, 180.0, "degrees")  # the same for a face under `small_face`, within a second or so
    small_face: float = knob(60.0, 10.0, 4000.0, "px")
    min_face: float = knob(46.0, 10.0, 1000.0, "px")
    fade: int = knob(5, 1, 60, "frames")
    min_trusted: int = knob(8, 1, 250, "frames")
    max_disagreement: float = knob(0.12, 0.01, 1.0, "eye distances")  # of the landmarks in picture and mirror


@dataclass(frozen=True)
class DrawOptions(Checked):
    """The look of the double. `strict` turns the mattes off; nothing here can turn a contract off.

    The hair matte is off unless asked for: with it, SFace came up to .065 nearer to the witness (11 pairs of the shared clips).
    """

    halo: float = knob(0.5, 0.0, 1.0)
    calm: float = knob(0.0, 0.0, 1.0)  # damps asymmetry and brows; from 0.5 on blinks come in a rhythm that is nobody's
    hair: bool = False  # dark strands of the witness stay in front of the face
    occlusion: bool = False  # what passes in front of the face and looks like nothing of it stays in front
    strict: bool = False

    @property
    def strands(self) -> bool:
        """Whether hair may stay in front of the face."""
        return self.hair and not self.strict

    @property
    def things(self) -> bool:
        """Whether things may stay in front of the face."""
        return self.occlusion and not self.strict

    @property
    def mattes(self) -> str:
        """What may stay in front of the face, for the report."""
        on = [name for name, used in (("hair", self.strands), ("things in front", self.things)) if used]
        return f"{' and '.join(on)} matte on" if on else "off"


@dataclass(frozen=True)
class EncodeOptions(Checked):
    """H.264 and AAC in MP4. The picture is coded in chunks that know nothing of each other: what is finished survives a crash."""

    crf: float = knob(17, 0, 40)
    preset: str = "fast"
    threads: int = knob(2, 1, 64)  # fixed: x264's bits depend on it
    audio_bit_rate: int = knob(192_000, 32_000, 512_000, "bit/s")
    chunk_most: int = knob(250, 10, 10_000, "frames")  # about as often as x264 begins anew by itself
    chunk_least: int = knob(50, 5, 5_000, "frames")  # shots shorter than that share a chunk with others


@dataclass(frozen=True)
class AuditOptions(Checked):
    """Limits of the audit: past them is a finding. And how much of the film the slow looks take."""

    seen_side: int = knob(640, 160, 4096, "px")  # longer side of the copy that every frame is searched on
    every: int = knob(25, 1, 1000, "frames")  # full size, lifted and turned copies are searched that often
    rounds: int = knob(3, 1, 10)  # audits at most; between them, what was found is covered and drawn again
    beside: float = knob(0.25, 0.0, 10.0, "s")  # to either side of what was found, that is covered as well
    seen_score: float = knob(0.5, 0.05, 0.99)  # CenterFace, in the picture itself; no veil of the sample clips gets there
    copy_score: float = knob(0.7, 0.05, 0.99)  # in a turned, lifted or sharpened copy, where more looks like a face
    same_face: float = knob(0.363, -1.0, 1.0)  # SFace, one frame: its authors' limit; bench/thresholds.py says how often it errs
    same_second: float = knob(0.32, -1.0, 1.0)  # for the mean of a second, which varies less
    blend_height: float = knob(0.1, 0.0, 1.0)  # a peak of the footage's finest detail in a face: its correlation,
    blend_stands: float = knob(4.0, 0.0, 100.0, "standard deviations")  # how far it stands out of other shifts,
    blend_sharp: float = knob(0.04, 0.0, 1.0)  # and out of those beside it; past all three is a finding
    chance: float = knob(6.0, 0.0, 100.0)  # no peak counts that is lower than this over the root of the pixels compared
    part_height: float = knob(0.23, 0.0, 1.0)  # the same three for eyes and mouth alone, which hold less to tell by
    part_stands: float = knob(5.5, 0.0, 100.0, "standard deviations")
    part_sharp: float = knob(0.09, 0.0, 1.0)
    part_skin: float = knob(0.8, 0.0, 1.0)  # of these three also where an edge counts no more than the skin around it
    held_height: float = knob(0.05, 0.0, 1.0)  # and for the mean of a second
    held_stands: float = knob(5.0, 0.0, 100.0, "standard deviations")
    held_sharp: float = knob(0.03, 0.0, 1.0)
    gaze_height: float = knob(0.08, 0.0, 1.0)  # and of the eyes alone
    gaze_sharp: float = knob(0.05, 0.0, 1.0)
    # and of any half a second, up to 4 px beside its place or of a frame before or after: clean clips reach .93 of the three
    # limits together; a fifth of the footage reaches 1.04 of them and more, once it is coded
    moved_height: float = knob(0.1, 0.0, 1.0)
    moved_stands: float = knob(5.0, 0.0, 100.0, "standard deviations")
    moved_sharp: float = knob(0.055, 0.0, 1.0)
    left: float = knob(0.012, 0.0, 1.0)  # share of a face's oval in which small windows are the footage's,
    least: float = knob(60.0, 0.0, 10_000.0, "px")  # and so many of them at least
    rows: float = knob(0.007, 0.0, 1.0)  # the same for thin windows: a few rows or columns
    rim: float = knob(120.0, 0.0, 100_000.0, "px")  # so much of the outline of a face is the footage's, in one frame,
    rim_share: float = knob(0.5, 0.0, 10.0)  # or of a large face that share of its width: hair comes and goes at its outline
    rims: float = knob(0.35, 0.0, 1.0)  # or a trace of it in that share of the frames of a second
    line: float = knob(0.05, 0.0, 1.0)  # or a thin line of it runs along that share of the outline for half a second (clean: .02)
    remains_eye: float = knob(0.4, 0.0, 1.0)  # under it an eye is the footage's; of the clean clips none is under .6
    remains_mouth: float = knob(0.31, 0.0, 1.0)  # the same for the mouth; of the clean clips none is under .38
    coarse: float = knob(0.25, 0.0, 1.0)  # under it a face's coarse look is the footage's, and not by the light alone
    coarse_plain: float = knob(0.43, 0.0, 1.0)  # the same where a face has no detail of its own (a fade in side light: .44):
    blurred: float = knob(0.4, 0.0, 1.0)  # under that share of the footage's (blurs reach .31, alike doubles .56),
    tiled: float = knob(5.0, 1.0, 1000.0)  # or steps between tiles (mosaics reach 50 and more, faces under 3)
    left_half: float = knob(0.008, 0.0, 1.0)  # the mean of half a second, in which chance goes: of small windows,
    rows_half: float = knob(0.004, 0.0, 1.0)  # and of thin ones; clean clips reach .0038 and .0025, where a head turns
    spots: float = knob(0.002, 0.0, 1.0)  # the mean of tiny windows where no face is seen at all; clean veils reach .0002
    # the median of half a second: how far a strip of rows or columns stands out of those beside it, in shares of its pixels that
    # are the footage's, more in a face of few pixels: clean clips reach .33 (.36 at a limit of .44), six rows .41 and more
    strip_half: float = knob(0.4, 0.0, 1.0)
    flash: float = knob(25.0, 0.0, 255.0, "levels")  # of one frame against both neighbours, beyond what the footage does
    # the same in a face, times what footage and neighbours do, with that share of its own detail lost: clean clips reach .78 of
    # both, the next .72; half of another moment reaches 1.04 of them and more, but where a head is thrown about (.87)
    flash_stands: float = knob(0.9, 0.0, 100.0)
    flash_lost: float = knob(0.13, 0.0, 1.0)
    still: float = knob(0.8, 0.0, 255.0, "levels")  # movement of the footage while the output repeats itself
    other: float = knob(0.2, 0.0, 255.0, "levels")  # by so much the frame fits a neighbour's footage better than its own
    strange: float = knob(16.0, 0.0, 255.0, "levels")  # difference from the footage far from everybody in the plan
    trace: float = knob(10.0, 5.5, 20.0, "sigmas")  # of a window of .2 s: a voice at the same pitch reaches 8 by chance
    lasting: float = knob(6.5, 5.5, 20.0, "sigmas")  # of four seconds at one lag
    late: float = knob(0.04, 0.01, 0.3, "s")
    in_time: float = knob(0.45, 0.1, 0.95)  # correlation of loudness under which it is not told whether a sound is late
    silence: float = knob(-80.0, -120.0, -50.0, "dB of full scale")
    room: float = knob(9.0, 5.0, 30.0, "dB")  # of a band over the room tone's median
    bleep: float = knob(12.0, 5.0, 40.0, "dB")  # the same below a bleep, whose own coding adds to it
    voice: float = knob(0.8, 0.5, 0.99)  # likeness of a piece of speech to whose it was
    undone: float = knob(0.85, 0.5, 0.99)  # the same when its pitch is moved back
    gallery_rank: float = knob(0.5, 0.0, 1.0)  # share of pieces that may be given to the right person first
    attack_every: float = knob(0.4, 0.02, 60.0, "s")  # attackers look that often at a face of the film, and of their parrots
    attack_looks: int = knob(200, 5, 100_000)  # at most so many at one person of the film
    attack_people: int = knob(30, 2, 1000)  # of the gallery that are drawn and followed, spread over it
    attack_files: int = knob(3, 1, 1000)  # of each of them
    attack_least: int = knob(5, 2, 1000)  # known people without whom an attacker's figures give no verdict
    # cosine of what others have in common who wear a double with somebody's bare face; and by the drawn face alone. Strangers
    # reach .36 and .56, the volunteers themselves .52 to .66 and .74 to .88 (10 doubles, 25 people, bench/parrot.py)
    double_alike: float = knob(0.4, -1.0, 1.0)
    double_alike_face: float = knob(0.62, -1.0, 1.0)
    # cosine of a face of the film with what others have in common who wear the planned double, as it is and by the drawn face
    # alone. Worn: in clean clips, five looks together, .70 and .77 at least, in 99 % of single photos .54 and .69, with two
    # portraits to compare with; bare faces reach .27 and .51, half of another face in the double .45 and .67
    double_worn: float = knob(0.5, -1.0, 1.0)
    double_worn_face: float = knob(0.65, -1.0, 1.0)
    # cosine of a drawn face of the film with the same frames of the footage, drawn once more with the planned double: the better
    # half of a second. Clean clips reach .98 at least; with the witness's shape in the double .88 at most (14 films each)
    double_again: float = knob(0.94, -1.0, 1.0)
    # share of windows in which the parrot's first guess may be right. 1: no limit, because hair, ears and skin tone stay: of 33
    # people it is right for about 80 % of the shared recordings, and for 39 % by the drawn face alone (bench/parrot.py)
    parrot_rank1: float = knob(1.0, 0.0, 1.0)
    motion_auc: float = knob(1.0, 0.0, 1.0)  # 1: no limit, because the performance is the point
    motion_seconds: float = knob(2.0, 0.5, 30.0, "s")  # a window of motion...
    motion_windows: int = knob(30, 1, 10_000)  # ...and so many of them, of a person of the film, at most
    parrot_seconds: float = knob(2.0, 0.5, 600.0, "s")  # of each known clip that are drawn, from its first face on
    parrot_photo: int = knob(12, 9, 100, "frames")  # a known photo is drawn as a still clip of that length


@dataclass(frozen=True)
class Options(Checked):
    """All of them. `seed` drives the grain."""

    detect: DetectOptions = field(default_factory=DetectOptions)
    track: TrackOptions = field(default_factory=TrackOptions)
    fit: FitOptions = field(default_factory=FitOptions)
    draw: DrawOptions = field(default_factory=DrawOptions)
    encode: EncodeOptions = field(default_factory=EncodeOptions)
    audit: AuditOptions = field(default_factory=AuditOptions)
    seed: int = 0

    def digest(self) -> str:
        """Sixteen hex digits that change with any option."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]


def _build(cls: type[Any], table: Any, place: str) -> Any:
    if not isinstance(table, dict):
        raise UsageError(f"option {place.rstrip('.')} has to be a table, not {table!r}")
    known = {f.name: f for f in fields(cls)}
    for key in table:
        if key not in known:
            raise UsageError(f"unknown option {place}{key}: known are {', '.join(sorted(known))}")
    defaults = cls()
    made = {k: _build(type(getattr(defaults, k)), v, f"{place}{k}.") if is_dataclass(getattr(defaults, k)) else v
            for k, v in table.items()}
    for key, value in made.items():
        want = type(getattr(defaults, key))
        if isinstance(value, bool) and want is not bool:
            raise UsageError(f"option {place}{key} has to be {want.__name__}, not {value!r}")
        if not isinstance(value, want) and not (want is float and isinstance(value, int)):
            raise UsageError(f"option {place}{key} has to be {want.__name__}, not {value!r}")
    return cls(**made)


def parse(text: str) -> Options:
    """Options from TOML; UsageError on anything unknown, of the wrong type or out of range."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the options file is not valid TOML: {error}") from error
    options: Options = _build(Options, table, "")
    return options
