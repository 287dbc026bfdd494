from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from nas_ray import ImageDataModule
from nas_ray.errors import UsageError
from nas_ray.images.generated import Pairs, parse_generated
from nas_ray.images.image_args import absolute_images
from nas_ray.images.pairs import LONG, SHORT, pair_images
from nas_ray.images.spec import check_images
from nas_ray.images.unseen.draws import TEST, TRAIN
from nas_ray.search.arguments import SearchArgs


def ends_by_span(image: np.ndarray) -> dict[int, list[tuple[int, int]]]:
    """Returns the signs of the two marked pixels of each row that has any, by how many pixels they span."""
    found: dict[int, list[tuple[int, int]]] = {}
    for row in np.sign(np.round(image - 0.5, 2)).astype(int):
        columns = np.flatnonzero(row)
        if len(columns):
            first, last = columns  # two, or this raises
            found.setdefault(int(last - first + 1), []).append((int(row[first]), int(row[last])))
    return found


@pytest.mark.parametrize(("size", "number"), [(16, 4), (12, 6), (8, 2)])
def test_the_long_pairs_tell_the_class_and_nothing_else_does(size: int, number: int) -> None:
    pairs = Pairs(shortcut=0.75, noise=0, size=size, pairs=number)
    images, labels = pair_images(pairs, TRAIN, 400)
    assert images.shape == (400, size, size)
    assert images.dtype == np.float32
    assert labels.tolist() == [0, 1] * 200
    right = []
    for image, label in zip(images, labels, strict=True):
        spans = ends_by_span(image)
        assert {span: len(of) for span, of in spans.items()} == {LONG: number, SHORT: number}
        assert all((first != last) == label for first, last in spans[LONG])
        said = {first != last for first, last in spans[SHORT]}
        assert len(said) == 1  # all of them together
        right.append(said == {bool(label)})
        for of in spans.values():  # half of the pairs begin bright, so that no count of pixels tells
            assert sum(first for first, _ in of) == 0
        assert (image > 0.6).sum() == (image < 0.4).sum() == 2 * number
    assert 0.75 - 0.07 < np.mean(right) < 0.75 + 0.07
    assert abs(np.mean(np.array(right)[::2]) - np.mean(np.array(right)[1::2])) < 0.15  # in both classes


@pytest.mark.parametrize(("shortcut", "share"), [(1.0, 1.0), (0.5, 0.5)])
def test_the_shortcut_is_right_as_often_as_asked(shortcut: float, share: float) -> None:
    images, labels = pair_images(Pairs(shortcut=shortcut, noise=0), TEST, 1_000)
    right = [
        ends_by_span(image)[SHORT][0][0] * ends_by_span(image)[SHORT][0][1] == (-1) ** label
        for image, label in zip(images, labels, strict=True)
    ]
    assert abs(np.mean(right) - share) <= (0.05 if share < 1 else 0)


def test_an_image_depends_on_seed_and_number_alone() -> None:
    few, _ = pair_images(Pairs(), TRAIN, 10)
    many, _ = pair_images(Pairs(train=5), TRAIN, 1_000)
    np.testing.assert_array_equal(few, many[:10])
    for other in (pair_images(Pairs(seed=1), TRAIN, 10), pair_images(Pairs(), TEST, 10)):
        assert not np.array_equal(few, other[0])
    stronger, _ = pair_images(Pairs(shortcut=0.9), TRAIN, 1_000)
    changed = np.mean([not np.array_equal(a, b) for a, b in zip(many, stronger, strict=True)])
    assert 0.05 < changed < 0.15  # in a tenth of the images the shortcut is right now, the rest is the same


def test_noise_has_the_deviation_that_is_asked_for() -> None:
    images, _ = pair_images(Pairs(noise=0.1), TRAIN, 100)
    clean, _ = pair_images(Pairs(noise=0), TRAIN, 100)
    assert (images - clean)[clean == 0.5].std() == pytest.approx(0.1, rel=0.02)
    assert (images.min(), images.max()) == (0, 1)


def test_they_are_images_of_ones_own() -> None:
    data = ImageDataModule("generated:pairs,size=12,train=40,test=6", dataset="own", batch_size=8)
    assert (data.num_classes, data.image_size, data.classes) == (2, 12, ("alike", "unlike"))
    assert (len(data.train_images), len(data.test_images)) == (40, 6)
    assert data.description == (
        "generated pairs,train=40,test=6,size=12, 40 training images, 12x12 grey repeated to 12x12x3"
    )
    inputs, targets = data.minibatch()
    assert inputs.shape == (8, 3, 12, 12)
    assert set(targets.tolist()) <= {0, 1}
    again = ImageDataModule(data.source, dataset="own", batch_size=8)
    assert again.sha256 == data.sha256
    assert torch.equal(again.minibatch()[0], inputs)


def test_a_search_takes_them_as_they_are() -> None:
    args = SearchArgs(images="generated:pairs,seed=2")
    assert args.dataset == "own"
    assert absolute_images(args.images) == args.images


@pytest.mark.parametrize("text", ["pairs", "pairs,shortcut=0.9,seed=3", "pairs,train=7,noise=0"])
def test_a_definition_is_written_as_it_is_read(text: str) -> None:
    assert str(parse_generated(text)) == text
    assert parse_generated(str(parse_generated(text))) == parse_generated(text)
    check_images(f"generated:{text}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "pears",
            "Unknown generated images 'pears'. Did you mean 'pairs'? Known: add, language, mult, pairs, "
            "shapes, sudoku, tile.",
        ),
        (
            "pairs,shortcuts=1",
            "Unknown option of generated:pairs 'shortcuts'. Did you mean 'shortcut'? Known: noise, pairs, "
            "seed, shortcut, size, test, train.",
        ),
        ("pairs,seed", "An option of generated:pairs must read NAME=VALUE, got 'seed'."),
        ("pairs,", "An option of generated:pairs must read NAME=VALUE, got ''."),
        ("pairs,seed=1,seed=2", "Each option of generated:pairs must be given once, got seed twice."),
        ("pairs,seed=1.5", "seed of generated:pairs must be a whole number, got '1.5'."),
        ("pairs,noise=nan", "noise of generated:pairs must be a number, got 'nan'."),
        ("pairs,shortcut=0.4", "shortcut of generated:pairs must be from 0.5 to 1, but 0.4 was given."),
        ("pairs,seed=-1", "seed of generated:pairs must be 0 or larger, but -1 was given."),
        ("pairs,train=1", "train of generated:pairs must be from 2 to 1,000,000, but 1 was given."),
        ("pairs,size=9", "size of generated:pairs must be a multiple of 4 from 8 to 64, but 9 was given."),
        (
            "pairs,size=8,pairs=6",
            "pairs of generated:pairs must be even and from 2 to 4, as each pair has a row, but 6 was given.",
        ),
        ("pairs,noise=2", "noise of generated:pairs must be from 0 to 1, but 2 was given."),
    ],
)
def test_a_wrong_definition_is_one_sentence(text: str, message: str) -> None:
    for refused in (parse_generated, lambda given: check_images(f"generated:{given}")):
        with pytest.raises(UsageError) as caught:
            refused(text)
        assert str(caught.value) == message


def test_the_definition_must_be_there_and_sizes_are_kept() -> None:
    for call in (check_images, lambda spec: ImageDataModule(spec, batch_size=2)):
        with pytest.raises(UsageError) as caught:
            call("generated:")
        assert str(caught.value) == (
            "Images 'generated' need a definition, as in generated:pairs, but 'generated:' was given."
        )
    for options in ({}, {"dataset": "own", "image_size": 32}):
        with pytest.raises(UsageError) as caught:
            ImageDataModule("generated:pairs", **options)  # type: ignore[arg-type]
        assert str(caught.value) == (
            "Images of 'generated:pairs' must be seen at their size, 16 pixels, or distances between pixels "
            "change, but nets for 32 pixels are asked for: leave --image-size and --dataset out."
        )


def accuracy(data: ImageDataModule, kernel: int) -> float:
    """Returns the test accuracy of a linear classifier of the mean of one convolution behind ReLU."""
    torch.manual_seed(0)
    convolution = nn.Conv2d(3, 8, kernel, padding=kernel // 2, bias=False)
    norm = nn.BatchNorm2d(8, affine=False, track_running_stats=False)
    linear = nn.Linear(8, 2)

    def logits(images: torch.Tensor) -> torch.Tensor:
        return linear(norm(convolution(images)).relu().mean((2, 3)) * data.image_size)

    parameters = [*convolution.parameters(), *linear.parameters()]
    optimiser = torch.optim.Adam(parameters, 0.02)
    train, test = (
        [torch.stack(column) for column in zip(*((x, torch.tensor(y)) for x, y in part), strict=True)]
        for part in (
            [data.train_images[i] for i in range(len(data.train_images))],
            [data.test_images[i] for i in range(len(data.test_images))],
        )
    )
    for step in range(200):
        some = slice(step * 32 % 800, step * 32 % 800 + 32)
        optimiser.zero_grad()
        nn.functional.cross_entropy(logits(train[0][some]), train[1][some]).backward()
        optimiser.step()
    with torch.no_grad():
        return (logits(test[0]).argmax(1) == test[1]).float().mean().item()


def test_five_pixels_are_right_three_as_often_as_the_shortcut_and_one_never() -> None:
    data = ImageDataModule(
        "generated:pairs,shortcut=0.8,size=12,train=832,test=500", dataset="own", batch_size=2
    )
    one, three, five = (accuracy(data, kernel) for kernel in (1, 3, 5))
    assert five > 0.96
    assert 0.7 < three < 0.85
    assert one < 0.6
