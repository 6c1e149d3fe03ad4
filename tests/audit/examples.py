"""Audits as the checks give them, of a film of 75 frames: one passed, one found things, one could not be finished."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from facedouble.audit.remains import remains
from facedouble.audit.verdict import Audit, Check, Finding, Look
from facedouble.audit.whose import NAME as RECOGNISED
from facedouble.pipeline.audit.about import About
from facedouble.types import Box

FRAMES = 75
ABOUT = About("safe.mp4", Fraction(25), clip="A")
FACE, MIRROR = Box(92, 85, 205, 250), Box(40, 60, 74, 108)
FACTS = {
    "facedouble": "0.1.0", "seed": 0, "exhaustive": False,
    "models": {name: digit * 64 for name, digit in (("centerface", "7"), ("sface", "0"), ("judge", "3"))},
    "versions": {"opencv": "4.11.0", "onnxruntime": "1.23.2", "av": "18.1.0"},
    "limits": {"seen_side": 960, "every": 25, "alike": 0.363, "reuse": 0.4},
}

SEEN = Check(
    "Faces in every frame", "seen", "Another detector (CenterFace) than the one that made the film searched every frame for "
    "faces; each face found must be one that the plan knows.", FRAMES, "frames", worst=(Look(12, FACE, "the smallest overlap"),),
    figures={"faces_found": 75, "faces_the_plan_knows": 75, "smallest_face_px": 41.0})
ALIKE = Check(
    RECOGNISED, "seen", "Another recogniser (SFace) than the one that made the film compared every face "
    "with every protected person, frame by frame and in windows of one second.", 75, "faces",
    worst=(Look(41, FACE, "the face most like P1: .21"), Look(60, FACE, "the second")),
    figures={"highest_likeness": 0.213, "limit": 0.363, "false_matches_per_1000_strangers": 1.0})
REUSE = Check(
    "Is anything of the footage left in the faces?", "seen", "Each face of the film was laid over the same face of the footage, "
    "eyes and glasses by themselves, and their fine detail compared.", 75, "faces", figures={"correlation": 0.081, "limit": 0.4})
PARROT = Check(
    "Somebody who has this tool", "attacked", "Other footage of the witness and of 19 others went through the same tool with the "
    "same double; then like was matched with like.", 20, "people",
    figures={"rank_of_the_witness": 9, "people": 20, "equal_error_rate": "46 % (38 to 53)"})
MOTION = Check(
    "The way the face moves", "attacked", "The movements of face and head were matched with those in other footage of the "
    "witness.", 3, "seconds", figures={"AUC": "0.61 (0.50 to 0.72)", "AUC, calm": "0.53 (0.41 to 0.64)",
                              "verdict": "of two people he takes the right one 61 times in 100"})
HEARD = Check(
    "The witness's voice", "heard", "The sound was compared with the footage's, sample by sample and by a recogniser of voices "
    "(Resemblyzer).", 3, "seconds", figures={"correlation": 0.0, "loudest_db": "silent"})
NAMES = Check(
    "Names that are spoken", "heard", "A recogniser of words listened for every word of the list.", needed=False,
    missing="no list was given: `--words LIST.txt`, a name on each line")
BOXES = Check(
    "What lies in the file", "container", "Every box and every unit of the picture was compared with the list of what may be "
    "there.", 431, "boxes", figures={"boxes_not_on_the_list": 0})
STRINGS = Check(
    "Traces of the footage's tags", "container", "Names, dates, places and devices that the footage names were sought in every "
    "byte.", 182_258, "bytes", figures={"sought": 14})
CHECKS = (SEEN, ALIKE, REUSE, PARROT, MOTION, HEARD, NAMES, BOXES, STRINGS)
PASSED = Audit("9f2c" * 16, 182_258, FRAMES, CHECKS, FACTS, remains(CHECKS, words=False))

BARE = Finding("a face in the picture is not in the plan", (31, 32), box=MIRROR, score=0.91, limit=0.5)
KNOWN = Finding("this face is so like P1 that a recogniser takes it for P1", (50, 63), box=FACE, score=0.412, limit=0.363,
                person="P1")
VOICE = Finding("the original voice is heard", ms=(1200, 1400), score=0.88, limit=0.3, person="P1")
GPS = Finding("the file says where it was filmed (a GPS tag)")
FOUND = replace(PASSED, checks=(
    replace(SEEN, findings=(BARE,)), replace(ALIKE, findings=(KNOWN,), worst=(Look(57, FACE, "P1: .41"),)), REUSE, PARROT, MOTION,
    replace(HEARD, findings=(VOICE,)), NAMES, replace(BOXES, findings=(GPS,)), STRINGS))

OPEN_CHECKS = (
    SEEN, replace(ALIKE, looked=0, figures={}, worst=(), missing="the model sface is not there; put it in place with "
                  "`facedouble models install`"), REUSE,
    replace(PARROT, looked=0, figures={}, needed=False, missing="no other people to compare with: `--gallery DIR`, a folder with "
            "a picture or clip of each person"), MOTION, HEARD, NAMES, BOXES, STRINGS)
OPEN = replace(PASSED, checks=OPEN_CHECKS, untested=remains(OPEN_CHECKS, words=False, gallery=False))
