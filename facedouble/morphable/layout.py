"""Which landmark is what: MediaPipe's face mesh numbering. "Right" is the person's right, left in the picture."""

from __future__ import annotations

import numpy as np

from facedouble.types import Array

OVAL = [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
        136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]
UPPER_INNER_LIP = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308]
LOWER_INNER_LIP = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308]
UPPER_OUTER_LIP = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291]
LOWER_OUTER_LIP = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291]
RIGHT_UPPER_LID = [33, 246, 161, 160, 159, 158, 157, 173, 133]
RIGHT_LOWER_LID = [33, 7, 163, 144, 145, 153, 154, 155, 133]
LEFT_UPPER_LID = [263, 466, 388, 387, 386, 385, 384, 398, 362]
LEFT_LOWER_LID = [263, 249, 390, 373, 374, 380, 381, 382, 362]
RIGHT_BROW = [70, 63, 105, 66, 107, 46, 53, 52, 65, 55]
LEFT_BROW = [300, 293, 334, 296, 336, 276, 283, 282, 295, 285]
RIGHT_IRIS = [468, 469, 470, 471, 472]  # centre first
LEFT_IRIS = [473, 474, 475, 476, 477]
# forehead, temples, nose bridge, eye corners: never the jaw
RIGID = [10, 109, 338, 67, 297, 151, 9, 8, 168, 6, 197, 195, 5, 4, 1, 33, 133, 362, 263, 130, 359, 127, 356, 234, 454, 21,
         251, 103, 332, 98, 327, 2, 48, 278, 193, 417]
NOSTRILS = [2, 97, 98, 326, 327, 99, 60, 20, 238, 79, 166, 59, 75, 290, 250, 458, 309, 392, 289, 305, 328, 64, 294, 48, 278,
            219, 439]


def strip(upper: list[int], lower: list[int]) -> Array:
    """(n, 3) triangles between two polylines that share their ends."""
    found = []
    for i in range(len(upper) - 1):
        for t in ((upper[i], upper[i + 1], lower[i]), (upper[i + 1], lower[i + 1], lower[i])):
            if len(set(t)) == 3:
                found.append(t)
    return np.array(found, np.int32)


def pose_terms(angles: Array) -> Array:
    """(T, 5) yaw, yaw^2, pitch, pitch^2, yaw pitch of (T, 3) angles in degrees, scaled to about 1."""
    yaw, pitch = angles[:, 0] / 30, angles[:, 1] / 20
    return np.stack([yaw, yaw**2, pitch, pitch**2, yaw * pitch], 1)
