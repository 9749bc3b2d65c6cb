"""From the pages of a document to forms, whose fields are decided together."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from heapq import nlargest
from operator import itemgetter
from typing import cast

from inkdigit.documents import CROSSED_OUT
from inkdigit.documents.fields import FieldText, read_fields
from inkdigit.documents.registration import Registrar, Registration
from inkdigit.documents.rules import Rule
from inkdigit.documents.template import Template, breach
from inkdigit.errors import ImageError, InkdigitError, SettingError
from inkdigit.images import Source, open_pages
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.reader import Reader
from inkdigit.reading.result import Row

# So many combinations of the likeliest texts of fields are followed, of those that are not too far
# below the first.
_COMBINATIONS, _TEXTS, _LEAST = 500, 20, 1e-5
# What a template says of each of its fields, or what makes no sense for them.
_OF_FIELDS = (
    "pattern", "check", "single", "decimal", "rotate", "pattern_column", "total_column",
)  # fmt: skip
_Texts = dict[str, FieldText]


@dataclass(eq=False)
class _Form:
    """One form: its pages as they came, and in which scan and where they were, by their numbers.

    `ended` is how a page that came again ended it.
    """

    template: Template
    called: str
    pages: dict[int, Registration] = field(default_factory=dict)
    places: dict[int, tuple[str, int]] = field(default_factory=dict)
    ended: str = ""


@dataclass(frozen=True)
class Scan:
    """Something that holds pages of forms, or why it cannot be opened; all pages, or one."""

    name: str
    source: Source | InkdigitError
    page: int | None = None


def check_form_options(options: ReadOptions) -> None:
    """Raise `SettingError` for an option that the template says of each field."""
    if told := [name for name in _OF_FIELDS if getattr(options, name)]:
        raise SettingError(f"a form's template says what to read: leave out {told[0]}")


class FormReader:
    """Reads forms of some templates; which page of which form a scan shows is found by itself.

    Raises `SettingError` where there is no template, or two of one name.
    """

    def __init__(self, reader: Reader, templates: Sequence[Template]) -> None:
        names = [template.name for template in templates]
        if not names or len(set(names)) < len(names):
            raise SettingError(f"name templates of different forms, received {', '.join(names)}")
        self.reader, self.model = reader, reader.model
        self.registrar = Registrar(templates)

    def read(self, source: Source, name: str, options: ReadOptions) -> Iterator[Row]:
        """Yield a row for each field of each form in a document, and for each page that is none.

        The pages of a form follow each other, in any order. A field of a page that is missing is a
        row with its error. The `id` of a row is FORM/COPY/FIELD, copies counted from 1.
        """
        return self.read_scans([Scan(name, source, options.page)], options)

    def read_scans(
        self, scans: Iterable[Scan], options: ReadOptions, called: str | None = None
    ) -> Iterator[Row]:
        """Yield the rows of forms whose pages may lie in several scans that follow each other.

        COPY is what the form is `called`, where it is.
        """
        copies, begun = Counter[str](), dict[str, _Form]()
        for place, found in self.found(scans, options):
            if isinstance(found, InkdigitError):
                yield Row(*place, found, self.model)
                continue
            template, number = found.blank.template, found.blank.number
            if template.name in begun and number in begun[template.name].pages:
                form = begun.pop(template.name)
                form.ended = f"; {found.blank} comes again as page {place[1]} of {place[0]}"
                yield from self._rows(form, options)
            if template.name not in begun:
                copies[template.name] += 1
                copy = copies[template.name]
                own = f"{called}-{copy}" if called and copy > 1 else called or str(copy)
                begun[template.name] = _Form(template, own)
            form = begun[template.name]
            form.pages[number], form.places[number] = found, place
            if len(form.pages) == len(template.pages):
                yield from self._rows(begun.pop(template.name), options)
        for form in begun.values():
            yield from self._rows(form, options)

    def found(
        self, scans: Iterable[Scan], options: ReadOptions
    ) -> Iterator[tuple[tuple[str, int], Registration | InkdigitError]]:
        """Yield the scan and number of each page, and what it shows or why that is not known."""
        for scan in scans:
            try:
                if isinstance(scan.source, InkdigitError):
                    raise scan.source
                pages = open_pages(scan.source, max_pixels=options.max_pixels)
            except InkdigitError as error:
                yield (scan.name, scan.page or 1), error
                continue
            for number in [scan.page] if scan.page else range(1, len(pages) + 1):
                try:
                    if number > len(pages):
                        raise ImageError(f"there is no such page, of {len(pages)}")
                    yield (scan.name, number), self.registrar.register(pages.page(number - 1))
                except InkdigitError as error:
                    several = number > 1 or len(pages) > 1
                    where = f"page {number} of {scan.name}" if several else scan.name
                    yield (scan.name, number), type(error)(f"{where}: {error}")

    def _rows(self, form: _Form, options: ReadOptions) -> Iterator[Row]:
        least = options.min_confidence
        if least is None:
            least = self.reader.model_for(options).info.reject_threshold
        said = read_fields(self.reader, list(form.pages.values()), least)
        decide(said, form.template.parsed_rules, least)
        first = next(iter(form.places.values()))
        for one in form.template.fields:
            place = form.places.get(one.page, first)
            id_ = f"{form.template.name}/{form.called}/{one.name}"
            if text := said.get(one.name):
                reading, turned = text.reading(self.model), text.found.rotate
                yield Row(*place, reading, self.model, id_, text.box, turned)
            else:
                lost = f"page {one.page} of {form.template.name} is missing beside page"
                error = ImageError(f"{lost} {first[1]} of {first[0]}{form.ended}")
                yield Row(*place, error, self.model, id_)


def decide(said: _Texts, rules: Sequence[Rule], least: float) -> None:
    """Decide fields together that rules relate, in place.

    Of all combinations of the fields' texts those count by which the rules hold, and a text is as
    likely as they are together. A rule that holds by none of them, or only where several of its
    fields are changed, is told of, and its fields are for review. A blank field counts as 0.
    """
    fields = {name: one for name, one in said.items() if one.texts}
    whole = [rule for rule in rules if rule.weights.keys() <= fields.keys()]
    combinations, failed = _combinations(fields, whole)
    said.update(_settled(fields, combinations, least))
    changed = {name for name, one in fields.items() if said[name].text != one.text}
    _doubt(said, failed, "does not hold")
    _doubt(said, [rule for rule in rules if rule not in whole], "lacks a field")
    _doubt(said, _unsettled(whole, changed), "holds only if several fields are changed")


def _unsettled(rules: Sequence[Rule], changed: set[str]) -> list[Rule]:
    """Return the rules of several fields that were changed, but for those that others settle."""
    while alone := [rule for rule in rules if len(changed & rule.weights.keys()) == 1]:
        changed = changed.difference(*(rule.weights for rule in alone))
    return [rule for rule in rules if changed & rule.weights.keys()]


# The text of each field, none for one that is read otherwise than any of its texts.
_Combination = dict[str, str | None]


def _combinations(
    fields: _Texts, rules: Sequence[Rule]
) -> tuple[list[tuple[_Combination, float]], list[Rule]]:
    """Return the likeliest combinations by which rules hold, with weights, and what never holds.

    A beam search: fields are added one after the other, and rules asked as soon as they can be. In
    each combination one field may be something else than all that was read there.
    """
    beam, failed = [(_Combination(), 1.0)], list[Rule]()
    for rule in rules:
        longer = beam
        for name in rule.weights.keys() - beam[0][0].keys():
            likely = [text for text in fields[name].texts[:_TEXTS] if text[1] >= _LEAST]
            longer = [
                (texts | {name: text}, weight * share)
                for texts, weight in longer
                for text, share in (*likely, (None, fields[name].other))
                if text is not None or None not in texts.values()
            ]
            longer = nlargest(_COMBINATIONS, longer, key=itemgetter(1))
        holding = [one for one in longer if _may_hold(rule, fields, one[0])]
        if any(None not in texts.values() for texts, _ in holding):
            beam = holding
        else:
            failed.append(rule)
    return beam, failed


def _may_hold(rule: Rule, fields: _Texts, texts: _Combination) -> bool:
    """Return whether a rule holds, or may, as one of its fields is something else than was read.

    Of that an equation says which number it is.
    """
    known = {name: fields[name].field for name in rule.weights}
    said = {name: text for name in rule.weights if (text := texts[name]) is not None}
    unseen = known.keys() - said.keys()
    if not unseen:
        return not breach(rule, known, said)
    (name,), values = unseen, {name: known[name].value(text or "0") for name, text in said.items()}
    if rule.relation != "=" or known[name].date or None in values.values():
        return True
    left = rule.excess(cast("dict[str, Decimal]", values) | {name: Decimal()})
    return fields[name].may_be(-left / rule.weights[name])


def _settled(
    fields: _Texts, combinations: Sequence[tuple[_Combination, float]], least: float
) -> _Texts:
    """Return the fields with the texts that the rules leave them, as sure as they then are."""
    best = next(texts for texts, _ in combinations if None not in texts.values())
    total = sum(weight for _, weight in combinations)
    settled = _Texts()
    for name, text in best.items():
        one = fields[name]
        share = sum(weight for texts, weight in combinations if texts[name] == text) / total
        others = [other for other in one.texts if other[0] != text]
        written = None if text == one.text else one.text
        settled[name] = replace(one, texts=[(str(text), share), *others], written=written)
        if share >= least:
            why = "" if text else one.reason if one.status == "accepted" else CROSSED_OUT
            settled[name] = replace(settled[name], status="accepted", reason=why)
        elif one.status == "accepted":
            doubt = f"beside the other fields {text} is not sure"
            settled[name] = replace(settled[name], status="review", reason=doubt)
    return settled


def _doubt(said: _Texts, rules: Sequence[Rule], why: str) -> None:
    """Put the fields of some rules up for review."""
    for rule in rules:
        for name in rule.weights:
            if name in said and said[name].status == "accepted":
                reason = f"the rule {rule.text!r} {why}"
                said[name] = replace(said[name], status="review", reason=reason)
