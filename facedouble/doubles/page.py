"""One printed A4 page: a heading, cells with line drawings, a foot. The same bytes for the same content."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facedouble.doubles.drawing import Look, draw
from facedouble.errors import UsageError
from facedouble.types import Value

A4 = (8.27, 11.69)  # inches
MARGIN, HEAD_LINE, LABEL = 0.55, 0.185, 0.95  # inches
PIXELS = 150  # per inch of a PNG
FORMATS = {".pdf": "pdf", ".png": "png"}
DRAWING = ((-1.05, 1.05), (-1.12, 1.80))  # canonical units that a drawing needs, x and y


@dataclass(frozen=True)
class Cell(Value):
    """One thing to film: a heading, how long, the drawings side by side, what to do."""

    heading: str
    aside: str
    looks: tuple[Look, ...]
    text: tuple[str, ...]


@dataclass(frozen=True)
class Page(Value):
    """title, `intro` lines under it, cells in rows of `columns`, `foot` lines. "# " starts a heading, a tab ends a label."""

    title: str
    intro: tuple[str, ...]
    cells: tuple[Cell, ...]
    foot: tuple[str, ...]
    columns: int = 3


def page_format(path: Path) -> str:
    """By the suffix, pdf or png; UsageError for anything else."""
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"{path}: name the sheet .pdf or .png")
    return FORMATS[path.suffix.lower()]


def render(page: Page, kind: str) -> bytes:
    """The page as "pdf" or "png". Matplotlib is asked for its own fonts only, so that every machine draws the same."""
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    plain, bold = (FontProperties(fname=str(fonts / f"DejaVuSans{k}.ttf")) for k in ("", "-Bold"))
    nothing: dict[str, Any] = dict.fromkeys(("CreationDate", "Producer", "Creator") if kind == "pdf" else ("Software",))
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams["pdf.fonttype"] = 42
        figure = Figure(figsize=A4, dpi=PIXELS, facecolor="white")
        _lay_out(_Pen(figure, plain, bold), page)
        made = io.BytesIO()
        figure.savefig(made, format=kind, metadata=nothing)
    return made.getvalue()


@dataclass(frozen=True)
class _Pen:
    """Writes and draws on a figure; places are inches from the top left."""

    figure: Any
    plain: Any
    bold: Any

    def write(self, x: float, y: float, text: str, size: float, bold: bool = False, **how: Any) -> None:
        self.figure.text(x / A4[0], 1 - y / A4[1], text, fontproperties=self.bold if bold else self.plain, fontsize=size,
                         va="top", **how)

    def lines(self, y: float, lines: tuple[str, ...], size: float) -> float:
        """Write lines below each other; where the next would be."""
        for line in lines:
            label, tab, text = line.rpartition("\t")
            self.write(MARGIN, y, label, size, bold=True)
            self.write(MARGIN + (LABEL if tab else 0), y, text.removeprefix("# "), size, bold=text.startswith("# "))
            y += HEAD_LINE * size / 9.0
        return y

    def rule(self, y: float, x0: float = MARGIN, x1: float = A4[0] - MARGIN) -> None:
        from matplotlib.lines import Line2D

        self.figure.add_artist(Line2D([x0 / A4[0], x1 / A4[0]], [1 - y / A4[1]] * 2, color="#999999", linewidth=0.6))

    def drawing(self, look: Look, x: float, y: float, width: float, height: float) -> None:
        """One drawing in the rectangle, as large as fits."""
        axes = self.figure.add_axes((x / A4[0], 1 - (y + height) / A4[1], width / A4[0], height / A4[1]))
        axes.set_axis_off()
        axes.set_aspect("equal")
        axes.set_xlim(*DRAWING[0])
        axes.set_ylim(*DRAWING[1][::-1])
        for order, s in enumerate(draw(look)):
            if s.fill is not None:
                axes.fill(s.points[:, 0], s.points[:, 1], facecolor=s.fill, edgecolor=s.line or "none",
                          linewidth=s.width if s.line else 0, zorder=order, joinstyle="round")
            else:
                axes.plot(s.points[:, 0], s.points[:, 1], color=s.line, linewidth=s.width, zorder=order,
                          solid_capstyle="round")


def _lay_out(pen: _Pen, page: Page) -> None:
    pen.write(MARGIN, MARGIN, page.title, 19, bold=True)
    top = pen.lines(MARGIN + 0.42, page.intro, 9.0) + 0.06
    foot = A4[1] - MARGIN - HEAD_LINE * len(page.foot)
    rows = -(-len(page.cells) // page.columns)
    wide, high = (A4[0] - 2 * MARGIN) / page.columns, (foot - 0.1 - top) / max(rows, 1)
    high = min(high, 2.3)
    for i, cell in enumerate(page.cells):
        x, y = MARGIN + i % page.columns * wide, top + i // page.columns * high
        if i % page.columns == 0:
            pen.rule(y)
        pen.write(x, y + 0.08, cell.heading, 9.5, bold=True)
        pen.write(x + wide - 0.15, y + 0.08, cell.aside, 8.5, ha="right", color="#444444")
        text = max(len(c.text) for c in page.cells) * 0.155 + 0.08
        each = min((wide - 0.15) / max(len(cell.looks), 1), 1.0)
        left = x + (wide - 0.15 - each * len(cell.looks)) / 2
        for k, look in enumerate(cell.looks):
            pen.drawing(look, left + k * each, y + 0.3, each, high - 0.36 - text)
        for k, line in enumerate(cell.text):
            pen.write(x, y + high - text + k * 0.155, line, 8)
    pen.rule(foot - 0.1)
    pen.lines(foot, page.foot, 9.0)
