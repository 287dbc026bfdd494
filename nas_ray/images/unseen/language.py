"""The images of `generated:language`: words, a letter in each row."""

from __future__ import annotations

import numpy as np

from nas_ray.images.splits import Split
from nas_ray.images.unseen.definitions import Language
from nas_ray.images.unseen.draws import TEST, TRAIN, Generated, Ints, balanced, draws, one_of, split_of
from nas_ray.images.unseen.words import LANGUAGE_SIZE, LETTERS, TOGETHER, words_of

_HELD_OUT = 5  # one word in so many


def language_images(definition: Language) -> Generated:
    """Returns the images of a definition.

    Raises:
        UsageError: words that cannot be used.
    """
    words = words_of(definition.words)
    shuffled = [_shuffled(of, definition.seed, place) for place, of in enumerate(words.values())]
    train = _split(definition, TRAIN, definition.train, [of[len(of) // _HELD_OUT :] for of in shuffled])
    test = _split(definition, TEST, definition.test, [of[: len(of) // _HELD_OUT] for of in shuffled])
    return Generated(train, test, tuple(words))


def _shuffled(words: list[str], seed: int, place: int) -> Ints:
    """Returns words `[W, 6]` as numbers of letters, in an order of the seed's."""
    letters = np.array([[LETTERS.index(letter) for letter in word] for word in words])
    return np.random.default_rng([seed, 2, place]).permutation(letters)


def _split(definition: Language, split: int, count: int, words: list[Ints]) -> Split:
    (uniform,) = draws(definition.seed, split, count, TOGETHER)
    labels = balanced(count, len(words))
    found = one_of(words, labels[:, None], uniform)
    pixels = np.zeros((count, LANGUAGE_SIZE, LANGUAGE_SIZE), np.uint8)
    np.put_along_axis(pixels, found.reshape(count, LANGUAGE_SIZE, 1), 255, axis=2)
    return split_of(pixels, labels)
