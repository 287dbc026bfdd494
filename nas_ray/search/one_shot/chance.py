"""Whether what one-shot searches found is more than chance: what their supernets have learnt."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from nas_ray.rows import VALID_NATS
from nas_ray.search.base import Experiment
from nas_ray.training.language_training import perplexity
from nas_ray.training.text_task import TextTask

GUESS = 3
"""Standard deviations above a guess that a supernet must be to say something."""


def said_of_chance(supernets: Sequence[float], rows: pd.DataFrame, experiment: Experiment) -> str | None:
    """Returns a sentence where no supernet has learnt anything, else None.

    Args:
        supernets: mean validation accuracy of the supernets of each method, in percent.
        rows: of the run.
        experiment: what they were trained on.
    """
    return no_better_than_frequencies(rows, experiment) or no_better_than_a_guess(supernets, experiment)


def no_better_than_a_guess(supernets: Sequence[float], experiment: Experiment) -> str | None:
    """Returns a sentence where no supernet classifies better than a guess does; None where one does."""
    parts = getattr(experiment.evaluator, "parts", None)
    classes = getattr(experiment.evaluator, "num_classes", None)
    known = [accuracy for accuracy in supernets if math.isfinite(accuracy)]
    if parts is None or not classes or not known:
        return None
    images = len(parts.arch_part)
    limit = 100 / classes + GUESS * 100 * math.sqrt((1 - 1 / classes) / classes / images)
    if max(known) > limit:
        return None
    return (
        f"No supernet is better than a guess: the best has {max(known):.1f} % on {images:,} images of "
        f"{classes} classes, so what was found is chance. Give more epochs or more images."
    )


def no_better_than_frequencies(rows: pd.DataFrame, experiment: Experiment) -> str | None:
    """Returns a sentence where no supernet tells a text better than how often words come does, else None."""
    task = getattr(experiment, "images", None)
    if not isinstance(task, TextTask) or VALID_NATS not in rows or not rows[VALID_NATS].notna().any():
        return None
    best, guess, unit = float(rows[VALID_NATS].min()), task.corpus.frequency_nats, task.corpus.spec.tokens
    if best < guess:
        return None
    return (
        f"No supernet tells the text better than the frequency of its {unit} does: the best has a perplexity "
        f"of {perplexity(best):,.0f} on held-out text, frequencies have {perplexity(guess):,.0f}, so what "
        "was found is chance. Give many more epochs, or another rate, as in --method darts1,lr=2."
    )
