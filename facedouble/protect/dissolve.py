"""A dissolve between two frames, in linear light, that touches nothing where they are alike."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from facedouble.colour import crop_rgb, levels, luma_weights
from facedouble.raster import display, linear
from facedouble.types import Array, Frame


def mixed(frame: Frame, first: tuple[Array, ...], second: tuple[Array, ...], share: float) -> tuple[Array, ...]:
    """Planes of the frame's format between two: exactly the first at share 0, the second at 1, a mix in linear light between.

    Where the two are alike no sample changes. The mix is that of the samples, plus what linear light makes of it: so nothing is
    resampled on the way, and both ends are met without a jump.
    """
    planes = tuple(p.copy() for p in first)
    apart = first[0] != second[0]
    sx, sy = frame.chroma_shift
    for a, b in zip(first[1:], second[1:], strict=True):
        apart |= np.repeat(np.repeat(a != b, 1 + sy, 0), 1 + sx, 1)[: frame.height, : frame.width]
    x0, y0, w, h = cv2.boundingRect(apart.astype(np.uint8))
    if w == 0:
        return planes
    x0, y0, x1, y1 = x0 // 2 * 2, y0 // 2 * 2, x0 + w, y0 + h
    a, b = (np.clip(crop_rgb(replace(frame, planes=p), x0, y0, x1, y1), 0, 1) for p in (first, second))
    light = display((1 - share) * linear(a) + share * linear(b)) - ((1 - share) * a + share * b)
    black, white, _, reach = levels(frame)
    kr, kb = luma_weights(frame.colour, frame.height)
    luma = kr * light[..., 0] + (1 - kr - kb) * light[..., 1] + kb * light[..., 2]
    extra = (luma * (white - black), (light[..., 2] - luma) / (2 * (1 - kb)) * reach,
             (light[..., 0] - luma) / (2 * (1 - kr)) * reach)
    for out, p, q, more, kx, ky in zip(planes, first, second, extra, (0, sx, sx), (0, sy, sy), strict=True):
        at = slice(y0 >> ky, ((y1 - 1) >> ky) + 1), slice(x0 >> kx, ((x1 - 1) >> kx) + 1)
        size = at[1].stop - at[1].start, at[0].stop - at[0].start
        if kx or ky:
            pad = cv2.copyMakeBorder(more, 0, (size[1] << ky) - more.shape[0], 0, (size[0] << kx) - more.shape[1],
                                     cv2.BORDER_REPLICATE)
            more = cv2.resize(pad, size, interpolation=cv2.INTER_AREA)
        value = p[at] * np.float32(1 - share) + q[at] * np.float32(share) + np.where(p[at] == q[at], 0, more)
        out[at] = np.clip(value + 0.5, 0, (1 << frame.depth) - 1).astype(out.dtype)
    return planes
