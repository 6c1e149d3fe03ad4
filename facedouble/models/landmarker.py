"""MediaPipe's face mesh with irises behind one call.

Its C++ code writes to stderr, which belongs to the user: it is kept quiet while it starts.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Final

import numpy as np

from facedouble.errors import ModelError
from facedouble.types import LANDMARKS, Bytes, Floats

_CONFIDENCE: Final = 0.4  # of detection and of tracking

_BLANK: Final = np.zeros((192, 192, 3), np.uint8)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what C++ writes to file descriptor 2 off the screen. Not for use by several threads at once."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)


def load_mediapipe() -> Any:
    """Import mediapipe, silenced; ModelError if it is not there. Late, because the import takes seconds."""
    os.environ.setdefault("GLOG_minloglevel", "2")  # read by mediapipe once, at its import
    try:
        import mediapipe
        mediapipe.solutions.face_mesh  # noqa: B018  an installation without the models fails here
    except (ImportError, AttributeError) as error:
        raise ModelError(f"mediapipe is missing or incomplete: install it again ({error})") from error
    return mediapipe


class FaceMesh:
    """One face followed through the crops of a video. A `Landmarker`.

    Every crop is taken as the one after the last: call `reset` where another face, shot or crop region begins.
    """

    def __init__(self) -> None:
        with quiet():
            try:
                self._model: Any = load_mediapipe().solutions.face_mesh.FaceMesh(
                    static_image_mode=False, max_num_faces=1, refine_landmarks=True,
                    min_detection_confidence=_CONFIDENCE, min_tracking_confidence=_CONFIDENCE)
                self._model.process(_BLANK)
            except ModelError:
                raise
            except Exception as error:
                raise ModelError(f"MediaPipe's face mesh does not load: install mediapipe again ({error})") from error
        self._spoke = False

    def __call__(self, crop: Bytes) -> Floats | None:
        """Find the mesh in an RGB crop (h, w, 3): (478, 3) float32 px of the crop, z in px away from the camera."""
        height, width = crop.shape[:2]
        # The inner models start, and write their warnings, with the first face that the graph sees.
        with nullcontext() if self._spoke else quiet():
            faces = self._model.process(np.ascontiguousarray(crop)).multi_face_landmarks
        if not faces:
            return None
        self._spoke = True
        points = np.array([(p.x, p.y, p.z) for p in faces[0].landmark], np.float32)
        if points.shape != (LANDMARKS, 3) or not np.isfinite(points).all():
            return None
        # Relative to the picture; pixel centres are at integers. MediaPipe's z has the scale of x.
        place: Floats = points * np.array([width, height, width], np.float32) - np.array([0.5, 0.5, 0], np.float32)
        return place

    def reset(self) -> None:
        """Forget the face: the next crop is searched afresh."""
        with quiet():
            self._model.reset()
            self._model.process(_BLANK)  # the graph starts in the background: wait, silenced, until it has
        self._spoke = False

    def close(self) -> None:
        """Free the model; it cannot be called afterwards."""
        self._model.close()
