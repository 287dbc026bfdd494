from __future__ import annotations

import hashlib
import pickle
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from nas_ray.errors import UsageError
from nas_ray.images.image_data import ImageDataModule
from nas_ray.images.splits import ArrayPixels, channel_stats, resize


@pytest.fixture
def own(tmp_path) -> Path:
    """Twelve training images, each of one constant colour that tells which it is."""
    path = tmp_path / "own.npz"
    x = np.repeat(np.arange(12, dtype=np.uint8) * 20, 32 * 32 * 3).reshape(12, 32, 32, 3)
    np.savez(path, x_train=x, y_train=np.arange(12) % 10, x_test=x[:5], y_test=np.arange(5))
    return path


def digest(data: ImageDataModule) -> str:
    inputs, targets = data.minibatch()
    return hashlib.sha256(inputs.numpy().tobytes() + targets.numpy().tobytes()).hexdigest()


def shown(inputs: torch.Tensor, data: ImageDataModule) -> list[int]:
    """Returns which training images of `own` a batch holds."""
    red = inputs[:, 0, 0, 0] * data.stats.std[0] + data.stats.mean[0]
    return [round(value * 255 / 20) for value in red.tolist()]


@pytest.mark.parametrize(
    ("dataset", "classes", "size"), [("cifar10", 10, 32), ("cifar100", 100, 32), ("ImageNet16-120", 120, 16)]
)
def test_minibatch_has_the_form_of_the_dataset(dataset, classes, size):
    data = ImageDataModule("digits", dataset=dataset, batch_size=7)
    inputs, targets = data.minibatch()
    assert (data.num_classes, data.image_size) == (classes, size)
    assert inputs.shape == (7, 3, size, size)
    assert inputs.dtype == torch.float32
    assert targets.shape == (7,)
    assert targets.dtype == torch.int64
    assert (data.source, data.note) == ("digits", None)


def test_minibatch_is_the_start_of_a_seeded_permutation(own):
    data = ImageDataModule(f"npz:{own}", batch_size=5, batch_seed=3)
    inputs, targets = data.minibatch()
    order = np.random.default_rng(3).permutation(12)[:5].tolist()
    assert shown(inputs, data) == order
    assert targets.tolist() == [i % 10 for i in order]


def test_equal_seeds_give_equal_minibatches_in_another_process_without_ray(own):
    code = (
        "import sys, hashlib\n"
        "from nas_ray.images.image_data import ImageDataModule\n"
        f"data = ImageDataModule({f'npz:{own}'!r}, batch_size=6, batch_seed=1)\n"
        "inputs, targets = data.minibatch()\n"
        "assert 'ray' not in sys.modules and 'sklearn' not in sys.modules\n"
        "print(hashlib.sha256(inputs.numpy().tobytes() + targets.numpy().tobytes()).hexdigest())\n"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    spec = f"npz:{own}"
    assert digest(ImageDataModule(spec, batch_size=6, batch_seed=1)) == other.strip()
    assert digest(ImageDataModule(spec, batch_size=6, batch_seed=2)) != other.strip()


def test_no_global_random_state_is_touched_or_read(own):
    def states() -> tuple[object, ...]:
        return random.getstate(), pickle.dumps(np.random.get_state()), torch.get_rng_state().tolist()  # noqa: NPY002

    before = states()
    data = ImageDataModule(f"npz:{own}", batch_size=4)
    data.minibatch()
    for loader in (data.train_dataloader(), data.val_dataloader(), data.test_dataloader()):
        list(loader)
    assert states() == before


def test_callers_may_write_into_their_minibatch(own):
    data = ImageDataModule(f"npz:{own}", batch_size=4)
    before = digest(data)
    inputs, targets = data.minibatch()
    inputs.zero_()
    targets.zero_()
    assert digest(data) == before


def test_validation_is_exactly_the_minibatch(own):
    data = ImageDataModule(f"npz:{own}", batch_size=4)
    (batch,) = list(data.val_dataloader())
    for given, expected in zip(batch, data.minibatch(), strict=True):
        torch.testing.assert_close(given, expected, rtol=0, atol=0)


def test_training_sees_every_image_once_in_a_seeded_order(own):
    def epochs(seed: int) -> list[list[int]]:
        data = ImageDataModule(f"npz:{own}", batch_size=5, batch_seed=seed)
        loader = data.train_dataloader()
        return [[i for inputs, _ in loader for i in shown(inputs, data)] for _ in range(2)]

    first, second = epochs(0)
    assert sorted(first) == sorted(second) == list(range(12))
    assert first != second
    assert epochs(0) == [first, second]
    assert epochs(1) != [first, second]


def test_test_loader_keeps_the_order(own):
    data = ImageDataModule(f"npz:{own}", batch_size=2)
    targets = torch.cat([targets for _, targets in data.test_dataloader()])
    assert targets.tolist() == [0, 1, 2, 3, 4]


def test_inputs_are_standardised_over_the_training_split():
    data = ImageDataModule("digits", batch_size=1347)
    inputs, _ = data.minibatch()
    torch.testing.assert_close(inputs.mean((0, 2, 3)), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(inputs.std((0, 2, 3)), torch.ones(3), atol=1e-4, rtol=0)


def test_channel_stats_against_numpy():
    array = np.random.default_rng(0).integers(0, 256, (600, 4, 4, 3), dtype=np.uint8)
    stats = channel_stats(ArrayPixels(array), 4)
    np.testing.assert_allclose(stats.mean, (array / 255).mean((0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(stats.std, (array / 255).std((0, 1, 2)), rtol=1e-6)


def test_constant_images_stay_finite():
    stats = channel_stats(ArrayPixels(np.full((3, 4, 4, 3), 77, np.uint8)), 4)
    assert stats.std == (1.0, 1.0, 1.0)


def test_shrinking_averages_and_does_not_skip_pixels():
    stripes = torch.zeros(3, 32, 32)
    stripes[:, :, ::2] = 1  # plain bilinear at a quarter of the size would sample few of the columns
    assert torch.allclose(resize(stripes, 8)[:, :, 2:-2], torch.tensor(0.5), atol=0.05)
    single = torch.zeros(3, 32, 32)
    single[:, 4, 4] = 1
    assert resize(single, 8).sum() > 0.1


def test_growing_is_bilinear():
    row = torch.tensor([0.0, 1.0]).expand(3, 2, 2)
    expected = torch.tensor([0.0, 0.25, 0.75, 1.0])
    torch.testing.assert_close(resize(row, 4)[0, 0], expected)


def test_batch_larger_than_the_data(own):
    with pytest.raises(UsageError) as caught:
        ImageDataModule(f"npz:{own}", batch_size=13)
    assert str(caught.value) == (
        f"The batch size must be at most 12, the images in the training split of npz:{own}, "
        f"but 13 was given: lower it or choose other images."
    )
    assert len(ImageDataModule(f"npz:{own}", batch_size=12).minibatch()[1]) == 12


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "The batch size must be at least 1, but 0 was given."),
        ({"batch_seed": -1}, "The batch seed must be 0 or larger, but -1 was given."),
        (
            {"dataset": "cifar"},
            "Unknown dataset 'cifar'. Did you mean 'cifar10'? Known: ImageNet16-120, cifar10, cifar100, own.",
        ),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(UsageError) as caught:
        ImageDataModule("digits", **options)
    assert str(caught.value) == message


def test_testing_needs_held_out_images(tmp_path):
    path = tmp_path / "own.npz"
    x, y = np.zeros((2, 8, 8), np.uint8), np.zeros(2, int)
    np.savez(path, x_train=x, y_train=y, x_test=x[:0], y_test=y[:0])
    data = ImageDataModule(f"npz:{path}", batch_size=2)
    with pytest.raises(UsageError) as caught:
        data.test_dataloader()
    assert str(caught.value) == (
        f"A test needs held-out images, but npz:{path} has none: add some to its test split."
    )


def test_a_copy_sent_to_another_process_gives_the_same_minibatch(own):
    data = ImageDataModule(f"npz:{own}", batch_size=4)
    assert digest(pickle.loads(pickle.dumps(data))) == digest(data)


@pytest.mark.data
def test_real_images(data_dir):
    path = data_dir / "cifar10_slice.npz"
    data = ImageDataModule(f"npz:{path}", batch_size=64)
    inputs, targets = data.minibatch()
    assert data.description == "cifar10_slice.npz, 4,000 training images, 32x32x3"
    assert (len(data.train_images), len(data.test_images)) == (4000, 1000)
    np.testing.assert_allclose(data.stats.mean, np.array([125.3, 123.0, 113.9]) / 255, atol=0.01)
    np.testing.assert_allclose(data.stats.std, np.array([63.0, 62.1, 66.7]) / 255, atol=0.01)
    with np.load(path) as archive:
        first = np.random.default_rng(0).permutation(4000)[0]
        image, label = archive["x_train"][first], archive["y_train"][first]
    assert targets[0] == label
    restored = inputs[0].numpy() * np.reshape(data.stats.std, (3, 1, 1)) + np.reshape(
        data.stats.mean, (3, 1, 1)
    )
    np.testing.assert_allclose(255 * restored, image.transpose(2, 0, 1), atol=1e-3)
