from typing import Any

import numpy as np
import pytest

from inkdigit.errors import DataError, SettingError
from inkdigit.learning.datasets import Dataset, Digits
from inkdigit.learning.datasets.digits import joined


def numbered(count: int) -> Digits:
    """Digits whose image says which one it is, with classes of uneven size."""
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.divmod(np.arange(count), 256)
    labels = np.sort(np.minimum(np.random.default_rng(0).integers(0, 12, count), 9))
    return Digits(images, labels)


def numbers(digits: Digits) -> list[int]:
    return [int(a) * 256 + int(b) for a, b in digits.images[:, 0, :2]]


def test_images_must_match_the_labels() -> None:
    with pytest.raises(DataError, match="5 labels do not match 4 images"):
        Digits(np.zeros((4, 28, 28), np.uint8), np.zeros(5, np.int64))


PIXELS = np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)
LABELS = np.array([3, 0, 9, 1, 1])


@pytest.mark.parametrize(
    "images",
    [
        PIXELS, PIXELS[..., None], PIXELS.reshape(5, 784), PIXELS.astype(np.int64),
        PIXELS / np.float32(255), PIXELS / 255.0,
    ],
    ids=["uint8", "with a channel", "flat", "int64", "float32", "float64"],
)  # fmt: skip
@pytest.mark.parametrize(
    "labels", [LABELS, LABELS.astype(np.uint8), LABELS.astype(float), np.eye(10)[LABELS]],
    ids=["int64", "uint8", "float", "one-hot"],
)  # fmt: skip
def test_what_can_only_mean_one_thing_is_taken(images: Any, labels: Any) -> None:
    digits = Digits(images, labels)
    assert digits.images.dtype == np.uint8
    assert np.array_equal(digits.images, PIXELS)
    assert digits.labels.dtype == np.int64
    assert np.array_equal(digits.labels, LABELS)


@pytest.mark.parametrize(
    ("images", "labels", "sentence"),
    [
        (PIXELS[:, :27], LABELS, r"received \(5, 27, 28\)"),
        (PIXELS * 1.0, LABELS, "floats in 0..1, received float64 from 0 to 255"),
        (PIXELS / 127.5 - 1, LABELS, "received float64 from -1 to 1"),
        (PIXELS.astype(int) - 1, LABELS, "received int64 from -1 to 254"),
        (np.full((5, 28, 28), np.nan), LABELS, "from nan to nan"),
        (PIXELS, LABELS + 1, "received int64 of shape .5,. from 1 to 10"),
        (PIXELS, LABELS - 1, "from -1 to 8"),
        (PIXELS, LABELS + 0.5, "labels are whole numbers from 0 to 9"),
        (PIXELS, np.ones((5, 10)), r"received float64 of shape \(5, 10\)"),
        (PIXELS, np.array(list("abcde")), "labels are whole numbers"),
    ],
)
def test_what_is_neither_is_one_sentence(images: Any, labels: Any, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence) as caught:
        Digits(images, labels)
    assert "\n" not in str(caught.value)


def test_one_picture_of_a_class_is_too_few() -> None:
    labels = np.array([0] * 20 + [1] * 20 + [7])
    with pytest.raises(DataError, match=r"too few to divide.* there are 20, 20, .*, 0, 1, 0, 0\)$"):
        Digits(np.zeros((41, 28, 28), np.uint8), labels).divided(0.2)


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
def test_dividing_is_stratified_disjoint_whole_and_always_the_same(share: float) -> None:
    digits = numbered(1000)
    first, second = digits.divided(share)
    assert sorted(numbers(first) + numbers(second)) == list(range(1000))
    sizes = np.bincount(digits.labels) * share
    assert np.abs(np.bincount(second.labels) - sizes).max() <= 1
    assert (first.labels == digits.labels[numbers(first)]).all()
    assert [part.digest() for part in digits.divided(share)] == [first.digest(), second.digest()]


def test_too_few_to_divide() -> None:
    for count in (0, 1, 10):
        digits = Digits(np.zeros((count, 28, 28), np.uint8), np.arange(count))
        with pytest.raises(DataError, match=f"{count} digits are too few to divide"):
            digits.divided(0.2)


def test_the_digest_knows_images_and_labels() -> None:
    digits = numbered(30)
    other_label, other_image = digits.labels.copy(), digits.images.copy()
    other_label[3] += 1
    other_image[3, 4, 5] ^= 1
    digests = {
        digits.digest(),
        Digits(digits.images, other_label).digest(),
        Digits(other_image, digits.labels).digest(),
        digits.at(np.arange(30)[::-1]).digest(),
    }
    assert len(digests) == 4
    assert Digits(digits.images, digits.labels.astype(np.int32)).digest() in digests


def test_validation_is_a_tenth_of_the_training_half_and_never_of_the_test_half() -> None:
    digits = numbered(1000)
    train, test = digits.divided(0.3)
    dataset = Dataset("numbered", train, test)
    fitted, validation = dataset.fit_and_validation()
    assert len(validation) == 70
    assert sorted(numbers(fitted) + numbers(validation)) == numbers(train)
    assert not set(numbers(validation)) & set(numbers(test))
    assert np.abs(np.bincount(validation.labels) - np.bincount(train.labels) * 0.1).max() <= 1
    assert dataset.split("validation").digest() == validation.digest()


def test_splits_by_name() -> None:
    train, test = numbered(200).divided(0.3)
    dataset = Dataset("numbered", train, test)
    assert dataset.split("train") is train
    assert dataset.split("test") is test
    assert numbers(dataset.split("all")) == numbers(train) + numbers(test)
    with pytest.raises(SettingError, match="no split is called 'half': choose from test"):
        dataset.split("half")


def test_joining_keeps_the_order() -> None:
    digits = numbered(20)
    assert (
        joined([digits.at(np.arange(7)), digits.at(np.arange(7, 20))]).digest() == digits.digest()
    )


def test_notes_are_put_first() -> None:
    digits = numbered(3)
    assert Dataset("d", digits, digits, ("old",)).noting("new").notes == ("new", "old")


def test_names_and_writers_go_with_their_digits() -> None:
    labels = np.arange(40) % 10
    writers = np.repeat(["anna", "ben", "cem", "dan"], 10)
    names = [f"{number}.png" for number in range(40)]
    digits = Digits(np.zeros((40, 28, 28), np.uint8), labels, names, writers)
    first, second = digits.divided(0.25)
    assert len(second) == 10
    assert len(set(second.writers)) == 1
    assert not set(first.writers) & set(second.writers)
    both = joined([first, second])
    assert sorted(both.names) == sorted(names)
    for name, writer in zip(both.names, both.writers, strict=True):
        assert writers[int(name.removesuffix(".png"))] == writer
    unknown = Digits(digits.images, labels)
    assert set(unknown.writers) == set(unknown.names) == {""}
    assert digits.digest() == unknown.digest()
    with pytest.raises(DataError, match="3 writers do not match 40 images"):
        Digits(digits.images, labels, writers=["a", "b", "c"])
