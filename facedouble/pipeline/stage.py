"""Who plays whom: a role, one of the doubles at hand, and how calmly."""

from __future__ import annotations

from facedouble.morphable.calm import calmed
from facedouble.options import Options
from facedouble.pipeline.analyse import Role
from facedouble.protect.drive import Performance
from facedouble.types import Double, FaceCode, Rows

Troupe = tuple[Double, ...]
"""The doubles at hand; a role is played by number `Role.pick` of them. None at hand: everybody is veiled."""


def troupe(double: Double | Troupe | None) -> Troupe:
    """One double, several, or none, as a troupe."""
    return () if double is None else (double,) if isinstance(double, Double) else double


def perform(role: Role, double: Double, options: Options, rate: float) -> Performance | None:
    """The role's codes, calmed as the options say, played by a double; None if no face was read."""
    if role.fit is None:
        return None
    codes = role.fit.codes
    if options.draw.calm > 0:
        codes = Rows(calmed(codes.numbers, role.fit.clip, options.draw.calm, rate, options.seed + role.track.id), FaceCode.of)
    return Performance(codes, role.fit.clip, double)
