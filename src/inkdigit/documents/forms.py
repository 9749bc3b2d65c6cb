"""From the pages of a document to forms, whose fields are decided together."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from heapq import nlargest
from operator import itemgetter

from inkdigit.documents.fields import CROSSED_OUT, FieldText, read_fields
from inkdigit.documents.registration import Registrar, Registration
from inkdigit.documents.rules import Rule
from inkdigit.documents.template import Template
from inkdigit.errors import ImageError, InkdigitError, SettingError
from inkdigit.images import Source, open_pages
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.reader import Reader
from inkdigit.reading.result import Row

# So many combinations of the likeliest texts of fields are followed, of those that are not too far
# below the first.
_COMBINATIONS, _TEXTS, _LEAST = 300, 20, 1e-5
_Texts = dict[str, FieldText]


@dataclass(eq=False)
class _Form:
    """One form: its pages as they came, and where in the document they were, by their numbers."""

    template: Template
    copy: int
    pages: dict[int, Registration] = field(default_factory=dict)
    places: dict[int, int] = field(default_factory=dict)


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
        copies, begun = Counter[str](), dict[str, _Form]()
        for place, found in self.found(source, name, options):
            if isinstance(found, InkdigitError):
                yield Row(name, place, found, self.model)
                continue
            template, number = found.blank.template, found.blank.number
            if template.name in begun and number in begun[template.name].pages:
                yield from self._rows(begun.pop(template.name), name, options)
            if template.name not in begun:
                copies[template.name] += 1
                begun[template.name] = _Form(template, copies[template.name])
            form = begun[template.name]
            form.pages[number], form.places[number] = found, place
            if len(form.pages) == len(template.pages):
                yield from self._rows(begun.pop(template.name), name, options)
        for form in begun.values():
            yield from self._rows(form, name, options)

    def found(
        self, source: Source, name: str, options: ReadOptions
    ) -> Iterator[tuple[int, Registration | InkdigitError]]:
        """Yield the number of each page, and what it shows or why that is not known."""
        try:
            pages = open_pages(source, max_pixels=options.max_pixels)
        except InkdigitError as error:
            yield options.page or 1, error
            return
        for number in [options.page] if options.page else range(1, len(pages) + 1):
            try:
                if number > len(pages):
                    raise ImageError(f"there is no such page, of {len(pages)}")
                yield number, self.registrar.register(pages.page(number - 1))
            except InkdigitError as error:
                where = f"page {number} of {name}" if number > 1 or len(pages) > 1 else name
                yield number, type(error)(f"{where}: {error}")

    def _rows(self, form: _Form, name: str, options: ReadOptions) -> Iterator[Row]:
        least = options.min_confidence
        if least is None:
            least = self.reader.model_for(options).info.reject_threshold
        said = read_fields(self.reader, list(form.pages.values()), least)
        decide(said, form.template.parsed_rules, least)
        for one in form.template.fields:
            place = form.places.get(one.page, min(form.places.values()))
            id_ = f"{form.template.name}/{form.copy}/{one.name}"
            if text := said.get(one.name):
                yield Row(name, place, text.reading(self.model), self.model, id_, text.box)
            else:
                lost = f"page {one.page} of {form.template.name} is missing beside page {place} of"
                yield Row(name, place, ImageError(f"{lost} {name}"), self.model, id_)


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


_Combination = dict[str, str]


def _combinations(
    fields: _Texts, rules: Sequence[Rule]
) -> tuple[list[tuple[_Combination, float]], list[Rule]]:
    """Return the likeliest combinations by which rules hold, with weights, and what never holds.

    A beam search: fields are added one after the other, and rules asked as soon as they can be.
    """
    beam, failed = [(_Combination(), 1.0)], list[Rule]()
    for rule in rules:
        longer = beam
        for name in rule.weights.keys() - beam[0][0].keys():
            longer = [
                (texts | {name: text}, weight * share)
                for texts, weight in longer
                for text, share in fields[name].texts[:_TEXTS]
                if share >= _LEAST
            ]
            longer = nlargest(_COMBINATIONS, longer, key=itemgetter(1))
        holding = [one for one in longer if _holds(rule, fields, one[0])]
        beam = holding or beam
        failed += [] if holding else [rule]
    return beam, failed


def _holds(rule: Rule, fields: _Texts, texts: _Combination) -> bool:
    """Return whether a rule holds; one of a date that is blank says nothing."""
    if any(fields[name].field.date and not texts[name] for name in rule.weights):
        return True
    known = ((name, fields[name].field.value(texts[name] or "0")) for name in rule.weights)
    values = {name: value for name, value in known if value is not None}
    return len(values) == len(rule.weights) and rule.holds(values)


def _settled(
    fields: _Texts, combinations: Sequence[tuple[_Combination, float]], least: float
) -> _Texts:
    """Return the fields with the texts that the rules leave them."""
    (best, _), total = combinations[0], sum(weight for _, weight in combinations)
    settled = _Texts()
    for name, text in best.items():
        one = fields[name]
        share = sum(weight for texts, weight in combinations if texts[name] == text) / total
        others = [other for other in one.texts if other[0] != text]
        settled[name] = replace(one, texts=[(text, share), *others])
        if share >= least:
            why = "" if text else one.reason if one.status == "accepted" else CROSSED_OUT
            settled[name] = replace(settled[name], status="accepted", reason=why)
    return settled


def _doubt(said: _Texts, rules: Sequence[Rule], why: str) -> None:
    """Put the fields of some rules up for review."""
    for rule in rules:
        for name in rule.weights:
            if name in said and said[name].status == "accepted":
                reason = f"the rule {rule.text!r} {why}"
                said[name] = replace(said[name], status="review", reason=reason)
