"""What a reading is, and its row: plain values, ready for JSON; pictures of it for people."""

import base64
import html
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from inkdigit.errors import InkdigitError, needing
from inkdigit.reading.alphabet import only_digits

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from inkdigit.images import Grey

Status = Literal["accepted", "review", "rejected"]
# Left, top, width and height, in pixels.
Box = tuple[int, int, int, int]

# Okabe and Ito's; nothing is told by colour alone.
COLOURS = {"accepted": "#006b4a", "review": "#b34700", "rejected": "#b2182b"}


# The documented columns, in their order.
FIELDS = (
    "source", "page", "text", "confidence", "status", "reason", "digits", "number", "characters",
    "unconstrained", "error", "model",
)  # fmt: skip
# Those of a table: of what was read of the picture as well.
COLUMNS = (*FIELDS, "id", "box", "rotate")
# Those of numbers that are found on pages: how and where each stands there.
PAGE_COLUMNS = (*COLUMNS, "angle", "found", "row", "column")
FAILED = "failed"


@dataclass(frozen=True)
class Alternative:
    """A value that a place might have, with its probability."""

    value: str
    confidence: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only."""
        return {"value": self.value, "confidence": round(self.confidence, 6)}


@dataclass(frozen=True)
class Character(Alternative):
    """One character of the text: a digit or a mark.

    `box` is `(x, y, w, h)` in pixels of the picture that was read. `alternatives` are likeliest
    first. They weigh each character by itself, so the value of a text that was chosen as a whole,
    by several views or by a pattern, need not be the first of them.

    >>> Character("7", 0.99, (4, 6, 18, 27), (Alternative("7", 0.99),)).to_dict()["box"]
    [4, 6, 18, 27]
    """

    box: Box
    alternatives: tuple[Alternative, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only."""
        others = [other.to_dict() for other in self.alternatives]
        return super().to_dict() | {"box": list(self.box), "alternatives": others}


@dataclass(frozen=True, kw_only=True, repr=False)
class Reading:
    """What one picture says.

    `text` is what stands there, as it is written: `"87.32"`, `"1.500"`, `"12/05"`. `confidence` is
    the calibrated probability that all of it is right. `status` says what to do with it and
    `reason` why, in one sentence; it is empty for what was accepted, and so is `rule`, the name of
    the rule that decided. `characters` are those of the text, in order. `number` is the number that
    the text means where it can be understood in one way only, else `None`. `unconstrained` is what
    would have been read without the pattern and check, `None` where there was none. Blank paper
    gives an empty text.

    >>> reading = Reading(text="87.32", confidence=0.9996, number=Decimal("87.32"))
    >>> reading, str(reading), reading.digits, reading.number
    (Reading('87.32', 0.9996, accepted), '87.32', '8732', Decimal('87.32'))
    """

    text: str
    confidence: float
    status: Status = "accepted"
    reason: str = ""
    rule: str = ""
    characters: tuple[Character, ...] = ()
    number: Decimal | None = None
    unconstrained: str | None = None
    model: str = ""
    picture: "Callable[[], Grey] | None" = field(default=None, compare=False)

    @property
    def digits(self) -> str:
        """The digits of the text alone."""
        return only_digits(self.text)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Reading({self.text!r}, {self.confidence:.4f}, {self.status})"

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only, in the documented order of the fields."""
        return {
            "text": self.text,
            "confidence": round(self.confidence, 6),
            "status": self.status,
            "reason": self.reason,
            "digits": self.digits,
            "number": None if self.number is None else f"{self.number:f}",
            "characters": [character.to_dict() for character in self.characters],
            "unconstrained": self.unconstrained,
            "model": self.model,
        }

    def to_json(self) -> str:
        """Return `to_dict` as JSON."""
        return json.dumps(self.to_dict())

    def plot(self, axes: "Axes | None" = None) -> "Axes":
        """Draw the picture with a box around each character, and return the axes (matplotlib).

        Raises `MissingExtraError` without matplotlib, `ImageError` where the picture has gone.
        """
        with needing("learn"):
            from matplotlib.figure import Figure
            from matplotlib.patches import Rectangle
        colour = COLOURS[self.status]
        if axes is None:
            axes = Figure(layout="constrained").subplots()
        if self.picture is not None:
            axes.imshow(self.picture(), cmap="gray", vmin=0, vmax=255)
        for character in self.characters:
            x, y, width, height = character.box
            axes.add_patch(Rectangle((x, y), width, height, fill=False, edgecolor=colour))
            axes.annotate(character.value, (x, y), color=colour, ha="left", va="bottom")
        axes.set_title(self._caption(), color=colour)
        axes.set_axis_off()
        return axes

    def _caption(self) -> str:
        told = f"{self.text or 'nothing'} · {100 * self.confidence:.2f} % · {self.status}"
        return f"{told}: {self.reason}" if self.reason else told

    def _repr_html_(self) -> str:
        """Return the picture with boxes, for notebooks; without the picture, the words alone."""
        caption = html.escape(self._caption())
        colour = COLOURS[self.status]
        words = f'<figcaption style="color:{colour}">{caption}</figcaption>'
        picture = ""
        if self.picture:
            with suppress(InkdigitError):
                picture = self._svg(self.picture(), colour)
        return f"<figure>{picture}{words}</figure>"

    def _svg(self, page: "Grey", colour: str) -> str:
        from inkdigit.images import as_png

        height, width = page.shape
        encoded = base64.b64encode(as_png(page)).decode()
        boxes = "".join(
            '<rect x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>'.format(
                *one.box, html.escape(f"{one.value} {one.confidence:.4f}")
            )
            for one in self.characters
        )
        return (
            f'<svg viewBox="0 0 {width} {height}" style="max-width:40em;max-height:20em">'
            f'<image href="data:image/png;base64,{encoded}" width="{width}" height="{height}"/>'
            f'<g fill="none" stroke="{colour}" stroke-width="{max(1, height / 80):.3g}" '
            f'pointer-events="all">{boxes}</g></svg>'
        )


@dataclass(frozen=True)
class Row:
    """What became of one page: its reading, or the error in its place. Pages count from 1.

    A manifest may have given it an `id`, and a `box` of the page. `rotate` is by how many degrees
    it was turned clockwise before it was read, `None` where that is not known.
    """

    source: str
    page: int
    result: Reading | InkdigitError
    model: str
    id: str | None = None
    box: Box | None = None
    rotate: int | None = None

    @property
    def failure(self) -> InkdigitError | None:
        """The error, where there is no reading."""
        return self.result if isinstance(self.result, InkdigitError) else None

    @property
    def code(self) -> int:
        """The exit code of the error, 0 where there is a reading."""
        return self.failure.exit_code if self.failure else 0

    def to_dict(self, columns: tuple[str, ...] = FIELDS) -> dict[str, Any]:
        """Return plain types only, by the names and in the order of these columns."""
        known = {
            "source": self.source,
            "page": self.page,
            "model": self.model,
            "id": self.id,
            "box": list(self.box) if self.box else None,
            "rotate": self.rotate,
        }
        if isinstance(self.result, InkdigitError):
            known |= {"status": FAILED, "reason": "", "characters": [], "rotate": None}
            known["error"] = str(self.result)
        else:
            known |= self.result.to_dict()
        return {name: known.get(name) for name in columns}
