"""Batched augmentation against one image at a time."""

from __future__ import annotations

import torch

from nas_ray.training import augment


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def test_mirror_mirrors_about_half() -> None:
    images = torch.arange(200 * 2 * 3 * 4).reshape(200, 2, 3, 4)
    mirrored = augment.mirror(images, generator())
    kept = [torch.equal(new, old) for new, old in zip(mirrored, images, strict=True)]
    turned = [torch.equal(new, old.flip(-1)) for new, old in zip(mirrored, images, strict=True)]
    assert all(one != other for one, other in zip(kept, turned, strict=True))
    assert 70 < sum(turned) < 130


def test_shift_cuts_a_part_of_the_padded_image() -> None:
    images = 1 + torch.arange(60 * 3 * 5 * 4).reshape(60, 3, 5, 4)
    shifted = augment.shift(images, 2, generator())
    moves = set()
    for new, old in zip(shifted, images, strict=True):
        padded = torch.nn.functional.pad(old, (2, 2, 2, 2))
        fits = [
            (y, x) for y in range(5) for x in range(5) if torch.equal(padded[:, y : y + 5, x : x + 4], new)
        ]
        assert len(fits) == 1
        moves.add(fits[0])
    assert {y for y, _ in moves} == {x for _, x in moves} == set(range(5))  # both ends are reached


def test_cutout_is_one_square_around_any_pixel() -> None:
    images = torch.ones(200, 3, 6, 6)
    cut = augment.cutout(images, 4, generator())
    holes = cut[:, 0] == 0
    assert torch.equal(holes, cut[:, 2] == 0)
    for hole in holes:
        rows, columns = hole.any(1), hole.any(0)
        assert torch.equal(hole, rows[:, None] & columns[None])  # a rectangle
        assert 2 <= rows.sum() <= 4 and 2 <= columns.sum() <= 4  # noqa: PT018 - both sides alike
    assert {int(hole.sum()) for hole in holes} == {4, 6, 8, 9, 12, 16}


def test_a_policy_leaves_the_global_state_alone() -> None:
    images = torch.randint(0, 256, (6, 3, 8, 8), dtype=torch.uint8, generator=generator())
    before = torch.get_rng_state()
    for name in ("cifar10", "imagenet", "randaugment", "trivial"):
        chosen = augment.policy(name)
        first, again = (augment.by_policy(images, chosen, 5) for _ in range(2))
        assert torch.equal(first, again)
        assert first.shape == images.shape
        assert first.dtype == torch.uint8
    assert not torch.equal(first, images)
    assert torch.equal(torch.get_rng_state(), before)
