"""What all images have in common that no architecture was tuned for."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from nas_ray import ImageDataModule
from nas_ray.errors import UsageError
from nas_ray.images.definition import Definition
from nas_ray.images.generated import KINDS, parse_generated
from nas_ray.images.image_args import absolute_images
from nas_ray.images.own_data import own_dataset
from nas_ray.images.sources import open_images
from nas_ray.images.spec import check_images
from nas_ray.images.splits import ArrayPixels, Split

CLASSES = {"add": 20, "mult": 10, "tile": 4, "language": 3, "sudoku": 9, "shapes": 7}
UNSEEN = sorted(set(KINDS) - {"pairs"})


def word_files(folder: Path) -> Path:
    """Writes three languages, each of the letters of its own, and returns their folder."""
    rng = np.random.default_rng(0)
    for name, letters in (("east", "abcdefgh"), ("north", "fghijklm"), ("west", "lmnopqrstuvwx")):
        words = ("".join(rng.choice(list(letters), 6)) for _ in range(60))
        (folder / f"{name}.txt").write_text("\n".join(words), encoding="utf-8")
    return folder


def spec_of(kind: str, folder: Path, *options: str) -> str:
    needed = [f"words={word_files(folder)}"] if kind == "language" else []
    return ",".join([f"generated:{kind}", *needed, *options])


def array(split: Split) -> np.ndarray:
    assert isinstance(split.pixels, ArrayPixels)
    return split.pixels.array


def opened(spec: str) -> tuple[Split, Split, tuple[str, ...]]:
    images = open_images(spec, own_dataset(spec)).images
    return images.train, images.test, images.classes


def test_all_of_them_are_here() -> None:
    assert set(CLASSES) == set(UNSEEN)


@pytest.mark.parametrize("kind", UNSEEN)
def test_an_image_depends_on_seed_and_number_alone(kind: str, tmp_path: Path) -> None:
    few, few_test, _ = opened(spec_of(kind, tmp_path, "train=10", "test=5"))
    many, many_test, _ = opened(spec_of(kind, tmp_path, "train=300", "test=40"))
    np.testing.assert_array_equal(array(few), array(many)[:10])
    np.testing.assert_array_equal(array(few_test), array(many_test)[:5])
    other, _, _ = opened(spec_of(kind, tmp_path, "train=10", "test=5", "seed=1"))
    assert (array(other) != array(few)).any((1, 2)).reshape(10, -1).any(1).all()
    assert (array(few)[:5] != array(few_test)).any((1, 2)).reshape(5, -1).any(1).all()


@pytest.mark.parametrize("kind", UNSEEN)
def test_classes_are_in_turn_and_no_image_is_there_twice(kind: str, tmp_path: Path) -> None:
    train, test, names = opened(spec_of(kind, tmp_path, "train=500", "test=200"))
    assert len(names) == len(set(names)) == CLASSES[kind]
    for split, count in ((train, 500), (test, 200)):
        assert split.labels.dtype == np.int64
        assert split.labels.tolist() == [place % CLASSES[kind] for place in range(count)]
    everything = [*array(train), *array(test)]
    assert len({image.tobytes() for image in everything}) == 700


@pytest.mark.parametrize("kind", UNSEEN)
def test_they_are_images_of_ones_own(kind: str, tmp_path: Path) -> None:
    spec = spec_of(kind, tmp_path, "train=40", "test=20")
    check_images(spec)
    data = ImageDataModule(spec, dataset="own", batch_size=8)
    definition = parse_generated(spec.partition(":")[2])
    size = definition.image_size
    assert data.minibatch()[0].shape == (8, 3, size, size)
    assert (data.num_classes, len(data.train_images), len(data.test_images)) == (CLASSES[kind], 40, 20)
    assert data.description.startswith(f"generated {definition}, 40 training images, {size}x{size}")
    assert data.copies is None
    assert ImageDataModule(data.source, dataset="own", batch_size=8).sha256 == data.sha256


def test_thousands_take_less_than_seconds(tmp_path: Path) -> None:
    specs = [spec_of(kind, tmp_path) for kind in UNSEEN]
    start = time.process_time()
    for spec in specs:
        opened(spec)
    assert time.process_time() - start < 10


def mean_lights(split: Split) -> np.ndarray:
    return array(split).reshape(len(split.labels), -1).mean(1, dtype=np.float64)


@pytest.mark.parametrize("kind", ["language", "sudoku"])
def test_all_images_are_equally_bright(kind: str, tmp_path: Path) -> None:
    train, test, _ = opened(spec_of(kind, tmp_path, "train=500"))
    assert len({*mean_lights(train), *mean_lights(test)}) == 1


@pytest.mark.parametrize("kind", ["shapes", "tile"])
def test_brightness_says_nothing_of_the_class(kind: str, tmp_path: Path) -> None:
    """One-way analysis of variance: the share of the variance that classes explain is that of chance."""
    train, _, _ = opened(spec_of(kind, tmp_path, "train=4200"))
    lights = mean_lights(train)
    means = np.array([lights[train.labels == label].mean() for label in range(CLASSES[kind])])
    share = np.square(means - lights.mean()).mean() / lights.var()
    assert share < 4 * (CLASSES[kind] - 1) / 4_200


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("add,images=cifar10", "images of generated:add must be digits, npz:PATH, or idx:FOLDER with the four"
         " files of MNIST, but 'cifar10' was given."),
        ("tile,images=mnist", "images of generated:tile must be digits, cifar10, cifar100, npz:PATH, or "
         "idx:FOLDER with the four files of MNIST, but 'mnist' was given."),
        ("tile,images=npz:", "images of generated:tile must be digits, cifar10, cifar100, npz:PATH, or "
         "idx:FOLDER with the four files of MNIST, but 'npz:' was given."),
        ("mult,size=15", "size of generated:mult must be 0, or a multiple of 4 from 8 to 64, but 15 was "
         "given."),
        ("tile,size=72", "size of generated:tile must be 0, or a multiple of 4 from 8 to 64, or of 16 up to "
         "128, but 72 was given."),
        ("add,train=200000", "train of generated:add must be from 2 to 100,000, but 200000 was given."),
        ("mult,seed=-1", "seed of generated:mult must be 0 or larger, but -1 was given."),
        ("language", "words of generated:language must be a folder with a file NAME.txt of each language, "
         "but '' was given."),
        ("sudoku,shown=8", "shown of generated:sudoku must be from 1 to 7, but 8 was given."),
        ("sudoku,size=9", "Unknown option of generated:sudoku 'size'. Did you mean 'seed'? Known: seed, "
         "shown, test, train."),
        ("shapes,size=20", "size of generated:shapes must be a multiple of 8 from 16 to 64, but 20 was "
         "given."),
        ("shapes,size=16,shapes=5", "shapes of generated:shapes must be from 1 to 4, as each has 8x8 pixels, "
         "but 5 was given; write shapes,size=16,shapes=4."),
        ("shapes,size=16,train=8", "shapes of generated:shapes must be from 1 to 4, as each has 8x8 pixels, "
         "but it is 6 where nothing is said; write shapes,train=8,size=16,shapes=4."),
        ("shapes,noise=2", "noise of generated:shapes must be from 0 to 1, but 2 was given."),
    ],
)  # fmt: skip
def test_a_wrong_definition_is_one_sentence(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_images(f"generated:{text}")
    assert str(caught.value) == message


def test_paths_are_looked_at_and_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        check_images("generated:add,images=npz:none.npz")
    assert str(caught.value) == (
        "images of generated:add must be of a path that exists, but 'npz:none.npz' was given."
    )
    given = {
        "add,images=npz:a.npz,seed=2": f"add,seed=2,images=npz:{tmp_path}/a.npz",
        "language,words=.": f"language,words={tmp_path}",
        "tile,images=digits,seed=0": "tile,images=digits,seed=0",
        "pairs,noise=0.05": "pairs,noise=0.05",
    }
    for text, absolute in given.items():
        assert absolute_images(f"generated:{text}") == f"generated:{absolute}"
        assert absolute_images(f"generated:{absolute}") == f"generated:{absolute}"
    (tmp_path / "a,b").mkdir()
    monkeypatch.chdir("a,b")
    with pytest.raises(UsageError) as caught:
        absolute_images("generated:language,words=.")
    assert str(caught.value).startswith(
        "words of generated:language must be a folder without a comma in its path, but '"
    )


def test_nets_for_too_few_classes_are_refused() -> None:
    with pytest.raises(UsageError) as caught:
        ImageDataModule("generated:add,size=32", batch_size=2)
    assert str(caught.value).startswith("Labels must lie in 0..9, the classes of dataset 'cifar10', but ")


def test_every_definition_says_what_the_base_asks_for() -> None:
    for kind, made in KINDS.items():
        assert issubclass(made, Definition)
        assert made.kind == kind
