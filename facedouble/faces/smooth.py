"""Zero-phase smoothing along time."""

from __future__ import annotations

from scipy.signal import savgol_filter

from facedouble.types import Array


def smooth(values: Array, window: int) -> Array:
    """Savitzky-Golay of order 2 along the first axis (Analytical Chemistry 36(8), 1964); short runs stay as they are."""
    n = len(values)
    w = min(window, n if n % 2 else n - 1)
    if w <= 2:
        return values
    out: Array = savgol_filter(values, w, 2, axis=0, mode="interp")
    return out
