"""The two parts of the images of a one-shot search."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch

from nas_ray.errors import UsageError
from nas_ray.images.splits import ArrayPixels, ChannelStats, NetImages, Split
from nas_ray.training.recipes import Recipe
from nas_ray.training.search_set import SearchSet


def images(labels: list[int], size: int = 8, copies: int = 0) -> NetImages:
    pixels = np.random.default_rng(0).integers(0, 256, (len(labels), size, size, 3)).astype(np.uint8)
    pixels[len(labels) - copies :] = pixels[:copies]
    stats = ChannelStats((0.5, 0.4, 0.3), (0.25, 0.5, 0.2))
    return NetImages(Split(ArrayPixels(pixels), np.array(labels, dtype=np.int64)), size, stats)


def parts(labels: list[int], share: float = 0.5, **options: object) -> SearchSet:
    recipe = Recipe(batch_size=8, valid_fraction=1 - share, **options)  # type: ignore[arg-type]
    return SearchSet(images(labels), recipe)


CLASSES = [0] * 40 + [1] * 20 + [2] * 20
"""In the order of the classes, as many own images are."""


@pytest.mark.parametrize("share", [0.5, 0.75])
def test_parts_are_disjoint_and_have_their_share_of_every_class(share: float) -> None:
    made = parts(CLASSES, share)
    assert sorted([*made.weights_part, *made.arch_part]) == list(range(80))
    counts = Counter(np.array(CLASSES)[made.weights_part].tolist())
    assert counts == {0: 40 * share, 1: 20 * share, 2: 20 * share}
    assert made.weights_part[: int(40 * share)].tolist() != list(range(int(40 * share)))  # drawn, not cut


def test_the_split_is_a_function_of_its_seed() -> None:
    recipe, held = Recipe(batch_size=8, valid_fraction=0.5), images(CLASSES)
    one, same, other = (SearchSet(held, recipe, split_seed=seed) for seed in (1, 1, 2))
    assert one.fingerprint == same.fingerprint != other.fingerprint


def test_a_share_of_both_parts_is_used() -> None:
    made = parts(CLASSES, data_fraction=0.25)
    assert (len(made.weights_part), len(made.arch_part)) == (10, 10)
    assert not set(made.weights_part) & set(made.arch_part)


def test_every_step_has_a_batch_of_each_part() -> None:
    made = parts(CLASSES, 0.75, flip=False, crop_padding=0)
    steps = list(made.pairs(seed=3, epoch=1))
    assert len(steps) == len(made) == 8  # of 60 images, while the other part has 20
    by_image = {made.images[i][0].numpy().tobytes(): i for i in range(80)}
    first = [by_image[image.numpy().tobytes()] for (x, _), _ in steps for image in x]
    second = [by_image[image.numpy().tobytes()] for _, (x, _) in steps for image in x]
    assert sorted(first) == made.weights_part.tolist()
    assert Counter(second).most_common()[-1][1] >= 2  # several passes over the smaller part
    assert set(second) == set(made.arch_part.tolist())
    assert second[:20] != second[20:40]


def test_steps_are_a_function_of_seed_and_epoch() -> None:
    def drawn(seed: int, epoch: int) -> torch.Tensor:
        return torch.stack([torch.cat([a[0], b[0]]).sum() for a, b in parts(CLASSES).pairs(seed, epoch)])

    assert torch.equal(drawn(0, 0), drawn(0, 0))
    assert not torch.equal(drawn(0, 0), drawn(0, 1))
    assert not torch.equal(drawn(0, 0), drawn(1, 0))


def test_validation_is_not_augmented() -> None:
    made = parts(CLASSES)
    inputs, targets = next(iter(made.valid_batches()))
    expected = torch.stack([made.images[int(place)][0] for place in made.arch_part])
    torch.testing.assert_close(inputs, expected, atol=0.05, rtol=0)  # kept as 8-bit pixels
    assert targets.tolist() == [CLASSES[place] for place in made.arch_part]


def test_other_batches_are_of_the_same_images() -> None:
    made = parts(CLASSES)
    larger = made.in_batches(20)
    assert (len(made), len(larger)) == (5, 2)
    assert larger.fingerprint == made.fingerprint


def test_copies_in_both_parts_are_counted() -> None:
    recipe = Recipe(batch_size=8, valid_fraction=0.5)
    assert SearchSet(images(CLASSES), recipe).copies == 0
    labels = [0] * 20
    made = SearchSet(images(labels, copies=10), recipe)
    pairs = [(place, place + 10) for place in range(10)]
    weights = set(made.weights_part.tolist())
    assert made.copies == sum((one in weights) != (two in weights) for one, two in pairs) > 0


@pytest.mark.parametrize("labels", [[0], [0, 1], [0, 1, 2], [0, 0, 0]])
def test_too_few_images_are_told(labels: list[int]) -> None:
    with pytest.raises(UsageError, match=r"images (or more|to train on)"):
        parts(labels)
