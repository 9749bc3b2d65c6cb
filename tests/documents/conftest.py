"""A form that is drawn, its template, and what reads it."""

from pathlib import Path

import pytest

from benchmarks.form_pages import DrawnForm, draw_form
from inkdigit.documents.forms import FormReader
from inkdigit.documents.registration import Registrar
from inkdigit.documents.template import Template
from inkdigit.reading.reader import Reader


@pytest.fixture(scope="session")
def drawn() -> DrawnForm:
    return draw_form(1)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("forms")


@pytest.fixture(scope="session")
def template(drawn: DrawnForm, folder: Path) -> Template:
    return drawn.save(folder, "claim")


@pytest.fixture(scope="session")
def registrar(template: Template) -> Registrar:
    return Registrar([template])


@pytest.fixture(scope="session")
def form_reader(template: Template) -> FormReader:
    return FormReader(Reader.load(), [template])
