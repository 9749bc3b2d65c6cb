"""Forms that the service reads: templates by name, from a folder, or sent along."""

from math import prod
from pathlib import Path

from inkdigit.documents.forms import FormReader
from inkdigit.documents.template import SUFFIX, Template, parse_json
from inkdigit.errors import SettingError, shown
from inkdigit.reading.reader import Reader
from inkdigit.serving.settings import Settings


def load_templates(folder: Path) -> list[Template]:
    """Return the templates in a folder; `SettingError` for one that is none, and where none is."""
    paths = sorted(folder.glob(f"*{SUFFIX}"))
    if not paths:
        raise SettingError(f"{folder} holds no template, such as claim{SUFFIX}")
    templates = list(map(Template.load, paths))
    names = [one.name for one in templates]
    if twice := [name for name in names if names.count(name) > 1]:
        raise SettingError(f"{folder} holds two templates of the name {shown(twice[0])}")
    return templates


class Forms:
    """The templates whose forms are read by name, and what reads them.

    A template that is sent along has no more pages than documents, and these no more pixels
    together than a picture. Raises `SettingError` for templates that cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        templates = load_templates(settings.forms) if settings.forms else []
        self._known = {one.name: one for one in templates}
        self._ready = dict[str, FormReader]()

    def reader(self, form: str, reader: Reader) -> FormReader:
        """Return what reads a form, said by its name or as the JSON of its template."""
        if form.lstrip().startswith("{"):
            return FormReader(reader, [self._sent(form)])
        if form not in self._known:
            there = ", ".join(self._known) or "none: name their folder with --forms"
            raise SettingError(f"there is no form {shown(form)}, there are {there}")
        if form not in self._ready:
            self._ready[form] = FormReader(reader, [self._known[form]])
        return self._ready[form]

    def _sent(self, text: str) -> Template:
        most = self._settings
        template = Template.from_mapping(parse_json(text), max_pixels=most.max_pixels)
        if len(template.pages) > most.max_pages:
            raise SettingError(f"the template has more than {most.max_pages:,} pages")
        if sum(prod(page.size) for page in template.pages) > most.max_pixels:
            raise SettingError(
                f"the template's pages have more than {most.max_pixels:,} pixels together"
            )
        return template
