"""Every table about people, in an order in which each refers to tables before it."""

from __future__ import annotations

from typing import Final

from facedouble.store import (
    acts,
    approvals,
    consents,
    evidence,
    override,
    people,
    personal,
    releases,
    renders,
    unmasking,
    volunteers,
)

PEOPLE: Final = tuple(module.SCHEMA for module in (acts, people, personal, consents, unmasking, volunteers, renders, releases,
                                                    approvals, override))
ALL: Final = (*PEOPLE, evidence.SCHEMA)
