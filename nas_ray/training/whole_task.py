"""Images as a task whose training is a final one: all training images, judged on the test images."""

from __future__ import annotations

import dataclasses
from functools import cached_property

import torch

from nas_ray.errors import UsageError
from nas_ray.images.identity import joined_sha256
from nas_ray.images.image_data import ImageDataModule
from nas_ray.training.image_task import ImageTask, Loader
from nas_ray.training.recipes import Recipe
from nas_ray.training.training_data import Indices, KeptImages, training_loader, validation_loader


class WholeTask(ImageTask):
    """Tells the classes of images, trained on the whole training split and judged on the test images.

    So what `ShortTraining` reports as held out is of the test images, and a recipe's `valid_fraction` has no
    use. It is for nets that were chosen already: whoever chooses by it has seen the test images.

    Args:
        data: both splits.

    Raises:
        UsageError: there are no test images.
    """

    def __init__(self, data: ImageDataModule) -> None:
        if not len(data.test_images):
            raise UsageError(
                f"A final training needs test images, but {data.source} holds out none; give a test part."
            )
        super().__init__(data.train_images, data.num_classes, split_seed=data.batch_seed)
        self.test_images = data.test_images

    def loaders(self, recipe: Recipe, seed: int, epoch: int) -> tuple[Loader, Loader]:
        """Returns the augmented batches of an epoch, and the test images in their own order."""
        train, _ = self._kept_for(recipe)
        return training_loader(train, recipe, seed, epoch), validation_loader(self._tested)

    def parts(self, recipe: Recipe) -> tuple[Indices, Indices]:
        """Returns the positions that are trained on, and none: nothing of the training split is held out."""
        return super().parts(dataclasses.replace(recipe, valid_fraction=0.0))

    def to(self, device: torch.device) -> None:
        """Takes the device on which images are kept."""
        if device != self._device:
            vars(self).pop("_tested", None)
        super().to(device)

    def fingerprint(self, recipe: Recipe) -> str:
        """Returns a hash of what a training sees and is judged on."""
        return joined_sha256(super().fingerprint(recipe), self.test_images.sha256)

    @cached_property
    def _tested(self) -> KeptImages:
        indices = torch.arange(len(self.test_images)).numpy()
        return KeptImages(self.test_images, indices, None, self._device)
