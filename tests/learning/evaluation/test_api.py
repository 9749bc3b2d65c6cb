"""Evaluating as a program asks for it."""

import numpy as np

from inkdigit import learning


def test_a_run_a_path_and_a_classifier_are_evaluated_alike(trained: learning.Run) -> None:
    expected = learning.evaluate(trained, "sample")
    digits = learning.load_dataset("sample").test
    for model in (trained.folder, learning.DigitClassifier.load(trained)):
        found = learning.evaluate(model, "sample")
        assert np.array_equal(found.probabilities, expected.probabilities)
    assert expected.accuracy == learning.DigitClassifier.load(trained).score(
        digits.images, digits.labels
    )
    assert expected.warning is None
    seen = learning.evaluate(trained, "sample", split="train")
    assert seen.warning is not None
    assert "was trained on these digits" in seen.warning
