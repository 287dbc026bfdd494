"""Generated images, whatever their definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nas_ray.errors import UsageError
from nas_ray.images.generated import Pairs, parse_generated
from nas_ray.images.pairs import both_splits
from nas_ray.images.splits import ArrayPixels, Images, Source, check_labels
from nas_ray.images.unseen.calculated import calculated_images
from nas_ray.images.unseen.definitions import Language, Shapes, Sudoku
from nas_ray.images.unseen.draws import Generated
from nas_ray.images.unseen.language import language_images
from nas_ray.images.unseen.made_of_others import Add, Mult, Tile
from nas_ray.images.unseen.shapes import shape_images
from nas_ray.images.unseen.sudoku import sudoku_images
from nas_ray.images.unseen.tile import tile_images

MADE: dict[str, Callable[[Any, Source], Generated]] = {
    Pairs.kind: lambda pairs, source: both_splits(pairs),
    Add.kind: calculated_images,
    Mult.kind: calculated_images,
    Tile.kind: tile_images,
    Language.kind: lambda language, source: language_images(language),
    Sudoku.kind: lambda sudoku, source: sudoku_images(sudoku),
    Shapes.kind: lambda shapes, source: shape_images(shapes),
}
"""What makes the images of a definition, by its word."""


def open_generated(source: Source) -> Images:
    """Returns the images that a definition such as `pairs,shortcut=0.9` generates.

    Raises:
        UsageError: no such definition, what it reads cannot be used, or nets for another size.
    """
    definition = parse_generated(source.path)
    size = definition.image_size
    if source.dataset.image_size != size:
        raise UsageError(
            f"Images of {source.spec!r} must be seen at their size, {size} pixels, or distances between"
            f" pixels change, but nets for {source.dataset.image_size} pixels are asked for: leave "
            "--image-size and --dataset out."
        )
    made = MADE[definition.kind](definition, source)
    check_labels(made.train.labels, source.spec, source.dataset)
    pixels = made.train.pixels
    grey = isinstance(pixels, ArrayPixels) and pixels.array.ndim == 3
    seen = f"{size}x{size} grey repeated to {size}x{size}x3" if grey else f"{size}x{size}x3"
    what = f"generated {definition}, {len(pixels):,} training images, {seen}"
    return Images(made.train, made.test, what, classes=made.classes)
