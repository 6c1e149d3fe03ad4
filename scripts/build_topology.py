"""Compute the face topology (mean shape, mirror map, triangles, UV, pose bends, expression bases) over the shared clips.

    .venv/bin/python scripts/build_topology.py --data ../shared/data [--cache DIR]

Writes `facedouble/data/topology.npz`. Only statistics over all people are stored; no picture, no single shape. A person
has one vote: clips of the same person are pooled, and every person gives the same number of samples.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("GLOG_minloglevel", "3")

import av
import cv2
import numpy as np
from mediapipe.python.solutions import face_mesh
from mediapipe.python.solutions import face_mesh_connections as links
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from facedouble.morphable import layout
from facedouble.morphable.pose import canonical, euler, similarity
from facedouble.morphable.semantics import neutral_frames, semantics
from facedouble.types import Array

# person -> clips; one vote each. Clips in which the mesh is unreliable (profile, < 60 px) are left out.
PEOPLE = {
    "d10": ["lp_d10.mp4"], "d12": ["lp_d12.mp4"], "d13": ["lp_d13.mp4"], "d18": ["lp_d18.mp4"],
    "sad": ["sad_a.mp4", "vr_3.mp4"], "vr1": ["vr_1.mp4"], "vr4": ["vr_4.mp4"],
    "g1": ["grid_bbaf2n.mpg"], "g2": ["grid_brbk7n.mpg"], "g3": ["grid_id2_swwp2s.mpg", "grid_pwij3p.mpg"],
    "g4": ["grid_lbax4n.mpg"], "g5": ["grid_lwbsza.mpg"], "g6": ["grid_swiz3n.mpg"],
    "a1": ["asl_book.mkv", "asl_learn.mkv"],
}
IRIS_MIRROR = {468: 473, 469: 476, 471: 474, 470: 475, 472: 477}
SAMPLES = 220  # per person
FALSE_TRIANGLES = {(49, 64, 129), (279, 294, 358)}  # 3-cycles of the edge list that are no faces of the mesh


def track(path: Path) -> Array:
    """(T, 2, 478, 3) px: landmarks of the picture, and of its mirror turned back in x; NaN where not found."""
    nets = [face_mesh.FaceMesh(max_num_faces=1, refine_landmarks=True, min_detection_confidence=.4,
                               min_tracking_confidence=.4) for _ in range(2)]
    rows = []
    with av.open(str(path)) as box:
        for frame in box.decode(video=0):
            rgb = frame.to_ndarray(format="rgb24")
            h, w = rgb.shape[:2]
            if max(h, w) < 500:  # the detector sees small faces better in a larger picture
                rgb = cv2.resize(rgb, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
            pair = []
            for net, flip in zip(nets, (False, True), strict=True):
                found = net.process(np.ascontiguousarray(rgb[:, ::-1]) if flip else rgb).multi_face_landmarks
                p = np.full((478, 3), np.nan)
                if found:
                    p = np.array([(q.x * w, q.y * h, q.z * w) for q in found[0].landmark])
                    if flip:
                        p[:, 0] = w - 1 - p[:, 0]
                pair.append(p)
            rows.append(pair)
    return np.array(rows)


def tesselation() -> Array:
    """(852, 3) triangles: the 3-cycles of the edge list, without two false ones and the openings' fillings."""
    near: dict[int, set[int]] = {}
    for a, b in links.FACEMESH_TESSELATION:
        near.setdefault(a, set()).add(b)
        near.setdefault(b, set()).add(a)
    found = {(a, b, c) for a in near for b in near[a] if b > a for c in near[a] & near[b] if c > b}
    rims = [set(layout.RIGHT_UPPER_LID + layout.RIGHT_LOWER_LID), set(layout.LEFT_UPPER_LID + layout.LEFT_LOWER_LID),
            set(layout.UPPER_INNER_LIP + layout.LOWER_INNER_LIP)]
    kept = [t for t in sorted(found) if t not in FALSE_TRIANGLES and not any(set(t) <= r for r in rims)]
    return np.array(kept, np.int32)


def mean_shape(tracks: dict[str, Array]) -> tuple[Array, Array]:
    """Symmetrised generalised Procrustes mean over people's most frontal frames, and the mirror map."""
    rigid = layout.RIGID
    shapes = []
    for clip in tracks.values():
        a = clip[:, 0]
        i = np.argsort(np.abs(a[:, 234, 2] - a[:, 454, 2]))[:10]
        size = np.linalg.norm(a[i, 33] - a[i, 263], axis=-1)[:, None, None]
        shapes.append(np.median((a[i] - a[i][:, rigid].mean(1, keepdims=True)) / size, 0))
    ref = shapes[0]
    for _ in range(6):
        aligned = []
        for shape in shapes:
            s, r, t = similarity(shape[rigid], ref[rigid])
            aligned.append(s * shape @ r.T + t)
        ref = np.mean(aligned, 0)
        ref -= ref[rigid].mean(0)
        ref /= np.linalg.norm(ref[33] - ref[263])
    mirror: Array = np.arange(478)
    for _ in range(5):
        flipped = ref * [-1, 1, 1]
        mirror = linear_sum_assignment(cdist(flipped[:468], ref[:468]))[1]
        mirror = np.r_[mirror, np.zeros(10, int)]
        for one, other in IRIS_MIRROR.items():
            mirror[one], mirror[other] = other, one
        s, r, t = similarity(flipped, ref[mirror])
        turned = np.zeros_like(ref)
        turned[mirror] = s * flipped @ r.T + t
        ref = (ref + turned) / 2
        ref -= ref[rigid].mean(0)
        axis = ref[263] - ref[33]
        axis /= np.linalg.norm(axis)
        turn = np.cross(axis, [1., 0, 0])
        angle = float(np.linalg.norm(turn))
        if angle > 1e-9:
            ref = ref @ Rotation.from_rotvec(turn / angle * np.arcsin(min(angle, 1.))).as_matrix().T
        ref[:, 0] -= (ref[mirror, 0] + ref[:, 0]).mean() / 2
    ref = (ref + ref[mirror] * [-1, 1, 1]) / 2  # exactly symmetric
    return ref / np.linalg.norm(ref[33] - ref[263]), mirror


def region_weights(ref: Array) -> Array:
    """(468, 3) share of mouth and jaw, right eye and brow, left eye and brow in a vertex' motion."""
    x = ref[:468]

    def near(ids: list[int], radius: float) -> Array:
        weight: Array = np.exp(-(cdist(x, x[ids]).min(1) / radius) ** 2)
        return weight

    mouth = near(layout.UPPER_INNER_LIP + layout.LOWER_INNER_LIP + layout.UPPER_OUTER_LIP + layout.LOWER_OUTER_LIP, .30)
    jaw = np.clip((x[:, 1] - x[2, 1]) / (x[14, 1] - x[2, 1]), 0, 1)
    mouth = np.maximum(mouth, jaw)
    right = near(layout.RIGHT_UPPER_LID + layout.RIGHT_LOWER_LID + layout.RIGHT_BROW, .16)
    left = near(layout.LEFT_UPPER_LID + layout.LEFT_LOWER_LID + layout.LEFT_BROW, .16)
    total = mouth + right + left + .03
    return np.stack([mouth / total, right / total, left / total], 1)


def main() -> None:
    """Track, average, regress the pose bends, find the bases, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=None, help="folder for the landmarks of the clips (not committed)")
    args = parser.parse_args()
    tracks: dict[str, Array] = {}
    for person, clips in PEOPLE.items():
        parts = []
        for clip in clips:
            cached = args.cache / f"{clip}.npy" if args.cache else None
            if cached and cached.exists():
                marks = np.load(cached)
            else:
                marks = track(args.data / "video" / clip)
                if cached:
                    args.cache.mkdir(parents=True, exist_ok=True)
                    np.save(cached, marks)
            marks = marks[np.isfinite(marks).all((1, 2, 3))]
            parts.append(marks)
            print(clip, len(marks))
        tracks[person] = np.concatenate(parts)

    ref, mirror = mean_shape(tracks)
    weights = region_weights(ref)
    bends, moves = [], []
    for marks in tracks.values():
        turned = np.empty_like(marks[:, 1])
        turned[:, mirror] = marks[:, 1]
        fused = (marks[:, 0] + turned) / 2
        shapes, _, rotation, _ = canonical(fused, ref)
        angles = np.array([euler(r) for r in rotation])
        rest = np.median(shapes[neutral_frames(semantics(shapes), angles, shapes, ref, mirror)], 0)
        i = np.linspace(0, len(shapes) - 1, min(SAMPLES, len(shapes))).astype(int)
        repeat = SAMPLES / len(i)
        move = shapes[i] - rest
        flipped = np.empty_like(move)
        flipped[:, mirror] = move * [-1, 1, 1]
        bends += [np.sqrt(repeat) * layout.pose_terms(angles[i]),
                  np.sqrt(repeat) * layout.pose_terms(angles[i] * [-1, 1, -1])]
        moves += [np.sqrt(repeat) * move, np.sqrt(repeat) * flipped]
    x = np.concatenate(bends)
    y = np.concatenate(moves).reshape(len(x), -1)
    x1 = np.c_[x, np.ones(len(x))]
    bend = np.linalg.solve(x1.T @ x1 + np.eye(6) * .0005 * len(x), x1.T @ y)[:5]
    y = (y - x @ bend).reshape(-1, 478, 3)[:, :468]
    bases = []
    for region, count in enumerate((16, 8, 8)):
        z = (y * weights[None, :, region, None]).reshape(len(y), -1)
        _, energy, axes = np.linalg.svd(z, full_matrices=False)
        bases.append(axes[:count])
        print("region", region, "explained", round(float((energy[:count] ** 2).sum() / (energy ** 2).sum()), 3))
    out = Path(__file__).resolve().parents[1] / "facedouble/data/topology.npz"
    np.savez_compressed(out, mean=ref.astype(np.float32), mirror=mirror.astype(np.int32), triangles=tesselation(),
                        bend=bend.reshape(5, 478, 3).astype(np.float32), weights=weights.astype(np.float32),
                        basis=np.concatenate(bases).reshape(32, 468, 3).astype(np.float32), people=len(tracks))
    print(f"{len(tracks)} people -> {out} ({out.stat().st_size} bytes)")


if __name__ == "__main__":
    main()
