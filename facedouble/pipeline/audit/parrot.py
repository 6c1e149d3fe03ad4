"""The parrot: footage and photos of known people get the face that the film's people wear, in memory, and are looked at.

The one part of the audit that draws, and therefore a process of its own: what draws is imported in it alone, and nothing comes
back but embeddings. No picture reaches a disk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache, partial
from importlib.util import find_spec
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from facedouble import disk
from facedouble.errors import FacedoubleError, InputRefused
from facedouble.geometry import overlap
from facedouble.models.landmarker import quiet
from facedouble.options import Options
from facedouble.pipeline.audit.glimpse import Seers, glimpse
from facedouble.types import Array, Box, Bytes, Detector, Floats, Frame, Value

if TYPE_CHECKING:  # at run time only in the process that draws
    from facedouble.pipeline.analyse import Analysis, Eyes, Role
    from facedouble.types import Double, MediaInfo

BARE = ""  # the mask of a recording that was looked at as it is
PHOTOS = {".jpg", ".jpeg", ".png", ".webp"}
NOTHING = np.zeros((0, 2, 1), np.float32)
HELD = 150_000_000  # px of the footage that is drawn once more, up to which it is held, not read again
LOOK_FOR = 2.0  # times a second that the first face of a clip is looked for


@dataclass(frozen=True)
class Mask(Value):
    """The face that somebody wears in the film. id: of the double, as the report has it; file: None for a mannequin."""

    id: str
    file: Path | None = None


@dataclass(frozen=True)
class Material(Value):
    """A clip or a photo; of a clip the sample is taken from `start` on, a share of its length.

    places: where the person is, frame and box, px of the clip: the sample begins at the first; without them it is who is seen
    largest and longest. only: the ids of the masks that it is drawn with, () all. looks: frames of the clip that are looked at,
    for a sample that goes from the first place to the last look.
    """

    file: Path
    start: float = 0.0
    places: tuple[tuple[int, Box], ...] = ()
    only: tuple[str, ...] = ()
    looks: tuple[int, ...] = ()


class NotTheFace(InputRefused):
    """A mask is not to be had: its file is none, or is another one's."""


@dataclass(frozen=True)
class Errand(Value):
    """What the parrot is sent to do: people by name with what shows them, each to be drawn with each of the masks; again: the
    film's own footage by whom it shows, to be drawn as the film was."""

    people: tuple[tuple[str, tuple[Material, ...]], ...]
    masks: tuple[Mask, ...]
    options: Options
    models: Path | None = None
    exhaustive: bool = False
    again: tuple[tuple[str, Material], ...] = ()


@dataclass(frozen=True)
class Parroted(Value):
    """A recording drawn with a mask, or `BARE`.

    vectors (n, 2, D): its looks, in order, as of `glimpse`; at (n,) s; why: there are none, one sentence; again: it is the
    film's own footage.
    """

    person: str
    file: str
    mask: str
    vectors: Floats
    at: Array
    why: str = ""
    again: bool = False


def portraits() -> dict[str, Path]:
    """Two public-domain portraits inside packages that are there anyway: somebody to wear a double when nobody else is given."""
    inside = {"skimage": "data/astronaut.png", "matplotlib": "mpl-data/sample_data/grace_hopper.jpg"}
    found = {}
    for package, name in inside.items():
        spec = find_spec(package)
        path = Path(spec.origin).parent / name if spec is not None and spec.origin else None
        if path is not None and disk.is_file(path):
            found[f"portrait in {package}"] = path
    return found


def parrot(errand: Errand, seers: Seers) -> list[Parroted]:
    """Run it in a new process, which ends with it; the same errand over unaltered files is remembered."""
    materials = (*(m for _, files in errand.people for m in files), *(m for _, m in errand.again))
    return list(_run(errand, seers, tuple(disk.stamp(m.file) for m in materials)))


@lru_cache(maxsize=8)
def _run(errand: Errand, seers: Seers, stamps: tuple[tuple[int, str], ...]) -> tuple[Parroted, ...]:
    with ProcessPoolExecutor(1, get_context("spawn"), disk.remount, (disk.tickets(),)) as aside:
        return tuple(aside.submit(_silently, errand, seers).result())


def _silently(errand: Errand, seers: Seers) -> list[Parroted]:
    """As `draw_all`; libraries that write to the screen do not."""
    with quiet():
        return draw_all(errand, seers)


def draw_all(errand: Errand, seers: Seers) -> list[Parroted]:
    """Every recording of everybody, drawn with every mask and looked at; a recording that will not do says why."""
    from facedouble.isolation import close_doors
    from facedouble.pipeline.protect import open_eyes

    close_doors()
    find, embed = seers()
    see = partial(glimpse, find=find, embed=embed)
    eyes, worn = open_eyes(errand.options, errand.models), {mask.id: _double(mask) for mask in errand.masks}
    said: list[Parroted] = []
    for person, material, again in [*((who, m, False) for who, files in errand.people for m in files),
                                    *((who, m, True) for who, m in errand.again)]:
        file = material.file
        doubles: dict[str, Double | None] = {} if again else {BARE: None}
        doubles |= {name: double for name, double in worn.items() if name in (material.only or worn)}
        nothing = [Parroted(person, file.name, mask, NOTHING, np.zeros(0), again=again) for mask in doubles]
        try:
            made, read = _read(material, eyes, errand)
        except FacedoubleError as error:
            said += [replace(n, why=str(error)) for n in nothing]
            continue
        role = _main(made, material.places)
        if role is None:
            said += [replace(n, why=f"{file.name}: no face on which a double can be drawn") for n in nothing]
            continue
        looks = _looks(role, float(made.info.rate), errand, material)
        seen = [_drawn(made, role, double, looks, read, errand.options, see) for double in doubles.values()]
        said += [replace(n, vectors=v, at=a, why="" if len(a) else f"{file.name}: no face was found in what was drawn")
                 for n, (v, a) in zip(nothing, seen, strict=True)]
    return said


def _double(mask: Mask) -> Double:
    from facedouble.doubles.file import read_double
    from facedouble.doubles.mannequin import VARIANTS, mannequin

    try:
        for one in [read_double(mask.file)] if mask.file is not None else map(mannequin, range(VARIANTS)):
            if one.id == mask.id:
                return one
    except InputRefused as error:
        raise NotTheFace(str(error)) from error
    raise NotTheFace(f"{mask.file or 'the built-in faces'}: is not the face {mask.id[:12]} that the film was made with; give "
                       "the file of that double")


def _read(material: Material, eyes: Eyes, errand: Errand) -> tuple[Analysis, partial[Iterator[Frame]]]:
    """The analysis of the sample of a recording, and what reads that sample again."""
    from facedouble.media.probe import probe
    from facedouble.pipeline.analyse import analyse

    audit, file = errand.options.audit, material.file
    if file.suffix.lower() in PHOTOS:
        info, read = _still(file, audit.parrot_photo, audit.seen_side)
        whole, tiled = (tuple(map(remembered, some)) for some in (eyes.detectors.whole, eyes.detectors.tiled))
        eyes = replace(eyes, detectors=replace(eyes.detectors, whole=whole, tiled=tiled))
    elif material.looks:
        info = probe(file)
        first, stop = material.places[0][0], material.looks[-1] + 1
        read = partial(_sought, info, first, stop)
        if (stop - first) * info.width * info.height <= HELD:
            read = partial(iter, tuple(read()))
    else:
        info = probe(file)
        begin = int(material.start * float((info.duration or 0) * info.rate))
        count = None if errand.exhaustive else round(audit.parrot_seconds * float(info.rate))
        first = material.places[0][0] if material.places else \
            begin if errand.exhaustive else _first(info, begin, eyes, errand.options)
        read = partial(_part, info, first, count)
    return analyse(info, eyes, errand.options, read=lambda _: read()), read


def remembered(find: Detector) -> Detector:
    """The same detector, which looks at each picture once: those of a photo that is drawn as a clip are all one."""
    known: dict[tuple[tuple[int, ...], bytes], Sequence[tuple[Box, float]]] = {}

    def once(picture: Bytes) -> Sequence[tuple[Box, float]]:
        key = picture.shape, hashlib.blake2b(picture.tobytes()).digest()
        if key not in known:
            known[key] = find(picture)
        return known[key]

    return once


def _still(file: Path, count: int, side: float) -> tuple[MediaInfo, partial[Iterator[Frame]]]:
    """A photo as a clip in which nothing moves, its longer side at most `side` px."""
    from facedouble.media.decode import photo
    from facedouble.pipeline.double import photo_frame
    from facedouble.types import MediaInfo

    picture = photo(file)
    scale = side / max(picture.shape[:2])
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else picture
    frame = photo_frame(np.asarray(small, np.uint8), 0)
    one = Fraction(1, 25)
    info = MediaInfo(str(file), "photo", frame.width, frame.height, count, 1 / one, one, Fraction(0), count * one, 0, Fraction(1),
                     frame.colour, frame.pixel_format, frame.depth, (), (), ())
    return info, partial(_again, frame, count)


def _again(frame: Frame, count: int) -> Iterator[Frame]:
    return (replace(frame, index=i, ticks=i) for i in range(count))


def _part(info: MediaInfo, start: int, count: int | None) -> Iterator[Frame]:
    from facedouble.media.decode import frames

    for index, frame in enumerate(islice(frames(info), start, None if count is None else start + count)):
        yield replace(frame, index=index)


def _sought(info: MediaInfo, start: int, stop: int) -> Iterator[Frame]:
    from facedouble.media.again import picked

    return (replace(frame, index=frame.index - start) for frame in picked(info, range(start, stop)))


def _first(info: MediaInfo, begin: int, eyes: Eyes, options: Options) -> int:
    """The frame, from `begin` on, at which the first face is found; `begin` if there is none."""
    from facedouble.pipeline.analyse import find

    step = max(1, round(float(info.rate) / LOOK_FOR))
    for frame in _part(info, begin, None):
        if frame.index % step == 0 and not frame.corrupt and find(frame, eyes, options, True):
            return begin + frame.index
    return begin


def _main(made: Analysis, places: Sequence[tuple[int, Box]]) -> Role | None:
    """Who is at those places of the recording, or is seen largest and longest; among those on whom a double can be drawn."""
    roles = [r for r in made.roles if r.fit is not None and (r.weights >= 1).any()]
    if not places:
        return max(roles, key=lambda r: sum(box.area for box in r.boxes), default=None)
    there = {r.track.id: sum(overlap(r.boxes[at - r.track.start], box) for frame, box in places
                             if r.track.start <= (at := frame - places[0][0]) < r.track.stop) for r in roles}
    return max((r for r in roles if there[r.track.id] > 0), key=lambda r: there[r.track.id], default=None)


def _looks(role: Role, rate: float, errand: Errand, material: Material) -> dict[int, Box]:
    """Frames in which the role is wholly the double, `attack_every` s apart, and where it is; or the places that were named for
    looks, so that both looks are at the same; of a photo the last frame."""
    whole: list[int] = (np.flatnonzero(role.weights >= 1) + role.track.start).tolist()
    if material.looks:
        named = {at - material.places[0][0]: box for at, box in material.places if at in material.looks}
        return {n: named[n] for n in whole if n in named}
    few = len(whole) <= errand.options.audit.parrot_photo
    some = whole[-1:] if few else whole[:: max(1, round(errand.options.audit.attack_every * rate))]
    return {n: role.boxes[n - role.track.start] for n in some}


def _drawn(made: Analysis, role: Role, double: Double | None, looks: Mapping[int, Box], read: partial[Iterator[Frame]],
           options: Options, see: Callable[[Frame, Box], Floats | None]) -> tuple[Floats, Array]:
    """Embeddings (n, 2, D) of the role as the double (None: bare) at the looks, and when, s; what cannot be seen is left out."""
    from facedouble.pipeline.stage import perform
    from facedouble.protect.composite import compose
    from facedouble.protect.treatments import Part

    if not looks:
        return NOTHING, np.zeros(0)
    rate, fit = float(made.info.rate), role.fit
    stage = None if double is None else perform(role, double, options, rate)
    vectors, at = [], []
    for frame in read():
        if frame.index in looks and not frame.corrupt:
            i = frame.index - role.track.start
            shown = frame
            if stage is not None and fit is not None:
                step = frame.index - fit.start
                front = None if role.front is None else role.front.at(frame.index)
                part = Part(role.track.id, role.boxes[i], role.covers[i], 1.0, stage, step, fit.outlines[step].mesh, front,
                            "double")
                shown = compose(frame, [part], options.draw, options.seed).safe.frame
            seen = see(shown, looks[frame.index])
            if seen is not None:
                vectors.append(seen)
                at.append(frame.index / rate)
        if frame.index >= max(looks):
            break
    return (np.stack(vectors) if vectors else NOTHING), np.array(at)
