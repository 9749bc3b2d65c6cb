"""The page in a real browser, opened from a disk."""

import base64
import shutil
from collections.abc import Iterator
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import NEEDS_CHROMIUM, Open, assert_accessible, visiting
from drawing import as_file, drawn, png
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect
from pypdfium2 import PdfDocument
from scipy.spatial.distance import pdist
from sklearn.decomposition import PCA
from strokes import strokes_of

from inkdigit import learning
from inkdigit.errors import RunError
from inkdigit.learning import DigitClassifier, Evaluation, build_network
from inkdigit.learning.backend import keras, layers
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.explainer import attribution
from inkdigit.learning.explainer.api import explain
from inkdigit.learning.explainer.facts import chosen_digits
from inkdigit.learning.explainer.film import read_snapshots
from inkdigit.learning.explainer.network import Network
from inkdigit.learning.models.keras_files import load_digit_model
from inkdigit.learning.models.run import SNAPSHOTS, Run
from inkdigit.reading.alphabet import LINE_ALPHABET
from inkdigit.reading.model_file import WIDTH_MULTIPLE, LineModel, to_pixels
from inkdigit.reading.preprocessing.digit import normalise
from inkdigit.reading.preprocessing.line import extract_line
from inkdigit.reading.reader import LINE_MODEL
from inkdigit.reading.tta import pad

pytestmark = NEEDS_CHROMIUM

# The largest difference of what the page computes from what Keras does, over the layers.
COMPARE = """([described, pictures, expected, shape]) => {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const floats = (text) => new Float32Array(bytes(text).buffer);
  const all = floats(pictures), known = expected.map(floats);
  const network = new inkdigit.Network(described);
  const most = known.map(() => 0);
  const size = shape[0] * shape[1];
  for (let digit = 0; digit * size < all.length; digit++) {
    const values = all.subarray(size * digit, size * (digit + 1));
    network.run({ shape, values }).forEach(({ values: found }, layer) => {
      const from = digit * found.length;
      for (let at = 0; at < found.length; at++) {
        most[layer] = Math.max(most[layer], Math.abs(found[at] - known[layer][from + at]));
      }
    });
  }
  return most;
}"""
EXPLAIN = """([values]) => {
  const [network] = inkdigit.networks, all = Object.entries(inkdigit.explanations);
  const digit = { shape: [28, 28, 1], values: Float32Array.from(values) };
  const maps = network.run(digit), last = maps.at(-1).values;
  const explain = ({ of }) => [...of(network, maps, digit, last.indexOf(Math.max(...last)))];
  return Object.fromEntries(all.map(([name, how]) => [name, explain(how)]));
}"""
ON_CANVAS = """async ([png, made]) => {
  const image = Object.assign(new Image(), { src: `data:image/png;base64,${png}` });
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width, image.height];
  canvas.getContext("2d").drawImage(image, 0, 0);
  const { shape, values } = inkdigit[made](canvas);
  return [shape, [...values]];
}"""


@pytest.fixture
def visit(browser: Browser) -> Iterator[Open]:
    """Opens a page from the disk; afterwards it has asked nobody and complained of nothing."""
    with visiting(browser) as open_page:

        def visit(page: Path, **how: Any) -> Page:
            return open_page(f"file://{page.parent}", f"/{page.name}", **how)

        yield visit


@pytest.fixture(scope="module")
def hundred(small: Dataset) -> Dataset:
    """A hundred digits to look at."""
    return Dataset("sample", small.train, small.test.at(np.arange(100) * 3))


@pytest.fixture(scope="module")
def page_of_run(trained: Run, hundred: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return explain(trained, tmp_path_factory.mktemp("explained") / "page.html", hundred)


@pytest.fixture(scope="module")
def page_of_lines(hundred: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return explain(LINE_MODEL, tmp_path_factory.mktemp("lines") / "page.html", hundred)


def with_statistics(model: Any) -> Any:
    """Let normalisation have measured something."""
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return model


def mixed() -> Any:
    """Every layer and activation that our own networks do not have."""
    digit = keras.Input((28, 28, 1))
    x = layers.Rescaling(2.0, offset=-1.0)(digit)
    x = layers.Conv2D(8, 3, strides=(2, 1), padding="same", activation="silu")(x)
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", activation="elu")(x)
    x = layers.Conv2D(16, 3, groups=4, padding="same", activation="leaky_relu")(x)
    y = layers.AveragePooling2D(3, strides=2, padding="same")(x)
    z = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    x = layers.Average()([layers.Add()([y + z, z]), layers.Activation("softplus")(y)])
    x = layers.BatchNormalization(scale=False)(layers.ELU(0.7)(layers.LeakyReLU(0.1)(x)))
    x = keras.Sequential([layers.GlobalMaxPooling2D(keepdims=True), layers.Reshape((4, 4))])(x)
    x = layers.Dense(5, activation="sigmoid")(layers.Dropout(0.5)(x))
    return keras.Model(digit, layers.Softmax()(layers.Dense(10)(layers.Flatten()(x))))


def outputs_of(network: Network, pictures: Any) -> list[Any]:
    """What each layer gives for pictures, as Keras has it."""
    probe = keras.Model(network.picture, [step.output for step in network.steps])
    return probe.predict_on_batch(pictures)


def encoded(values: Any) -> str:
    return base64.b64encode(np.ascontiguousarray(values, np.float32).tobytes()).decode()


@pytest.mark.parametrize(
    "name", ["lenet5", "classic", "modern", "fast", "small-8k", "best", "mixed"]
)
def test_every_number_is_that_of_keras(
    visit: Open, page_of_run: Path, hundred: Dataset, name: str
) -> None:
    model = with_statistics(mixed() if name == "mixed" else build_network(name))
    assert_alike(visit(page_of_run), Network.of(model), to_pixels(hundred.test.images))


def test_a_line_of_any_width_is_computed_as_keras_does(visit: Open, page_of_run: Path) -> None:
    page, network = visit(page_of_run), Network.of(with_statistics(build_network("line")))
    for width in (16, 91):
        lines = np.random.default_rng(width).random((1, 32, width, 1), np.float32)
        assert_alike(page, network, lines)


def assert_alike(page: Page, network: Network, pictures: Any) -> None:
    outputs = outputs_of(network, pictures)
    known = network.to_dict(), encoded(pictures), list(map(encoded, outputs))
    found = page.evaluate(COMPARE, [*known, list(pictures.shape[1:])])
    assert len(found) == len(network.steps)
    assert not network.missing
    assert max(found) < 1e-4
    # What is expected is no constant.
    assert all(np.ptp(values) > 1e-3 for values in outputs)


def test_explanations_are_those_that_were_tested(
    visit: Open, page_of_run: Path, trained: Run, hundred: Dataset
) -> None:
    page = visit(page_of_run)
    pictures = to_pixels(hundred.test.images[::40])
    model = keras.models.load_model(trained.folder / "model.keras")
    chosen = model.predict(pictures, verbose=0).argmax(axis=1)
    for number, picture in enumerate(pictures):
        found = page.evaluate(EXPLAIN, [picture.ravel().tolist()])
        assert found.keys() == attribution.EXPLANATIONS.keys()
        for name, how in attribution.EXPLANATIONS.items():
            some = slice(number, number + 1)
            known = how(model, pictures[some], chosen[some]).ravel()
            np.testing.assert_allclose(found[name], known, atol=1e-3 * np.abs(known).max())


def on_canvas(page: Page, picture: Image.Image, made: str) -> Any:
    """What the page makes of a picture."""
    stream = base64.b64encode(as_file(picture)).decode()
    shape, values = page.evaluate(ON_CANVAS, [stream, made])
    return np.reshape(values, shape[:2])


def test_a_line_is_shown_to_the_network_as_the_reader_would(visit: Open, page_of_run: Path) -> None:
    page = visit(page_of_run)
    for text in ("407", "81", "123456789"):
        picture = drawn(text, 75)
        wanted = extract_line(np.asarray(picture))
        assert wanted
        found = on_canvas(page, picture, "lineOn")
        pixels = pad([wanted.pixels], WIDTH_MULTIPLE)[0]
        assert found.shape == pixels.shape
        assert np.abs(found - pixels / 255).max() < 0.02


def test_a_line_is_read_frame_by_frame_and_by_both_networks(
    visit: Open, page_of_lines: Path
) -> None:
    """The steps of CTC, beside the frames as the model file gives them."""
    page = visit(page_of_lines)
    file = page.locator("#file")
    file.set_input_files({"name": "4077.png", "mimeType": "image/png", "buffer": png("4077", 75)})
    expect(page.locator("#seen-caption")).to_contain_text("4077.png")
    line = extract_line(np.asarray(drawn("4077", 75)))
    model = LineModel.load(LINE_MODEL)
    assert line
    for number, frames in enumerate((model.frames, model.others["fallback"])):
        likeliest = frames(pad([line.pixels], WIDTH_MULTIPLE))[0].argmax(axis=1)
        letters = [(*LINE_ALPHABET, "·")[at] for at in likeliest]
        merged = [letter for letter, _ in groupby(letters)]
        kept = [letter for letter in merged if letter != "·"]
        card = page.locator(".frames").nth(number)
        expect(card.locator("h2")).to_have_text("".join(kept))
        steps = [" ".join(each) for each in (letters, merged, kept)]
        expect(card.locator("code")).to_have_text(steps)
    table = page.get_by_role("slider", name="Frames of line.onnx").first
    table.press("ArrowRight")
    expect(page.locator(".frames .value").first).to_contain_text("Frame 2 of")
    expect(page.locator("#why")).to_be_hidden()


def draw(page: Page, digit: str) -> None:
    box = page.locator("#pad").bounding_box()
    assert box
    for stroke in strokes_of(digit, box["x"] + 90, box["y"] + 60, 190):
        page.mouse.move(*stroke[0])
        page.mouse.down()
        for point in stroke[1:]:
            page.mouse.move(*point)
        page.mouse.up()


def test_a_drawn_digit_is_shown_to_the_network_as_the_reader_would(
    visit: Open, page_of_run: Path
) -> None:
    page = visit(page_of_run)
    for digit in "0123456789":
        picture = drawn(digit, 75)
        found = on_canvas(page, picture, "digitOn")
        wanted = normalise(np.asarray(picture)) / 255
        # A centre of mass between two pixels may go either way.
        near = [np.roll(found, shift, (0, 1)) for shift in np.ndindex(2, 2)]
        near += [np.roll(found, (-down, -right), (0, 1)) for down, right in np.ndindex(2, 2)]
        assert min(np.abs(each - wanted).max() for each in near) < 0.02, digit


def test_what_is_drawn_is_read_at_once_and_explained(
    visit: Open, page_of_run: Path, trained: Run
) -> None:
    page = visit(page_of_run)
    draw(page, "4")
    said = page.locator("#answers h2")
    expect(page.locator("#seen-caption")).to_contain_text("What you drew")
    expect(page.locator("#spoken")).to_contain_text("run says")
    values = page.evaluate("[...inkdigit.digitOn(inkdigit.pad.picture()).values]")
    digit = np.rint(255 * np.reshape(values, (1, 28, 28))).astype(np.uint8)
    (probabilities,) = DigitClassifier.load(trained.folder / "model.keras").probabilities(digit)
    expect(said).to_contain_text(f"{probabilities.argmax()}, {100 * probabilities.max():.1f} %")
    bars = page.locator("#answers .bars b")
    shown = [float(text.removesuffix(" %")) for text in bars.all_inner_texts()]
    np.testing.assert_allclose(shown, 100 * probabilities, atol=0.06)
    expect(page.locator("#reasons .trio figure")).to_have_count(3)
    expect(page.locator("#reasons .thumbnail")).to_have_count(8)


def test_from_a_layer_to_a_map_to_a_number_with_the_keyboard(
    visit: Open, page_of_run: Path, trained: Run, hundred: Dataset
) -> None:
    """Its products, bias and activation are Keras's."""
    page = visit(page_of_run)
    maps = page.locator("#layers .layer canvas")
    maps.nth(2).focus()
    for key in ("Home", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    expect(maps.nth(2)).to_have_attribute("aria-valuetext", "Map 3 of 16")
    expect(page.locator("#detail h3")).to_have_text("C3, map 3")
    page.locator("#detail canvas[role=application]").focus()
    for key in ["ArrowUp", "ArrowLeft"] * 10 + ["ArrowDown", "ArrowRight", "ArrowRight"]:
        page.keyboard.press(key)
    value = page.locator("#detail .value")
    expect(value).to_contain_text("Row 2, column 3: ")
    first = to_pixels(hundred.test.images[chosen_of(trained, hundred)[:1]])
    network = Network.of(load_digit_model(trained.folder / "model.keras"))
    outputs = outputs_of(network, first)
    assert number_in(value) == pytest.approx(outputs[2][0, 1, 2, 2], abs=1e-4)
    window, layer = outputs[1][0, 1:6, 2:7], network.steps[2].layer
    parts = (window[..., None] * np.asarray(layer.kernel)).sum(axis=(0, 1))[:, 2]
    strongest = np.abs(parts).argmax()
    rows = page.locator("#detail .sums > table tr")
    wanted = parts[strongest], parts.sum(), np.asarray(layer.bias)[2]
    for row, known in zip(rows.all(), (*wanted, wanted[1] + wanted[2]), strict=False):
        assert number_in(row.locator("td")) == pytest.approx(known, abs=1e-4)
    expect(rows.nth(0)).to_contain_text(f"map {strongest + 1} adds")


def chosen_of(run: Run, dataset: Dataset) -> Any:
    answers = DigitClassifier.load(run.folder / "model.keras").probabilities(dataset.test.images)
    sample, _ = chosen_digits([Evaluation(dataset.test.labels, answers)], len(dataset.test))
    return sample


def number_in(place: Locator) -> float:
    return float(place.inner_text().split()[-1].replace("−", "-"))


def test_a_number_of_the_confusion_matrix_opens_its_pictures(
    visit: Open, page_of_run: Path, trained: Run, hundred: Dataset
) -> None:
    page = visit(page_of_run)
    read = DigitClassifier.load(trained.folder / "model.keras").predict(hundred.test.images)
    labels = hundred.test.labels
    digit, as_what = next(zip(labels[read != labels], read[read != labels], strict=True))
    times = int(((labels == digit) & (read == as_what)).sum())
    button = page.get_by_role("button", name=f"{digit} read as {as_what}, {times} times")
    button.press("Enter")
    pictures = page.locator("#mistakes button.digit")
    expect(pictures).to_have_count(times)
    pictures.first.click()
    expect(page.locator("#seen-caption")).to_contain_text(f"a {digit},")
    expect(page.locator("#answers h2")).to_contain_text(f"{as_what}, ")


def test_an_answer_is_broken_and_how_far_that_was(visit: Open, page_of_run: Path) -> None:
    page = visit(page_of_run)
    page.get_by_role("button", name="Break it").click()
    expect(page.get_by_role("button", name="Break it")).to_be_enabled()
    tried = page.locator(".broken figcaption")
    expect(tried).to_have_count(4)
    before = page.locator("#answers h2").inner_text().split(",")[0]
    for text in tried.all_inner_texts():
        assert text.endswith("does not change it") or text[-1] != before
    assert any("it says" in text for text in tried.all_inner_texts())


def test_two_networks_stand_side_by_side_and_names_are_text(
    visit: Open, trained: Run, hundred: Dataset, tmp_path: Path
) -> None:
    folder = tmp_path / "<img src=x onerror=alert(1)>"
    shutil.copytree(trained.folder, folder)
    page = visit(explain([trained, folder], tmp_path / "two.html", hundred))
    for place in ("#answers .name", "#columns h3", "#reasons h3", "#mistakes h3"):
        expect(page.locator(place)).to_have_text([trained.folder.name, folder.name])
    expect(page.locator("#answers .bars li")).to_have_count(20)
    assert page.locator("img[src=x]").count() == 0


def test_what_cannot_be_computed_is_said_and_the_rest_shown(
    visit: Open, hundred: Dataset, tmp_path: Path
) -> None:
    def saved(name: str, *first: Any) -> None:
        last = layers.UpSampling2D(), layers.Flatten(), layers.Dense(10, activation="softmax")
        keras.Sequential([keras.Input((28, 28, 1)), *first, *last]).save(tmp_path / name)

    saved("own.keras", layers.Conv2D(4, 3))
    page = visit(explain(tmp_path / "own.keras", tmp_path / "page.html", hundred))
    expect(page.locator("#columns .notice")).to_contain_text("UpSampling2D, cannot be computed")
    expect(page.locator("#columns .layer canvas")).to_have_count(1)
    expect(page.locator("#answers h2")).to_have_text("The answer cannot be computed here")
    expect(page.locator("#mistakes .confusion")).to_be_visible()
    expect(page.locator("#mistakes .plane figcaption")).to_contain_text(
        "alike in what can be computed last lie close"
    )
    expect(page.get_by_role("link", name="Mistakes")).to_be_visible()
    expect(page.locator("nav a[href='#why']")).to_be_hidden()
    saved("none.keras")
    page = visit(explain(tmp_path / "none.keras", tmp_path / "none.html", hundred))
    expect(page.locator("#columns .notice")).to_contain_text("nothing after it is shown")
    expect(page.locator("#detail")).to_be_hidden()
    expect(page.locator("#why")).to_be_hidden()


def test_a_picture_can_be_dropped_and_what_is_none_is_said(visit: Open, page_of_run: Path) -> None:
    page = visit(page_of_run)
    file = page.locator("#file")
    file.set_input_files({"name": "seven.png", "mimeType": "image/png", "buffer": png("7")})
    expect(page.locator("#seen-caption")).to_contain_text("seven.png")
    file.set_input_files({"name": "none.png", "mimeType": "image/png", "buffer": b"no picture"})
    expect(page.locator("#seen-caption")).to_contain_text("no picture that the browser can open")
    file.set_input_files({"name": "blank.png", "mimeType": "image/png", "buffer": png("")})
    expect(page.locator("#seen-caption")).to_contain_text("nothing on this picture")
    assert file.evaluate("file => file.value") == ""  # the same one can be chosen again


def test_a_blank_paper_has_no_answer(visit: Open, page_of_run: Path) -> None:
    page = visit(page_of_run)
    said, pad = page.locator("#answers h2"), page.locator("#pad")
    pad.press("Delete")  # which takes no test digit away
    expect(said).to_be_visible()
    draw(page, "4")
    expect(page.locator("#spoken")).to_contain_text("run says")
    pad.press("Delete")
    expect(page.locator("#seen-caption")).to_have_text("The paper is blank")
    for shown in (said, page.locator("#seen"), page.locator("#reasons .trio")):
        expect(shown).to_be_hidden()
    expect(page.locator("#spoken")).to_have_text("The paper is blank")
    draw(page, "4")
    expect(said).to_be_visible()
    expect(page.locator("#seen-caption")).to_contain_text("What you drew")


def test_the_digits_on_the_plane_are_reached_by_the_keyboard(
    visit: Open, page_of_run: Path
) -> None:
    page = visit(page_of_run)
    plane = page.locator("#mistakes .plane svg").first
    expect(plane).to_have_attribute("aria-valuemax", "100")
    plane.focus()
    places = []
    for key in ("Home", "ArrowRight", "ArrowRight", "ArrowLeft", "End", "ArrowRight"):
        page.keyboard.press(key)
        places.append(float(plane.locator(".at").get_attribute("x") or "nan"))
    assert places[0] <= places[1] == places[3] <= places[2] <= places[4] == places[5]
    title = plane.locator(".at title").text_content()
    assert title
    expect(plane).to_have_attribute("aria-valuetext", title)
    page.keyboard.press("Enter")
    expect(page.locator("#seen-caption")).to_contain_text(f"a {title[0]},")
    assert_accessible(page)


def test_all_that_is_on_the_page_is_printed(visit: Open, page_of_run: Path, trained: Run) -> None:
    page = visit(page_of_run, viewport={"width": 600, "height": 800})
    button = page.locator("#mistakes .confusion .wrong button").first
    button.click()
    expect(page.locator("#mistakes button.digit")).to_have_count(int(button.inner_text()))
    page.emulate_media(media="print")
    for shown in (button, page.locator("#mistakes button.digit").first):
        expect(shown).to_be_visible()
    for hidden in ("#pad", "nav", "#detail > button", ".reasons > button"):
        expect(page.locator(hidden)).to_be_hidden()
    with closing(PdfDocument(page.pdf())) as document:
        texts = [each.get_textpage().get_text_bounded() for each in document]
    assert "= products" in "".join(texts)
    # No page is left nearly blank before the matrix, which is longer than one.
    (before,) = [at for at, text in enumerate(texts) if "Where it fails" in text]
    assert len(texts[before].split()) > 80


@pytest.fixture(scope="module")
def filmed(small: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that kept snapshots."""
    folder = tmp_path_factory.mktemp("filmed") / "run"
    return learning.train(small, network="lenet5", epochs=2, out=folder, snapshots=True)


def test_what_learning_did_is_a_film(
    visit: Open, filmed: Run, hundred: Dataset, small: Dataset, tmp_path: Path
) -> None:
    """Its last picture is what Keras has in the end, and the first is of before."""
    page = visit(explain(filmed, tmp_path / "film.html", hundred))
    slider, words = page.get_by_role("slider", name="Epoch of run"), page.locator(".film output")
    last = filmed.history[-1]
    expect(words).to_contain_text(f"After epoch 2: loss {last['validation_loss']:.3f}")
    (_, first) = np.unique(small.test.labels, return_index=True)
    answers = DigitClassifier.load(filmed.folder / "model.keras").probabilities(
        small.test.images[first]
    )
    said = page.locator(".film .ten figcaption").all_inner_texts()
    for text, answer in zip(said, answers, strict=True):
        assert text[2] == str(answer.argmax())
        assert float(text.split("·")[1].removesuffix("%")) == pytest.approx(
            100 * answer.max(), abs=0.15
        )
    kept = read_snapshots(filmed.folder / SNAPSHOTS)
    kernel = keras.models.load_model(filmed.folder / "model.keras").layers[0].kernel
    np.testing.assert_allclose(kept["filters"][-1], np.asarray(kernel)[:, :, 0], atol=1e-3)
    # The plane: the distances of principal components, by another route.
    features = Network.of(load_digit_model(filmed.folder / "model.keras")).features
    many = np.sort(np.random.default_rng(0).permutation(len(small.test))[:200])
    seen = features.predict_on_batch(to_pixels(small.test.images[many])).reshape(len(many), -1)
    wanted, found = PCA(2).fit_transform(seen), kept["points"][-1].astype(float)
    ratio = pdist(found) / pdist(wanted)
    assert ratio.std() / ratio.mean() < 0.02
    for caption in page.locator(".film .ten figcaption").all():
        caption.evaluate("caption => { caption.textContent = '✗ 3 · 99.951\u00a0%' }")
        assert caption.evaluate("caption => caption.scrollWidth <= caption.clientWidth")
    expect(page.locator(".film .filters canvas")).to_have_count(kept["filters"].shape[-1])
    slider.press("Home")
    expect(words).to_contain_text("Before the first epoch")
    assert page.locator(".film .ten figcaption").all_inner_texts() != said
    page.get_by_role("button", name="Play").press("Enter")
    expect(words).to_contain_text("After epoch 2")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    assert_accessible(page)


def test_without_snapshots_there_is_no_film_and_damaged_ones_are_said(
    visit: Open, page_of_run: Path, filmed: Run, hundred: Dataset, tmp_path: Path
) -> None:
    expect(visit(page_of_run).locator("#learned")).to_be_hidden()
    shutil.copytree(filmed.folder, tmp_path / "run")
    (tmp_path / "run" / SNAPSHOTS).write_bytes(b"no archive")
    with pytest.raises(RunError, match="no usable snapshots"):
        explain(tmp_path / "run", tmp_path / "none.html", hundred)


def test_each_network_has_the_digits_that_it_learnt_from(
    visit: Open, filmed: Run, small: Dataset, tmp_path: Path
) -> None:
    ones = small.train.at(np.flatnonzero(small.train.labels < 5))
    write_folder(tmp_path / "few", ones)
    how: dict[str, Any] = {"network": "lenet5", "epochs": 1, "out": tmp_path / "few-run"}
    few = learning.train(f"folder:{tmp_path / 'few'}", **how)
    page = visit(explain([filmed, few], tmp_path / "two.html"))
    nearest = page.locator("#reasons .card").nth(1).locator(".row").first.locator("figcaption")
    expect(nearest).to_have_count(8)
    assert {int(text[0]) for text in nearest.all_inner_texts()} <= {0, 1, 2, 3, 4}
    expect(page.locator("#reasons .card").nth(1)).to_contain_text("training digits of folder:few")
    expect(page.locator("#reasons .card").first).to_contain_text("training digits of sample")


def write_folder(folder: Path, digits: Any) -> None:
    """Write a hundred digits of each class as pictures, in a folder for each."""
    for number, (image, label) in enumerate(zip(digits.images, digits.labels, strict=True)):
        path = folder / str(label) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)


def test_on_a_phone_the_chosen_number_is_folded_until_asked(visit: Open, page_of_run: Path) -> None:
    page = visit(page_of_run, viewport={"width": 390, "height": 800}, has_touch=True)
    maps, detail = page.locator("#layers .layer canvas"), page.locator("#detail")
    maps.nth(2).tap(position={"x": 5, "y": 5})
    expect(detail.locator("h3")).to_have_text("C3, map 1")
    expect(detail.locator(".value")).to_be_hidden()
    folded = detail.bounding_box()
    assert folded
    assert folded["height"] < 80
    detail.locator("summary").tap()
    expect(detail.locator(".value")).to_be_visible()


def test_the_plane_shows_a_fair_sample_and_the_matrix_more_mistakes(
    visit: Open, trained: Run, small: Dataset, tmp_path: Path
) -> None:
    page = visit(explain(trained, tmp_path / "page.html", small))
    labels, answers = small.test.labels, DigitClassifier.load(trained.folder / "model.keras")
    wrong = answers.predict(small.test.images) != labels
    evaluation = Evaluation(labels, answers.probabilities(small.test.images))
    sample, more = chosen_digits([evaluation], len(labels))
    plane = page.locator("#mistakes .plane").first
    expect(plane.locator("text")).to_have_count(len(sample))
    expect(plane.locator("text.wrong")).to_have_count(int(wrong[sample].sum()))
    told = page.locator("#mistakes .card > p").first
    expect(told).to_contain_text(f"on the plane, {wrong[sample].sum()} read wrong.")
    if len(more):
        expect(told).to_contain_text(f"The matrix opens {len(more)} more mistakes.")


@pytest.mark.parametrize("how", [{"viewport": {"width": 360, "height": 700}}, {}])
def test_nothing_sticks_out(visit: Open, page_of_run: Path, how: dict[str, Any]) -> None:
    page = visit(page_of_run, **how)
    expect(page.locator("#mistakes .card")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
