import numpy as np
import pytest

from inkdigit.errors import DataError
from inkdigit.images import Grey, Source, open_grey
from inkdigit.learning.adaptation.pile import LEAST, Pile, Sample, labels_of_folders, load_pile
from inkdigit.learning.datasets.labels import Label

PAGE = np.full((40, 60), 230, np.uint8)


def shown(source: Source) -> Grey:
    grey = open_grey(source)
    return 255 - grey if grey.min() < 100 else np.zeros_like(grey)


def pictures(count: int) -> dict[str, np.ndarray]:
    return {f"{number}.png": inked(number) for number in range(count)}


def inked(number: int) -> np.ndarray:
    """Return a page with a stroke, no two of them alike."""
    page = PAGE.copy()
    page[10:30, 5 + number % 40] = 20
    page[30 + number // 40, 10] = 20
    return page


def test_pictures_have_their_labels_and_blank_and_broken_ones_are_left_out() -> None:
    given: dict = pictures(LEAST + 1)
    given |= {"blank.png": PAGE, "broken.png": b"no picture"}
    labels = {"3.png": Label("17.-", "anna"), "4.png": Label("20"), "blank.png": Label("1")}
    labels["5.png"] = Label("", "ben")
    pile = load_pile(given, labels, shown)
    assert len(pile) == LEAST + 1
    assert pile.labelled == [3, 4]
    assert (pile.samples[3].label, pile.samples[3].group) == ("17.-", "anna")
    # Without a text it is known whose it is alone.
    assert (pile.samples[5].label, pile.samples[5].group) == (None, "ben")
    assert len(pile.left_out) == 2
    assert "blank.png is blank" in pile.left_out


def test_what_nothing_can_be_learned_from() -> None:
    with pytest.raises(DataError, match=r"^there is a label for 99.png and 1 more, and no such"):
        load_pile(pictures(30), {"99.png": Label("1"), "98.png": Label("1")}, shown)
    with pytest.raises(
        DataError, match=r"^there are too few pictures to learn from: 2, at least 20 are needed"
    ):
        load_pile(pictures(2), {}, shown)
    copies = {**pictures(30), "copy.png": inked(3)}
    assert len(load_pile(copies, {"3.png": Label("7"), "copy.png": Label("7")}, shown)) == 31
    with pytest.raises(DataError, match=r"^3.png and copy.png are the same picture, and their "):
        load_pile(copies, {"3.png": Label("7"), "copy.png": Label("1")}, shown)
    same = {name: Label("7") for name in pictures(30)}
    with pytest.raises(DataError, match=r"^every label is '7': nothing could be told apart"):
        load_pile(pictures(30), same, shown)


def test_a_group_lies_in_one_fold_and_all_folds_are_used() -> None:
    samples = [Sample(str(i), inked(i), "1", f"writer {i % 7}") for i in range(70)]
    folds = Pile(samples).folds(3, seed=1)
    assert set(folds.tolist()) == {0, 1, 2}
    for writer in range(7):
        assert len(set(folds[writer::7].tolist())) == 1
    alone = [Sample(str(i), inked(i)) for i in range(70)]
    folds = Pile(alone).folds(3, seed=1)
    assert np.bincount(folds).min() == 23
    assert (folds == Pile(alone).folds(3, seed=1)).all()
    # A copy is never held out from what learned its picture.
    twice = Pile([*alone, *alone]).folds(3, seed=1)
    assert (twice[:70] == twice[70:]).all()


def test_a_label_in_doubt_is_not_trusted() -> None:
    pile = Pile([Sample(str(i), inked(i), "1") for i in range(4)], doubted=[2])
    assert (pile.labelled, pile.trusted) == ([0, 1, 2, 3], [0, 1, 3])


def test_labels_of_class_folders() -> None:
    names = ["3/1.png", "anna/class_7/x.png", "1.png", "notes/2.png", "4/said.png"]
    known = {"3/1.png": Label("", "ben"), "4/said.png": Label("9", "ben"), "1.png": Label("1")}
    assert labels_of_folders(names, known) == {
        "3/1.png": Label("3", "ben"),
        "anna/class_7/x.png": Label("7"),
        "4/said.png": Label("9", "ben"),
    }


def test_writers_that_are_too_few_to_hold_one_out() -> None:
    samples = [Sample(str(i), PAGE, "1", f"writer {i % 2}") for i in range(30)]
    with pytest.raises(DataError, match="are of 2 groups: at least 3 are needed"):
        Pile(samples).folds(3, seed=0)
