import json
from pathlib import Path

import pytest

from inkdigit.documents.template import Template
from inkdigit.editor.file import TemplateFile
from inkdigit.errors import RunError, SettingError
from inkdigit.images import open_grey


def test_what_is_saved_is_what_was_drawn(path: Path) -> None:
    (path.parent / "members.csv").write_text("number\n204420\n", "utf-8")
    file = TemplateFile(path)
    opened = file.opened()
    known = opened["template"]
    known["fields"][0] |= {"name": "id", "one_of": "members.csv"}
    digest = file.save(known, opened["digest"])
    assert json.loads(path.read_text("utf-8")) == known  # a list stays a file's name
    assert Template.load(path).fields[0].one_of == ("204420",)
    assert file.opened() == opened | {"template": known, "digest": digest}
    assert (open_grey(file.blanks[0]) == Template.load(path).blank(1)).all()


def test_a_file_that_was_changed_outside_is_kept(path: Path) -> None:
    file = TemplateFile(path)
    opened = file.opened()
    path.write_text(path.read_text("utf-8").replace("travel", "journey"), "utf-8")
    theirs = path.read_bytes()
    with pytest.raises(RunError, match="changed by another program since it was opened"):
        file.save(opened["template"], opened["digest"])
    assert path.read_bytes() == theirs
    path.unlink()
    with pytest.raises(RunError):
        file.save(opened["template"], opened["digest"])
    file.save(opened["template"], None)  # as a person has decided
    assert Template.load(path).fields[2].name == "travel"


def test_what_is_no_template_is_not_saved(path: Path) -> None:
    file, before = TemplateFile(path), path.read_bytes()
    opened = file.opened()
    opened["template"]["fields"][1]["box"] = [1, 2, 3]
    with pytest.raises(SettingError, match=r"fields day box: this is \[x, y, width, height\]"):
        file.save(opened["template"], opened["digest"])
    assert path.read_bytes() == before
    with pytest.raises(SettingError, match="cannot be read"):
        TemplateFile(path.with_name("none.form.json"))


def test_boxes_are_found_where_fields_lie(path: Path) -> None:
    file = TemplateFile(path)
    fields = {one.name: one for one in Template.load(path).fields}
    (found,) = file.found
    assert [one["kind"] for one in found].count("comb") == 6
    box = found[0]["box"]
    assert box == pytest.approx(fields["member"].box, abs=0.5)
    assert found[0]["cells"] == 6
