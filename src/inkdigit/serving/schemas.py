"""The answers as the OpenAPI describes them; the service writes them from `Row`."""

from typing import Literal

from pydantic import BaseModel, Field

Probability = float
Box = tuple[int, int, int, int]


class Alternative(BaseModel):
    """A value that a place might have."""

    value: str
    confidence: Probability


class Character(BaseModel):
    """One character of the text; `box` is x, y, width, height in pixels of the picture."""

    value: str
    confidence: Probability
    box: Box
    alternatives: list[Alternative]


class Mark(BaseModel):
    """A dot, comma, dash, slash or equals sign that was seen and is not in the text."""

    value: str
    position: int = Field(description="how many characters of the text stand before it")
    confidence: Probability
    box: Box


class Reading(BaseModel):
    """What one picture or page says, as `inkdigit read --format json` writes it."""

    source: str = Field(description="the file's name as it was sent; - for none")
    page: int
    text: str | None
    confidence: Probability | None
    status: Literal["accepted", "review", "rejected", "failed"]
    reason: str
    digits: list[Character]
    marks: list[Mark]
    unconstrained: str | None
    error: str | None
    model: str
    look: str | None = Field(
        default=None, description="with look=true: what the network saw, a PNG in base64"
    )


class Document(BaseModel):
    """The readings of a document of several pages."""

    source: str
    pages: list[Reading]


class Batch(BaseModel):
    """An answer for each file, in order."""

    results: list[Reading | Document]


class ProblemDetails(BaseModel):
    """A refusal (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = Field(description="one sentence: what was received, and what to do")
    instance: str = Field(description="names the request, as the header X-Request-ID does")


class State(BaseModel):
    """Whether the service is well."""

    status: str


class Version(BaseModel):
    """What is running."""

    inkdigit: str
    model: str
