"""The values that travel between the steps, and the conventions that hold everywhere.

Points are (..., 2) float32 px, x right, y down, pixel centres at integers, in the *upright, displayed* picture.
Boxes are x0 y0 x1 y1, half-open. Time is `Fraction` seconds. Spans are half-open. 3-D is right-handed, the camera
looks along +z, y down; the canonical head frame has outer-eye-corner distance 1. Colour crops are (h, w, 3) float32
RGB in [0, 1], display-referred. Sound is (N, C) float32 in [-1, 1]. Arrays on values are read-only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from itertools import accumulate
from typing import Any, Final, Generic, Self, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]

MESH_POINTS: Final = 468  # landmarks of the face surface; ten more describe the irises
LANDMARKS: Final = 478
EXPRESSION: Final = 32  # mouth and jaw 16, right eye with brow 8, left eye with brow 8
LIGHT: Final = 69  # 9 x 3 spherical harmonics, 42 luminance residuals
LIP_GAPS: Final = 9
_WIDTHS: Final = {"scale": 1, "rotation": 3, "translation": 3, "expression": EXPRESSION, "lids": 2, "lips": LIP_GAPS, "gaze": 4,
                  "light": LIGHT}
CODE_FLOATS: Final = sum(_WIDTHS.values())  # 123
CODE: Final = {name: slice(end - width, end) for (name, width), end in zip(_WIDTHS.items(), accumulate(_WIDTHS.values()),
                                                                          strict=True)}
"""Which of the numbers of a packed face code are which of its fields."""


def frozen(array: Array) -> Array:
    """A read-only view of a contiguous array."""
    fixed = np.ascontiguousarray(array)
    if fixed is array:
        fixed = array.view()
    fixed.flags.writeable = False
    return fixed


class Value:
    """Base of the frozen values: freezes arrays when built, and again after a trip through pickle."""

    __slots__ = ()  # so that those of which a film holds many can have them

    def __post_init__(self) -> None:
        for field in fields(self):  # type: ignore[arg-type]
            held = getattr(self, field.name)
            if isinstance(held, np.ndarray):
                object.__setattr__(self, field.name, frozen(held))
        self.check()

    def check(self) -> None:
        """Raise ValueError if the fields do not fit each other."""

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(getattr(self, f.name) for f in fields(self))  # type: ignore[arg-type]


T_co = TypeVar("T_co", covariant=True)


class Rows(Sequence[T_co], Generic[T_co]):
    """Values of one kind, as many as a film has frames: held as the rows of an array, each built when asked for."""

    __slots__ = ("build", "numbers")

    def __init__(self, numbers: Array, build: Callable[[Any], T_co]) -> None:
        self.numbers = numbers.view()
        self.numbers.flags.writeable = False
        self.build = build

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, index: int) -> T_co: ...

    @overload
    def __getitem__(self, index: slice) -> Self: ...

    def __getitem__(self, index: int | slice) -> T_co | Self:
        if isinstance(index, slice):
            return type(self)(self.numbers[index], self.build)
        return self.build(self.numbers[index])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rows) and self.build == other.build and np.array_equal(self.numbers, other.numbers)

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.numbers, self.build)


@dataclass(frozen=True, slots=True)
class Box(Value):
    """A rectangle in pixels, half-open."""

    x0: float
    y0: float
    x1: float
    y1: float

    def check(self) -> None:
        if not (self.x1 > self.x0 and self.y1 > self.y0):
            raise ValueError(f"empty box {self}")

    @classmethod
    def of(cls, row: Array) -> Self:
        """The box of (4,) x0 y0 x1 y1."""
        return cls(*row.tolist())

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @property
    def centre(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    @property
    def area(self) -> float:
        return self.width * self.height


@dataclass(frozen=True)
class Colour(Value):
    """Colour tags with FFmpeg's (ITU-T H.273) numbers; 2 is unspecified. `full` is the range of the planes."""

    primaries: int = 2
    transfer: int = 2
    matrix: int = 2
    full: bool = False


@dataclass(frozen=True)
class AudioInfo(Value):
    """One sound stream. `start` and `duration` in seconds."""

    index: int
    codec: str
    rate: int
    channels: int
    start: Fraction
    duration: Fraction | None


@dataclass(frozen=True)
class MediaInfo(Value):
    """What a file holds. Size is upright, as displayed; `rotation` is what was undone (0, 90, 180, 270, clockwise)."""

    path: str
    container: str
    width: int
    height: int
    frames: int | None
    rate: Fraction
    time_base: Fraction
    start: Fraction
    duration: Fraction | None
    rotation: int
    sample_aspect: Fraction
    colour: Colour
    pixel_format: str
    bit_depth: int
    audio: tuple[AudioInfo, ...]
    tags: tuple[str, ...]
    dropped: tuple[str, ...]


@dataclass(frozen=True)
class Frame(Value):
    """One decoded picture, upright, as planes (rows, columns) uint8, or uint16 above 8 bits. Y first, then U and V.

    `ticks` and `span` count in the stream's time base. `corrupt` says that the decoder flagged damage.
    """

    index: int
    ticks: int
    span: int
    time_base: Fraction
    planes: tuple[Array, ...]
    pixel_format: str
    colour: Colour
    corrupt: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "planes", tuple(frozen(p) for p in self.planes))
        super().__post_init__()

    def check(self) -> None:
        if len(self.planes) != 3:
            raise ValueError(f"a frame has three planes, not {len(self.planes)}")

    @property
    def width(self) -> int:
        return int(self.planes[0].shape[1])

    @property
    def height(self) -> int:
        return int(self.planes[0].shape[0])

    @property
    def depth(self) -> int:
        """Bits per sample."""
        return 10 if self.pixel_format.endswith("10le") else 8

    @property
    def chroma_shift(self) -> tuple[int, int]:
        """Base-2 logarithm of the chroma subsampling, x and y."""
        return int(self.planes[1].shape[1] < self.width), int(self.planes[1].shape[0] < self.height)

    @property
    def time(self) -> Fraction:
        return self.ticks * self.time_base


FACE: Final = np.dtype([("frame", "i8"), ("box", "f8", 4), ("score", "f8"), ("observed", "?")])
"""A face as a row."""


@dataclass(frozen=True, slots=True)
class Face(Value):
    """A face in one frame. `observed` is False where the place was filled in from other frames."""

    frame: int
    box: Box
    score: float
    observed: bool = True

    @classmethod
    def of(cls, row: Any) -> Self:
        """The face of a `FACE`."""
        return cls(int(row["frame"]), Box.of(row["box"]), float(row["score"]), bool(row["observed"]))


@dataclass(frozen=True)
class Track(Value):
    """One person's face through a span: gapless faces, one for each frame from `start` to `stop` (half-open)."""

    id: int
    faces: Sequence[Face]

    def __post_init__(self) -> None:
        if not isinstance(self.faces, Rows):
            rows = np.array([(f.frame, (f.box.x0, f.box.y0, f.box.x1, f.box.y1), f.score, f.observed) for f in self.faces], FACE)
            object.__setattr__(self, "faces", Rows(rows, Face.of))
        super().__post_init__()

    def check(self) -> None:
        if not len(self.faces) or not np.array_equal(self.rows["frame"], np.arange(len(self.faces)) + self.start):
            raise ValueError(f"track {self.id} has gaps")

    @property
    def rows(self) -> Array:
        """(n,) `FACE`: all faces as numbers."""
        assert isinstance(self.faces, Rows)
        return self.faces.numbers

    @property
    def boxes(self) -> Rows[Box]:
        """The faces' boxes."""
        return Rows(self.rows["box"], Box.of)

    @property
    def start(self) -> int:
        return int(self.rows["frame"][0])

    @property
    def stop(self) -> int:
        return int(self.rows["frame"][-1]) + 1

    def at(self, frame: int) -> Face | None:
        """The face in that frame, or None outside of the track."""
        return self.faces[frame - self.start] if self.start <= frame < self.stop else None


@dataclass(frozen=True)
class FaceCode(Value):
    """All that passes from the witness into the new face in one frame: `CODE_FLOATS` numbers, no pixels, no shape.

    scale (px per canonical unit), rotation (rotation vector, rad) and translation (px) place the canonical head;
    expression (32,) are coefficients of the regional bases; lids (2,) aperture over eye width, right and left;
    lips (9,) inner-lip gaps in canonical units; gaze (4,) iris centre in eye-corner axes, right x y, left x y;
    light (69,) irradiance: 27 spherical-harmonic coefficients and 42 residuals.
    """

    scale: float
    rotation: Floats
    translation: Floats
    expression: Floats
    lids: Floats
    lips: Floats
    gaze: Floats
    light: Floats

    def pack(self) -> bytes:
        """The code as `CODE_FLOATS` little-endian float32."""
        parts = [np.array([self.scale]), self.rotation, self.translation, self.expression, self.lids, self.lips,
                 self.gaze, self.light]
        return bytes(np.concatenate([np.asarray(p, "<f4").ravel() for p in parts]).tobytes())

    @classmethod
    def unpack(cls, data: bytes) -> FaceCode:
        """Read what `pack` wrote; ValueError if it is not exactly one code of finite numbers."""
        v = np.frombuffer(data, "<f4")
        if v.shape != (CODE_FLOATS,) or not np.isfinite(v).all():
            raise ValueError("not a face code")
        return cls.of(v)

    @classmethod
    def of(cls, row: Floats) -> FaceCode:
        """The code of (123,) numbers in the order of `pack`."""
        return cls(float(row[0]), *(row[part] for name, part in CODE.items() if name != "scale"))


@dataclass(frozen=True)
class ClipCode(Value):
    """The constants of one track that pass beside its codes; `floats()` counts them.

    Ratios (double over witness) need the witness's size only, not the shape: mouth width, face height, eye width and
    outline scale, the vertical outline offset (canonical), closed and neutral lid aperture of both eyes, vertical gaze
    centre, blur (edge sigma, px at a face of 200 px), grain (sigma, levels of 255), and the shutter: how long the camera
    exposes, in frames, 0 where the footage does not tell.
    """

    mouth_width: float
    face_height: float
    eye_width: float
    outline_area: float
    outline_middle: float
    lids_closed: tuple[float, float]
    lids_neutral: tuple[float, float]
    gaze_middle: tuple[float, float]
    edge_sigma: float
    grain_sigma: float
    shutter: float = 0.0

    def floats(self) -> list[float]:
        """Every number of it, flat."""
        flat: list[float] = []
        for field in fields(self):
            held = getattr(self, field.name)
            flat.extend(held if isinstance(held, tuple) else (held,))
        return flat


@dataclass(frozen=True)
class Consent(Value):
    """What a volunteer agreed to. Dates are ISO 8601; `scope` is a subset of film, trailer, stills, test."""

    who: str
    scope: tuple[str, ...]
    date: str
    until: str | None = None
    note: str = ""


@dataclass(frozen=True)
class Double(Value):
    """A volunteer's face. K key frames, atlas of h x w.

    neutral (478, 3) canonical; textures (K, h, w, 3) float16 relative albedo, 1 = mean skin; features (K, 8) mouth and
    eye semantics of the key frames; iris (2, 5): radius over eye width, colour over skin (3), sclera over skin;
    gaze_middle (2,) vertical iris centre at rest; lip_response (n, 2) lip gap drawn (canonical) -> what a landmarker then
    measures, both rising; quality "basic" (one photo), "fair" (several), "good" (a clip);
    coverage maps each part of the capture sheet to whether it was found.
    """

    id: str
    neutral: Floats
    textures: NDArray[np.float16]
    features: Floats
    iris: Floats
    gaze_middle: Floats
    lip_response: Floats
    quality: str
    coverage: dict[str, bool]
    consent: Consent

    def check(self) -> None:
        if self.neutral.shape != (LANDMARKS, 3) or self.textures.ndim != 4 or len(self.features) != len(self.textures):
            raise ValueError("the arrays of a double do not fit each other")


class _Seal:
    """The right to call a frame safe. There is one, and `protect.composite` takes it when it is imported."""


_seals = [_Seal()]


def take_seal() -> _Seal:
    """Hand out the only seal; RuntimeError the second time."""
    if not _seals:
        raise RuntimeError("the seal for safe frames is taken")
    return _seals.pop()


class SafeFrame:
    """A frame that may be encoded. Only the holder of the seal can make one, so only `protect.composite` does."""

    __slots__ = ("frame", "hidden")

    def __init__(self, seal: _Seal, frame: Frame, hidden: bool) -> None:
        if type(seal) is not _Seal:
            raise TypeError("only protect.composite makes safe frames")
        self.frame = frame
        self.hidden = hidden


Detector = Callable[[Bytes], Sequence[tuple[Box, float]]]
"""RGB picture (h, w, 3) uint8 -> boxes with scores."""

@dataclass(frozen=True, slots=True)
class Spot(Value):
    """Something in a picture that may tell who somebody is: a box of w x h px around x, y, turned by `angle` degrees clockwise.

    what: the words that stand there, "" if they cannot be read; score in [0, 1].
    """

    x: float
    y: float
    w: float
    h: float
    angle: float
    what: str
    score: float

    def check(self) -> None:
        if not (self.w > 0 and self.h > 0):
            raise ValueError(f"empty spot {self}")


Finder = Callable[[Bytes], Sequence[Spot]]
"""RGB picture (h, w, 3) uint8 -> what is in it that may tell who somebody is, besides faces."""

Landmarker = Callable[[Bytes], Floats | None]
"""RGB crop (h, w, 3) uint8 holding one face -> (478, 3) px, z in the same scale, away from the camera; or None."""

Recogniser = Callable[[Bytes, Array], Floats]
"""RGB crop (h, w, 3) uint8 holding one face, its landmarks (468 or more, 2 or more) px -> (128,) embedding of the person."""


@dataclass(frozen=True, slots=True)
class Turn(Value):
    """Somebody speaks in [start, stop) of a clip's sound, in samples of 1/16000 s.

    voice: which voice of the clip, from 0; -1: several at once, or it could not be told. track: the face that speaks, None: off
    the picture, or it could not be told. flags: what a listener should hear: "laughter?", "overlap".
    """

    start: int
    stop: int
    voice: int = -1
    track: int | None = None
    flags: tuple[str, ...] = ()

    def check(self) -> None:
        if not 0 <= self.start < self.stop:
            raise ValueError(f"a turn from {self.start} to {self.stop}")


@dataclass(frozen=True, slots=True)
class Seen(Value):
    """A face as a detector with landmarks sees it, px of the picture.

    points (5, 2): eye, eye, nose, corner of the mouth, corner of the mouth; of each pair the one further left first.
    """

    box: Box
    score: float
    points: Floats

    def check(self) -> None:
        if self.points.shape != (5, 2):
            raise ValueError(f"five points, not {self.points.shape}")


Seer = Callable[[Bytes], Sequence[Seen]]
"""RGB picture (h, w, 3) uint8 -> faces with their five points, best first."""

Knower = Callable[[Bytes, Floats], Floats]
"""RGB picture (h, w, 3) uint8, five points (5, 2) px of a face in it -> (128,) embedding of length 1; alike = larger product."""
