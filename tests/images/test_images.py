from __future__ import annotations

import hashlib
import pickle
import re
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torchvision.datasets as vision

from nas_ray.errors import UsageError
from nas_ray.images import digits
from nas_ray.images.datasets import get_dataset
from nas_ray.images.sources import IMAGES, OpenedImages, open_images, search_roots

CIFAR_FOLDERS = {"cifar10": "cifar-10-batches-py", "cifar100": "cifar-100-python"}


@pytest.fixture(autouse=True)
def empty_roots(tmp_path, monkeypatch) -> Path:
    """No test sees the images of the machine that it runs on."""
    root = tmp_path / "root"
    monkeypatch.setenv("NAS_RAY_DATA", str(root))
    monkeypatch.delenv("TORCH_HOME", raising=False)
    return root


def opened(spec: str, dataset: str = "cifar10", **options) -> OpenedImages:
    return open_images(spec, get_dataset(dataset), **options)


def refusal(spec: str, dataset: str = "cifar10", **options) -> str:
    with pytest.raises(UsageError) as caught:
        opened(spec, dataset, **options)
    return str(caught.value)


def write_cifar(root: Path, name: str, monkeypatch) -> np.ndarray:
    """Writes files in the published format, two images each, and makes their md5 the expected one."""
    cifar = {"cifar10": vision.CIFAR10, "cifar100": vision.CIFAR100}[name]
    folder = root / CIFAR_FOLDERS[name]
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    key = "labels" if name == "cifar10" else "fine_labels"

    def write(file: str, content: object) -> str:
        (folder / file).write_bytes(pickle.dumps(content))
        return hashlib.md5((folder / file).read_bytes()).hexdigest()

    def batch() -> dict[str, object]:
        return {"data": rng.integers(0, 256, (2, 3072), dtype=np.uint8), key: [3, 7]}

    batches = {file: batch() for file, _ in [*cifar.train_list, *cifar.test_list]}
    train = [[file, write(file, batches[file])] for file, _ in cifar.train_list]
    test = [[file, write(file, batches[file])] for file, _ in cifar.test_list]
    meta = dict(cifar.meta)
    meta["md5"] = write(meta["filename"], {meta["key"]: [str(i) for i in range(100)]})
    for attribute, value in (("train_list", train), ("test_list", test), ("meta", meta)):
        monkeypatch.setattr(cifar, attribute, value)
    return np.concatenate([batches[file]["data"] for file, _ in train])


def test_digits_are_the_bundled_ones():
    from sklearn.datasets import load_digits

    images = opened("digits").images
    assert (len(images.train.labels), len(images.test.labels)) == (1347, 450)
    assert images.description == ("scikit-learn digits, 1,347 training images, 8x8 grey upsampled to 32x32x3")
    first = images.train.pixels[0].numpy()
    assert first.shape == (3, 8, 8)
    np.testing.assert_array_equal(first, np.broadcast_to(load_digits().images[0] / 16, (3, 8, 8)))
    last = images.test.pixels[449].numpy()
    np.testing.assert_array_equal(last, np.broadcast_to(load_digits().images[1796] / 16, (3, 8, 8)))
    assert images.test.labels[-1] == load_digits().target[1796]
    assert set(images.train.labels) == set(images.test.labels) == set(range(10))


def test_digits_are_the_same_without_their_file(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels, labels = digits.bundled_digits()
    monkeypatch.setattr(digits, "find_spec", lambda name: None)
    imported, targets = digits.bundled_digits()
    np.testing.assert_array_equal(pixels, imported)
    np.testing.assert_array_equal(labels, targets)
    assert labels.dtype == targets.dtype == np.int64


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("cifr10", "Unknown images 'cifr10'. Did you mean 'cifar10'?"),
        ("nzp:a.npz", "Unknown images 'nzp'. Did you mean 'npz'?"),
        ("", "Unknown images ''."),
    ],
)
def test_unknown_source_lists_the_known_ones(spec, message):
    known = "Known: ImageNet16-120, auto, cifar10, cifar100, digits, folder, generated, npz"
    assert refusal(spec) == f"{message} {known}; npz and folder take a path, as in npz:PATH."
    assert set(IMAGES) | {"auto"} == set(known.removeprefix("Known: ").split(", "))


def test_a_path_where_none_belongs_and_none_where_one_does():
    assert refusal("npz") == "Images 'npz' need a path, as in npz:PATH, but 'npz' was given."
    assert refusal("folder:") == "Images 'folder' need a path, as in folder:PATH, but 'folder:' was given."
    assert refusal("digits:x") == "Images 'digits' take no path, but 'digits:x' was given: write digits."
    assert refusal("folder: ") == "Images 'folder' need a path, as in folder:PATH, but 'folder: ' was given."
    assert refusal("npz:") == "Images 'npz' need a path, as in npz:PATH, but 'npz:' was given."
    assert refusal("digits:") == "Images 'digits' take no path, but 'digits:' was given: write digits."
    assert refusal("auto:") == "Images 'auto' take no path, but 'auto:' was given: write auto."
    assert refusal("npz:~no-such-user/x.npz") == (
        "Images need a path that exists, but in 'npz:~no-such-user/x.npz' there is no home of that user: "
        "write the whole path."
    )


@pytest.mark.parametrize("dataset", ["cifar10", "cifar100", "ImageNet16-120"])
def test_auto_falls_back_to_digits_and_says_so(dataset, empty_roots):
    result = opened("auto", dataset)
    assert result.source == "digits"
    assert result.note == (
        f"Images: digits, because there are no complete {dataset} images in {empty_roots}; "
        "--images chooses others."
    )


def test_auto_falls_back_where_a_folder_is_half_there(empty_roots, monkeypatch):
    monkeypatch.setattr(vision.CIFAR10, "download", lambda self: pytest.fail("downloaded unasked"))
    (empty_roots / "cifar-10-batches-py").mkdir(parents=True)
    (empty_roots / "cifar-10-batches-py" / "data_batch_1").write_bytes(b"half")
    (empty_roots / "ImageNet16").mkdir()
    (empty_roots / "ImageNet16" / "train_data_batch_1").write_bytes(b"half")
    assert opened("auto", "cifar10").source == "digits"
    assert opened("auto", "ImageNet16-120").source == "digits"


def test_auto_takes_the_datasets_own_images(empty_roots, monkeypatch):
    write_cifar(empty_roots, "cifar10", monkeypatch)
    result = opened("auto")
    assert (result.source, result.note) == ("cifar10", None)


@pytest.mark.parametrize(("name", "title"), [("cifar10", "CIFAR-10"), ("cifar100", "CIFAR-100")])
def test_cifar_is_read_from_disk(name, title, empty_roots, monkeypatch):
    data = write_cifar(empty_roots, name, monkeypatch)
    images = opened(name, name).images
    assert images.description == f"{title}, {len(data)} training images, 32x32x3"
    assert images.train.labels.tolist() == [3, 7] * (len(data) // 2)
    expected = data[1].reshape(3, 32, 32).astype(np.float32) / 255
    np.testing.assert_array_equal(images.train.pixels[1].numpy(), expected)
    assert len(images.test.labels) == 2


def test_published_standardisation_of_cifar10(empty_roots, monkeypatch):
    write_cifar(empty_roots, "cifar10", monkeypatch)
    stats = opened("cifar10").images.stats
    assert stats is not None
    assert [round(255 * m, 4) for m in stats.mean] == [125.3, 123.0, 113.9]
    assert [round(255 * s, 4) for s in stats.std] == [63.0, 62.1, 66.7]


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_cifar_that_is_not_on_disk_is_never_fetched_unasked(name, empty_roots, monkeypatch):
    monkeypatch.setattr(vision.CIFAR10, "download", lambda self: pytest.fail("downloaded unasked"))
    opened("auto", name)
    assert refusal(name) == (
        f"{name} images must be on disk, but there is no folder {CIFAR_FOLDERS[name]} in {empty_roots}: "
        f"set NAS_RAY_DATA to the folder that holds it, or add --download."
    )


def test_changed_cifar_files_are_refused_before_they_are_unpickled(empty_roots, monkeypatch):
    write_cifar(empty_roots, "cifar10", monkeypatch)
    folder = empty_roots / "cifar-10-batches-py"
    (folder / "data_batch_3").write_bytes(pickle.dumps({"data": [], "labels": []}))
    monkeypatch.setattr("torchvision.datasets.cifar.pickle.load", lambda *a, **k: pytest.fail("unpickled"))
    assert refusal("cifar10") == (
        f"cifar10 images must be the published files, but one in {folder} is missing or changed: "
        f"delete that folder and add --download."
    )


def test_download_fetches_into_the_first_root(empty_roots, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(empty_roots / "torch"))
    asked = []

    def download(self) -> None:
        if not asked:
            write_cifar(Path(self.root), "cifar10", monkeypatch)
        asked.append(Path(self.root))

    monkeypatch.setattr(vision.CIFAR10, "download", download)
    assert opened("auto", download=True).source == "cifar10"
    assert asked == [empty_roots, empty_roots]  # the training and the test split


@pytest.mark.parametrize("spec", ["cifar10", "auto"])
def test_a_failed_download_is_an_error(spec, empty_roots, monkeypatch):
    def download(self) -> None:
        raise URLError("no route")

    monkeypatch.setattr(vision.CIFAR10, "download", download)
    assert refusal(spec, download=True) == (
        f"cifar10 images must be downloaded into {empty_roots}, but that failed (<urlopen error no route>): "
        f"check the connection, or put cifar-10-batches-py there yourself."
    )


def test_where_files_are_looked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    assert search_roots() == (tmp_path / "root", tmp_path / "torch", tmp_path / "torch" / "datasets")
    monkeypatch.delenv("NAS_RAY_DATA")
    assert search_roots()[0] == Path.home() / ".cache" / "nas_ray"
    write_cifar(tmp_path / "torch" / "datasets", "cifar10", monkeypatch)
    assert opened("cifar10").images.description == "CIFAR-10, 10 training images, 32x32x3"
    message = refusal("cifar10", root=tmp_path / "elsewhere")
    assert re.search(rf"no folder cifar-10-batches-py in {tmp_path}/elsewhere:", message)


def test_labels_must_fit_the_dataset(empty_roots, monkeypatch):
    write_cifar(empty_roots, "cifar100", monkeypatch)
    folder = empty_roots / "cifar-100-python"
    content = {"data": np.zeros((2, 3072), np.uint8), "fine_labels": [3, 42]}
    (folder / "train").write_bytes(pickle.dumps(content))
    md5 = hashlib.md5((folder / "train").read_bytes()).hexdigest()
    monkeypatch.setattr(vision.CIFAR100, "train_list", [["train", md5]])
    assert refusal("cifar100", "cifar10") == (
        "Labels must lie in 0..9, the classes of dataset 'cifar10', but cifar100 holds 42: "
        "relabel the images or choose a dataset with more classes."
    )
