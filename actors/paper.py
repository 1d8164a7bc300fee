"""Documents on paper: PDF, drawn in memory.

Decides how headings, texts and tables look. Runs in a thread; used by invoices and reports.
"""

import io
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from msgspec import Struct

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import SimpleDocTemplate

FAINT = "#64748B"
_SHADE = "#F1F5F9"
_MARGIN_MM = 18
_SIZE = 9


class Words(Struct, frozen=True):
    """A cell's text that may take several lines."""

    text: object


class Paper:
    """One document in the making.

    Args:
        title: of the file.
        wide: on a sheet that lies.
        foot: at the bottom of every page, before its number.
    """

    def __init__(self, title: str, *, wide: bool = False, foot: str = "") -> None:
        from reportlab.lib import pagesizes, units  # noqa: PLC0415 - only those who print pay for it
        from reportlab.lib.styles import getSampleStyleSheet  # noqa: PLC0415

        self._title, self._foot = title, foot
        self._size = pagesizes.landscape(pagesizes.A4) if wide else pagesizes.A4
        self._mm = units.mm
        self._looks = getSampleStyleSheet()
        for name in ("BodyText", "Normal"):
            self._looks[name].fontSize, self._looks[name].leading = _SIZE, _SIZE * 1.3
        self._looks["Normal"].textColor = FAINT
        self._looks["BodyText"].spaceBefore = 0
        self._looks["Heading1"].spaceAfter = 4
        self._story: list[Any] = []

    @property
    def width(self) -> float:
        """Millimetres between the margins."""
        return float(self._size[0] / self._mm - 2 * _MARGIN_MM)

    def heading(self, text: str) -> None:
        """Add a heading."""
        self._story.append(self._words(text, "Heading1"))

    def remark(self, text: str) -> None:
        """Add a line that is less important."""
        self._story.append(self._words(text, "Normal"))

    def space(self, millimetres: float = 8) -> None:
        """Leave room."""
        from reportlab.platypus import Spacer  # noqa: PLC0415

        self._story.append(Spacer(1, millimetres * self._mm))

    def table(
        self,
        rows: Sequence[Sequence[Any]],
        *,
        widths: Sequence[float] | None = None,
        head: bool = False,
        right: Collection[int] = (),
        bold: Collection[int] = (),
        shaded: Collection[int] = (),
        ruled: Collection[int] = (),
    ) -> None:
        """Add a table.

        Args:
            rows: cells that are texts, numbers or ``Words``.
            widths: of the columns in millimetres, None for what they need.
            head: the first row is a heading, repeated on every page.
            right: columns whose cells stand at the right.
            bold: rows whose letters are.
            shaded: rows that stand out.
            ruled: rows with a line above them.
        """
        from reportlab.platypus import LongTable, TableStyle  # noqa: PLC0415

        cells = [
            [self._words(one.text, "BodyText") if isinstance(one, Words) else one for one in row]
            for row in rows
        ]
        style: list[tuple[Any, ...]] = [
            ("FONTSIZE", (0, 0), (-1, -1), _SIZE),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            *(("ALIGN", (column, 0), (column, -1), "RIGHT") for column in right),
            *(
                ("FONTNAME", (0, row), (-1, row), "Helvetica-Bold")
                for row in ({0} if head else set()) | set(bold)
            ),
            *(("BACKGROUND", (0, row), (-1, row), _SHADE) for row in shaded),
            *(("LINEABOVE", (0, row), (-1, row), 0.5, "black") for row in ruled),
        ]
        if head:
            style.append(("LINEBELOW", (0, 0), (-1, 0), 0.5, "black"))
        table = LongTable(
            cells,
            colWidths=None if widths is None else [width * self._mm for width in widths],
            repeatRows=int(head),
            hAlign="LEFT",
        )
        table.setStyle(TableStyle(style))
        self._story.append(table)

    def close(self) -> bytes:
        """Return the document."""
        from reportlab.platypus import SimpleDocTemplate  # noqa: PLC0415

        out = io.BytesIO()
        margin = _MARGIN_MM * self._mm
        document = SimpleDocTemplate(
            out, pagesize=self._size, title=self._title,
            leftMargin=margin, rightMargin=margin, topMargin=margin, bottomMargin=margin,
        )  # fmt: skip
        document.build(self._story, onFirstPage=self._sign, onLaterPages=self._sign)
        return out.getvalue()

    def _words(self, text: object, look: str) -> Any:  # noqa: ANN401 - of a library without types
        from reportlab.platypus import Paragraph  # noqa: PLC0415

        return Paragraph(escape(str(text or "")).replace("\n", "<br/>"), self._looks[look])

    def _sign(self, canvas: "Canvas", document: "SimpleDocTemplate") -> None:
        if self._foot:
            canvas.setFont("Helvetica", 8)
            canvas.setFillColor(FAINT)
            at = _MARGIN_MM * self._mm
            canvas.drawString(at, at / 2, self._foot)
            canvas.drawRightString(self._size[0] - at, at / 2, str(document.page))
