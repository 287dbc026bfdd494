"""Splits, kept images and the batches of an epoch."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest
import torch

from nas_ray.errors import UsageError
from nas_ray.images.image_data import ImageDataModule
from nas_ray.images.splits import ArrayPixels, ChannelStats, NetImages, Split
from nas_ray.training.recipes import RECIPES, Recipe
from nas_ray.training.training_data import (
    VALID_BATCH,
    EpochSampler,
    KeptImages,
    balancing_weights,
    smallest_batch,
    split_indices,
    training_loader,
    validation_loader,
)

LABELS = np.repeat([0, 1, 2], [50, 30, 5]).astype(np.int64)


def test_every_class_gives_the_same_share() -> None:
    train, valid = split_indices(LABELS, Recipe(valid_fraction=0.2))
    assert set(train) | set(valid) == set(range(85))
    assert not set(train) & set(valid)
    assert Counter(LABELS[valid].tolist()) == {0: 10, 1: 6, 2: 1}
    again, _ = split_indices(LABELS, Recipe(valid_fraction=0.2))
    other, _ = split_indices(LABELS, Recipe(valid_fraction=0.2), seed=1)
    assert again.tolist() == train.tolist() != other.tolist()


def test_a_share_of_the_training_images() -> None:
    half, valid = split_indices(LABELS, Recipe(valid_fraction=0.2, data_fraction=0.5))
    assert (len(half), len(valid)) == (34, 17)
    balanced, _ = split_indices(LABELS, Recipe(valid_fraction=0.2, data_fraction=0.1, balanced=True))
    assert Counter(LABELS[balanced].tolist()) == {0: 2, 1: 2, 2: 2}
    rarest, _ = split_indices(LABELS, Recipe(valid_fraction=0.2, balanced=True))
    assert Counter(LABELS[rarest].tolist()) == {0: 4, 1: 4, 2: 4}
    everything, none = split_indices(LABELS, Recipe(valid_fraction=0))
    assert (len(everything), len(none)) == (85, 0)


def test_too_few_images_are_told() -> None:
    with pytest.raises(UsageError, match="1 and 0 are left"):
        split_indices(np.zeros(1, dtype=np.int64), Recipe())


def images(count: int = 10, size: int = 8, level: int | None = None) -> NetImages:
    pixels = np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8)
    if level is not None:
        pixels[:] = level
    stats = ChannelStats((0.5, 0.4, 0.3), (0.25, 0.5, 0.2))
    return NetImages(Split(ArrayPixels(pixels), np.arange(count, dtype=np.int64) % 3), size, stats)


def test_what_is_held_out_is_not_trained_on_but_for_the_fault_of_the_released_code() -> None:
    labels = np.repeat(np.arange(4), 25)
    honest = Recipe(valid_fraction=0.2, data_fraction=0.5)
    faulty = dataclasses.replace(honest, valid_on_training_images=True)
    train, valid = split_indices(labels, honest, 3)
    same, seen = split_indices(labels, faulty, 3)
    assert not {*train} & {*valid}
    assert same.tolist() == train.tolist()
    assert {*seen} < {*train}
    assert len({*seen}) == len(seen) == len(valid) == 20
    assert "valid_on_training_images" in faulty.written()
    assert "valid_on_training_images" not in honest.written()  # as recipes were told apart before


def test_batches_without_augmentation_are_the_images() -> None:
    source = images()
    kept = KeptImages(source, np.array([7, 2, 4]))
    inputs, targets = next(iter(validation_loader(kept)))
    wanted = torch.stack([source[index][0] for index in (7, 2, 4)])
    torch.testing.assert_close(inputs, wanted, atol=1e-5, rtol=0)
    assert targets.tolist() == [1, 2, 1]


def test_images_that_do_not_fit_are_decoded_when_needed() -> None:
    source, recipe = images(), RECIPES["nats-12"]
    every = np.arange(10)
    held, lazy = (KeptImages(source, every, recipe, most_bytes=size) for size in (10**6, 10))
    assert (held.keeps, lazy.keeps) == (True, False)
    for one, other in zip(training_loader(held, recipe, 4), training_loader(lazy, recipe, 4), strict=True):
        assert torch.equal(one[0], other[0])


def test_what_comes_in_is_black() -> None:
    recipe = dataclasses.replace(RECIPES["nats-12"], flip=False)
    inputs, _ = next(iter(training_loader(KeptImages(images(level=255), np.arange(10), recipe), recipe, 0)))
    black, white = (
        torch.tensor([(v - m) / s for m, s in ((0.5, 0.25), (0.4, 0.5), (0.3, 0.2))]) for v in (0, 1)
    )
    pixels = inputs.permute(0, 2, 3, 1).reshape(-1, 3)
    is_black, is_white = ((pixels - colour).abs().amax(1) < 1e-5 for colour in (black, white))
    assert (is_black | is_white).all()
    assert is_black.any()


def test_an_epoch_is_a_function_of_seed_and_epoch() -> None:
    def order(sampler: EpochSampler, epoch: int = 0) -> list[list[int]]:
        sampler.set_epoch(epoch)
        return [draw.places.tolist() for draw in sampler]

    batches = order(EpochSampler(10, 4, seed=1))
    assert [len(batch) for batch in batches] == [4, 4, 2]
    assert sorted(place for batch in batches for place in batch) == list(range(10))
    assert order(EpochSampler(10, 4, seed=1), 3) == order(EpochSampler(10, 4, seed=1, first_epoch=3))
    assert order(EpochSampler(10, 4, seed=1), 1) != batches != order(EpochSampler(10, 4, seed=2))
    halves = [order(EpochSampler(9, 4, seed=1, rank=rank, world=2)) for rank in (0, 1)]
    assert [list(map(len, half)) for half in halves] == [[5], [5]]
    assert {place for half in halves for batch in half for place in batch} == set(range(9))


def sizes(count: int, batch_size: int, **options: int) -> list[int]:
    sampler = EpochSampler(count, batch_size, **options)
    batches = [len(draw.places) for draw in sampler]
    assert len(sampler) == len(batches)
    return batches


def test_a_single_image_that_is_left_joins_the_batch_before_it() -> None:
    assert sizes(9, 4) == [4, 5]
    assert sizes(5, 4) == [5]
    assert sizes(10, 4) == [4, 4, 2]  # more than one stays a batch
    assert sizes(8, 4) == [4, 4]
    assert sizes(3, 2) == [3]
    assert sizes(3, 1) == [1, 1, 1]  # as asked for
    assert sizes(1, 4) == [1]
    assert [sizes(18, 4, rank=rank, world=2) for rank in (0, 1)] == [[4, 5], [4, 5]]
    draws = list(EpochSampler(9, 4, seed=5))
    assert sorted(place for draw in draws for place in draw.places.tolist()) == list(range(9))
    validation = EpochSampler(VALID_BATCH + 1, VALID_BATCH, shuffle=False)
    assert [len(draw.places) for draw in validation] == [VALID_BATCH, 1]


def test_the_smallest_batch() -> None:
    recipe = Recipe(batch_size=4)
    assert smallest_batch(9, recipe) == 4
    assert smallest_batch(10, recipe) == 2
    assert smallest_batch(1, recipe) == 1
    assert smallest_batch(100, recipe, world=4) == 1


def test_weights_of_classes() -> None:
    weights = balancing_weights(LABELS, 4)
    assert weights[3] == 0
    totals = [weight * count for weight, count in zip(weights, (50, 30, 5), strict=False)]
    assert totals == pytest.approx([85 / 3] * 3)


def test_lightning_sets_the_epoch() -> None:
    import pytorch_lightning as pl

    seen: list[list[int]] = []

    class Watch(pl.LightningModule):
        def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> None:
            seen.append(batch[1].tolist())

        def configure_optimizers(self) -> None:
            return None

    recipe = Recipe(batch_size=64, flip=False, crop_padding=0)
    data = ImageDataModule("digits")
    kept = KeptImages(data.train_images, np.arange(64), recipe)
    from nas_ray.evaluation.short_training import quiet_trainer

    quiet_trainer("cpu", recipe, epochs=2).fit(Watch(), training_loader(kept, recipe, 0))
    later = [targets.tolist() for _, targets in training_loader(kept, recipe, 0, epoch=1)]
    assert len(seen) == 2
    assert seen[1] == later[0] != seen[0]
