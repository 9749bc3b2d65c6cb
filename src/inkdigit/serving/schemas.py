"""The answers as the OpenAPI describes them; the service writes them from `Row`."""

from typing import Literal

from pydantic import BaseModel, Field

from inkdigit.reading.result import Character


class Reading(BaseModel):
    """What one picture or page says, as `inkdigit read --format json` writes it."""

    source: str = Field(description="the file's name as it was sent; - if it had none")
    page: int
    text: str | None = Field(description="what stands there, as it is written")
    confidence: float | None
    status: Literal["accepted", "review", "rejected", "failed"]
    reason: str
    digits: str | None = Field(description="the digits of the text alone")
    number: str | None = Field(
        description="the number that the text means, with a dot before decimals; null where it "
        "could mean several, or none"
    )
    characters: list[Character]
    unconstrained: str | None
    error: str | None
    model: str
    shown: str | None = Field(
        default=None, description="with shown=true: what the network was shown, a PNG in base64"
    )


class Document(BaseModel):
    """The readings of a document of several pages."""

    source: str
    pages: list[Reading]


class FieldReading(Reading):
    """What a field of a form says, or why nothing."""

    id: str | None = Field(description="FORM/COPY/FIELD, or of a page ROW/COLUMN")
    box: list[int] | None = Field(description="x, y, width and height in pixels of its page")
    rotate: int | None = Field(description="by how many degrees it was turned clockwise, if known")


class NumberReading(FieldReading):
    """What a number of a page says, or why there is none; null where there is none."""

    angle: float | None = Field(description="by how many degrees its line falls to the right")
    found: float | None = Field(description="the probability that a number was written there")
    row: int | None = Field(description="of the table that the page's numbers make, from 1")
    column: int | None


class Forms(BaseModel):
    """The fields of the forms in a file, or the numbers of its pages."""

    source: str
    rows: list[FieldReading | NumberReading]


class Batch(BaseModel):
    """An answer for each file, in order."""

    results: list[Reading | Document | Forms]


class ProblemDetails(BaseModel):
    """A refusal (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = Field(description="one sentence: what was received, and what to do")
    instance: str = Field(description="names the request, as the header X-Request-ID does")
