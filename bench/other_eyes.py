"""The referee's own eyes on a film and what became of it, for `bench/film.py`; runs in the referee's environment, as a process.

    PYTHON bench/other_eyes.py REFEREE find CLIP OUT.json
    PYTHON bench/other_eyes.py REFEREE compare ORIGINAL PROTECTED FACES.json OUT.json
    PYTHON bench/other_eyes.py REFEREE follow ORIGINAL PROTECTED FACES.json OUT.json

REFEREE is the folder of `score`, PYTHON its interpreter. `find`: faces by YuNet, CenterFace and FaceMesh at two scales, and by
the first two where the picture's edge cuts a face in half. `compare`: whether SFace takes what is there now for the same face,
and whether the pixels are practically the same, as `score` counts it. `follow`: where FaceMesh sees the listed face's points in
both films, and the mean colour of the face.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

SIDES = (640, 1280)  # px of the longest side of what the detectors look at


def find(clip: Path) -> dict[str, Any]:
    """Every face of every frame: [frame, x, y, w, h, five points, track, confirmed, sources]."""
    faces, media = (importlib.import_module(f"measure.{m}") for m in ("faces", "media"))
    near, wide, edge = (faces.Detectors(side) for side in (*SIDES, SIDES[0]))
    wide.mesh = edge.mesh = lambda picture: []  # it looks at 640 px whatever the side is
    whole = importlib.import_module("mediapipe.python.solutions.face_mesh")
    near.mesh.net = whole.FaceMesh(True, 4, False, 0.4)  # each picture for itself: what follows does so over cuts as well
    seen = []
    for picture in media.frames(media.scan(clip)):
        scale = max(1.0, SIDES[1] / max(picture.shape[:2]))
        large = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC) if scale > 1 else picture
        found = near(picture)
        more = [(face, scale) for face in wide(large)]
        rim = min(picture.shape[:2]) // 4  # a face that the picture's edge cuts in half is whole with its mirror image
        mirrored = cv2.copyMakeBorder(picture, rim, rim, rim, rim, cv2.BORDER_REFLECT)
        for face in edge(mirrored):
            face.box[:2], face.points = face.box[:2] - rim, face.points - rim
            low, high = np.maximum(face.box[:2], 0), np.minimum(face.box[:2] + face.box[2:], picture.shape[1::-1])
            if (high > low).all() and np.prod(high - low) > 0.35 * np.prod(face.box[2:]):
                more.append((face, 1.0))
        for face, scale in more:
            face.box, face.points = face.box / scale, face.points / scale
            twin = next((f for f in found if faces.iou(f.box, face.box) > 0.3), None)
            if twin is None:
                found.append(face)
            else:
                twin.sources |= face.sources
                twin.score = max(twin.score, face.score)
        seen.append(found)
    sure = {t.number for t in faces.follow(seen) if t.confirmed}
    return {"frames": len(seen), "faces": [
        [n, *map(float, f.box), np.asarray(f.points, float).tolist(), f.track, f.track in sure, sorted(f.sources)]
        for n, found in enumerate(seen) for f in found]}


def compare(original: Path, protected: Path, listed: Path) -> dict[str, Any]:
    """For each face in FACES.json, in its order: SFace similarity of what was there and is there, correlation of the pixels."""
    faces, media, video = (importlib.import_module(f"measure.{m}") for m in ("faces", "media", "video"))
    sface, by_frame = faces.SFace(), dict[int, list[tuple[int, Any]]]()
    wanted = json.loads(listed.read_text())["faces"]
    for k, face in enumerate(wanted):
        by_frame.setdefault(face[0], []).append((k, np.array(face[5], np.float32)))
    out: list[list[float]] = [[0.0, 0.0] for _ in wanted]
    for n, (a, b) in enumerate(zip(media.frames(media.scan(original)), media.frames(media.scan(protected)), strict=True)):
        for k, points in by_frame.get(n, ()):
            first, second = sface.patch(a, points), sface.patch(b, points)
            out[k] = [float(sface.vector(first) @ sface.vector(second)), video.unchanged(first, second)]
    return {"accepted": sface.THRESHOLD, "bare": video.BARE, "faces": out}


def follow(original: Path, protected: Path, listed: Path) -> dict[str, Any]:
    """Points (468, 2) px, or None, of the face that FACES.json lists, and its mean CIELAB, by frame, in both films."""
    faces, media = (importlib.import_module(f"measure.{m}") for m in ("faces", "media"))
    boxes = {f[0]: np.array(f[1:5]) for f in json.loads(listed.read_text())["faces"]}
    meshes = [faces.Mesh(4) for _ in range(2)]
    rows: list[dict[str, Any]] = []
    for n, both in enumerate(zip(media.frames(media.scan(original)), media.frames(media.scan(protected)), strict=True)):
        row: dict[str, Any] = {"points": [None, None], "lab": [None, None]}
        part = _oval(boxes.get(n), both[0].shape[:2])
        for side, picture in enumerate(both):
            seen = meshes[side](picture)
            if n in boxes and seen:
                best = max(seen, key=lambda m: faces.iou(_box(m), boxes[n]))
                if faces.iou(_box(best), boxes[n]) > 0.25:
                    row["points"][side] = best[:468, :2].astype(float).round(3).tolist()
            if part is not None:
                lab = cv2.cvtColor((picture / 255).astype(np.float32), cv2.COLOR_BGR2LAB)
                row["lab"][side] = lab[part].mean(0).astype(float).round(4).tolist()
        rows.append(row)
    return {"rows": rows}


def _box(mesh: Any) -> Any:
    return np.r_[mesh[:468, :2].min(0), np.ptp(mesh[:468, :2], axis=0)]


def _oval(box: Any, shape: tuple[int, int]) -> Any:
    """Where the middle of a face is, (h, w) bool: an ellipse of 60 % of the box."""
    if box is None:
        return None
    mask = np.zeros(shape, np.uint8)
    centre = tuple(int(v) for v in np.round(box[:2] + box[2:] / 2))
    cv2.ellipse(mask, centre, tuple(int(v) for v in np.maximum(1, np.round(box[2:] * 0.3))), 0, 0, 360, 1, -1)
    return mask > 0


def main(referee: str, what: str, *paths: str) -> None:
    """Do it and write it."""
    sys.path.insert(0, referee)
    *given, out = map(Path, paths)
    calls = {"find": find, "compare": compare, "follow": follow}
    call: Any = calls[what]
    out.write_text(json.dumps(call(*given)))


if __name__ == "__main__":
    arguments: Sequence[str] = sys.argv[1:]
    main(*arguments)
