from pathlib import Path

import numpy as np
import pytest

from inkdigit.errors import DataError
from inkdigit.images import Grey, Source, as_png, open_grey
from inkdigit.learning.adaptation.pile import (
    LEAST,
    Label,
    Pile,
    Sample,
    as_label,
    labels_of_folders,
    load_pile,
    pictures_in,
    read_labels,
)

PAGE = np.full((40, 60), 230, np.uint8)


def shown(source: Source) -> Grey:
    grey = open_grey(source)
    return 255 - grey if grey.min() < 100 else np.zeros_like(grey)


def pictures(count: int) -> dict[str, np.ndarray]:
    inked = PAGE.copy()
    inked[10:30, 20:25] = 20
    return {f"{number}.png": inked for number in range(count)}


def table(folder: Path, *lines: str) -> Path:
    path = folder / "labels.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_pictures_have_their_labels_and_blank_and_broken_ones_are_left_out() -> None:
    given: dict = pictures(LEAST + 1)
    given |= {"blank.png": PAGE, "broken.png": b"no picture"}
    labels = {"3.png": Label("17.-", "anna"), "4.png": Label("20"), "blank.png": Label("1")}
    pile = load_pile(given, labels, shown)
    assert len(pile) == LEAST + 1
    assert pile.labelled == [3, 4]
    assert (pile.samples[3].label, pile.samples[3].group) == ("17.-", "anna")
    assert pile.as_written
    assert len(pile.left_out) == 2
    assert "blank.png is blank" in pile.left_out
    assert not load_pile(given, {"3.png": Label("17"), "4.png": Label("2")}, shown).as_written


def test_what_nothing_can_be_learned_from() -> None:
    with pytest.raises(DataError, match=r"^there is a label for 99.png and 1 more, and no such"):
        load_pile(pictures(30), {"99.png": Label("1"), "98.png": Label("1")}, shown)
    with pytest.raises(
        DataError, match=r"^there are too few pictures to learn from: 2, at least 20 are needed"
    ):
        load_pile(pictures(2), {}, shown)
    same = {name: Label("7") for name in pictures(30)}
    with pytest.raises(DataError, match=r"^every label is '7': nothing could be told apart"):
        load_pile(pictures(30), same, shown)


def test_a_group_lies_in_one_fold_and_all_folds_are_used() -> None:
    samples = [Sample(str(i), PAGE, "1", f"writer {i % 7}") for i in range(70)]
    folds = Pile(samples).folds(3, seed=1)
    assert set(folds.tolist()) == {0, 1, 2}
    for writer in range(7):
        assert len(set(folds[writer::7].tolist())) == 1
    alone = Pile([Sample(str(i), PAGE) for i in range(70)]).folds(3, seed=1)
    assert np.bincount(alone).min() == 23
    assert (alone == Pile([Sample(str(i), PAGE) for i in range(70)]).folds(3, seed=1)).all()


def test_labels_of_a_csv(tmp_path: Path) -> None:
    path = table(tmp_path, "\ufefffile,text,writer", 'a\\b.png,"1,250.-",anna', "c.png,0 7,ben")
    assert read_labels(path) == {"a/b.png": Label("1,250.-"), "c.png": Label("07")}
    assert read_labels(path, "writer")["a/b.png"] == Label("1,250.-", "anna")
    path = table(tmp_path, "text;file;writer", "1,250.-;b.png;anna", ";a.png;ben")
    assert read_labels(path, "writer") == {
        "b.png": Label("1,250.-", "anna"),
        "a.png": Label("", "ben"),
    }


def test_labels_of_class_folders() -> None:
    found = labels_of_folders(["3/1.png", "anna/class_7/x.png", "1.png", "notes/2.png"])
    assert found == {"3/1.png": Label("3"), "anna/class_7/x.png": Label("7")}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["file,value", "a.png,1"], r"labels.csv has no column text \(its columns: file, value\)"),
        ([""], "is no CSV"),
        (["file,text", "a.png,1", "a.png,2"], "says both '1' and '2' of a.png"),
        (["file,text", "a.png,12a"], r"line 2: '12a' holds 'a': a label has digits and the marks"),
        (["file,text", '"a.png,1'], "is no CSV"),
    ],
)
def test_tables_that_are_wrong(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_labels(table(tmp_path, *lines))


def test_tables_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column writer"):
        read_labels(table(tmp_path, "file,text", "a.png,1"), "writer")
    with pytest.raises(DataError, match="cannot be read"):
        read_labels(tmp_path / "none.csv")
    (tmp_path / "picture.csv").write_bytes(b"\xff\xfe\x00\x80\x81")
    with pytest.raises(DataError, match="is no CSV in UTF-8"):
        read_labels(tmp_path / "picture.csv")
    with pytest.raises(DataError, match="a label is a text, received 7"):
        as_label(7, "the first")  # type: ignore[arg-type]


def test_pictures_of_a_folder_are_told_by_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "scan").write_bytes(as_png(PAGE))
    (tmp_path / "notes.png").write_text("no picture")
    (tmp_path / ".hidden.png").write_bytes(as_png(PAGE))
    assert pictures_in(tmp_path) == {"below/scan": tmp_path / "below" / "scan"}
    (tmp_path / "below" / "scan").unlink()
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(DataError, match="no"):
            pictures_in(folder)


def test_writers_that_are_too_few_to_hold_one_out() -> None:
    samples = [Sample(str(i), PAGE, "1", f"writer {i % 2}") for i in range(30)]
    with pytest.raises(DataError, match="are of 2 groups: at least 3 are needed"):
        Pile(samples).folds(3, seed=0)
