"""Cards and watermarks: in which scripts they can be set, and where they lie."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from facedouble.errors import UsageError
from facedouble.options import DrawOptions
from facedouble.protect.card import Card, caption, card_picture, check_text, direction_of, letters, watermark
from facedouble.protect.composite import compose, titled
from facedouble.types import Colour, Frame

TEXTS = {
    "Latin": "For their safety, people have been digitally disguised. Đã thay đổi, değiştirildi",
    "Cyrillic": "Ради их безопасности лица и голоса изменены",
    "Greek": "Για την ασφάλειά τους",
    "Arabic": "من أجل سلامتهم، تم إخفاء وجوههم رقمياً",
    "Persian": "برای امنیت آن‌ها چهره‌ها تغییر داده شده‌اند",
    "Hebrew": "למען ביטחונם, פניהם שונו",
    "Armenian": "Նրանց անվտանգության համար",
    "Georgian": "მათი უსაფრთხოებისთვის",
}


def frame(width: int = 320, height: int = 180, level: int = 100) -> Frame:
    planes = (np.full((height, width), level, np.uint8), *(np.full((height // 2, width // 2), 128, np.uint8) for _ in range(2)))
    return Frame(0, 0, 1, Fraction(1, 25), planes, "yuv420p", Colour())


@pytest.mark.parametrize("script", TEXTS)
def test_scripts_that_can_be_set(script: str) -> None:
    check_text(TEXTS[script])
    page = card_picture(Card(TEXTS[script]), 640, 360)
    assert page.shape == (360, 640, 3) and page.max() > 0.85
    ink = page[..., 0] > 0.3
    ys, xs = np.nonzero(ink)
    assert abs(xs.mean() - 320) < 25 and abs(ys.mean() - 180) < 25  # in the middle
    assert 0.002 < ink.mean() < 0.1


@pytest.mark.parametrize("text", ["为了他们的安全", "सुरक्षा", "안전", "🙂", ""])
def test_letters_that_the_font_lacks_are_named(text: str) -> None:
    with pytest.raises(UsageError, match=r"font file|empty"):
        check_text(text)
    with pytest.raises(UsageError):
        card_picture(Card(text), 320, 180)


def test_a_font_that_is_none_is_refused(tmp_path: Path) -> None:
    for name in ("none.ttf", "text.ttf"):
        (tmp_path / "text.ttf").write_text("no font")
        with pytest.raises(UsageError, match="font"):
            check_text("a", tmp_path / name)


def test_arabic_is_joined_and_runs_to_the_left() -> None:
    """Joined letters are narrower than the same ones kept apart, and the first one stands at the right."""
    apart = sum(letters(c, 40, 1e9).shape[1] for c in "سلامتهم")
    assert letters("سلامتهم", 40, 1e9).shape[1] < 0.8 * apart
    line = letters("ا ههه", 60, 1e9) > 0.5  # alef is a plain stroke
    columns = line.sum(0)
    assert columns[-12:].max() > columns[:12].max()


def test_the_direction_is_that_of_the_first_letter_unless_said() -> None:
    assert direction_of("123 سلام abc") == "rtl" and direction_of("«Ради") == "ltr" and direction_of("12") == "ltr"
    mixed = "NN: سلام"
    assert not np.array_equal(letters(mixed, 30, 1e9, direction="ltr"), letters(mixed, 30, 1e9, direction="rtl"))


def test_long_texts_wrap_and_shrink_and_end() -> None:
    words = "safety " * 60
    page = card_picture(Card(words), 480, 270)
    assert page[:, :20].max() < 0.1 and page[:8].max() < 0.1
    unbroken = letters("safety" * 30, 20, 200)
    assert unbroken.shape[1] <= 205
    with pytest.raises(UsageError, match="too long"):
        card_picture(Card("safety " * 3000), 480, 270)


def test_a_card_holds_nothing_of_the_frame() -> None:
    a, b = (titled(frame(level=v), Card("For their safety")).frame.planes for v in (40, 200))
    assert all(np.array_equal(p, q) for p, q in zip(a, b, strict=True))
    dark = titled(frame(), Card("For their safety"), 0.0).frame.planes[0]
    assert len(np.unique(dark)) == 1 and a[0].max() > 200


@pytest.mark.parametrize("level", [16, 100, 235])
def test_a_watermark_can_be_read_on_anything(level: int) -> None:
    mark = watermark("Faces were changed", 640, 360)
    plain = frame(640, 360, level)
    out = compose(plain, [], DrawOptions(), 0, mark=mark).safe.frame.planes[0]
    h, w = mark.alpha.shape
    assert mark.x + w < 640 and mark.y + h < 360 and mark.x > 320 and mark.y > 300
    assert np.ptp(out[mark.y : mark.y + h, mark.x : mark.x + w].astype(int)) > 60
    assert (out[:300] == level).all()


@pytest.mark.parametrize("text", ["They came at night.", "Они пришли ночью.\nМы молчали.", "جاءوا ليلا"])
def test_subtitles_stand_above_the_watermark(text: str) -> None:
    for width, height in ((640, 360), (320, 240), (1080, 1920)):
        words, mark = caption(text, width, height), watermark("pk", width, height)
        h, w = words.alpha.shape
        assert words.y >= 0 and words.y + h < mark.y and words.x >= 0 and words.x + w <= width
        assert words.alpha.max() > 0.9
    with pytest.raises(UsageError, match="too long"):
        caption(f"{text} " * 9, 96, 64)


def test_a_watermark_that_does_not_fit_is_refused() -> None:
    with pytest.raises(UsageError, match="too long"):
        watermark("safety " * 40, 320, 180)
