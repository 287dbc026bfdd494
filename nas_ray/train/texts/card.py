"""`model_card.md` of a net of a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from nas_ray.terminal.text import code_span, one_line
from nas_ray.train.card import joined, own_rows, space_argument
from nas_ray.train.curves import CURVES
from nas_ray.train.export import TOLERANCE
from nas_ray.train.outcome import Outcome
from nas_ray.train.texts.job import TextJob
from nas_ray.train.texts.tables import of_unknown, perplexities, to_markdown
from nas_ray.training.text_options import TEXT_OPTIONS

OF_ANY_TASK = (
    *("epochs", "batch_size", "lr", "schedule", "warmup_epochs", "momentum", "weight_decay"),
    *("clip_grad_norm", "ema", "precision", "data_fraction"),
)
"""Options of a recipe that mean something beside those of texts."""
FACTS_IN = {"onnx": "its metadata have", "pt2": "its extra file `facts.json` has"}


def model_card(job: TextJob, made: Outcome) -> str:
    """Returns the card as Markdown."""
    parts = [
        _head(job),
        _perplexity(own_rows(job, made), made.exported, job),
        _data(job),
        _training(job),
        _use(job, made.differences),
    ]
    if job.beside:
        parts.append(["## Other nets, trained alike", "", *to_markdown(made.summary)])
    return joined(parts, made)


def _head(job: TextJob) -> list[str]:
    return [
        f"# Net of a text: {one_line(job.task.description.partition(':')[0])}",
        "",
        f"Arch {code_span(job.found.arch)} of the space {code_span(job.found.space_name)}, "
        f"{job.found.params:,.0f} parameters.",
    ]


def _perplexity(own: pd.DataFrame, exported: Mapping[str, Any], job: TextJob) -> list[str]:
    seeds = perplexities(own["test_nats"].tolist())
    over = (
        f"95 % t interval of the nats over {len(own)} seeds"
        if len(own) > 1
        else "one seed, so no interval over seeds"
    )
    return [
        "## Perplexity",
        "",
        "| what | test perplexity | interval |",
        "| --- | ---: | --- |",
        f"| this net | {exported['test_perplexity']:.2f} | |",
        f"| nets trained like it | {seeds} | {over} |",
        "",
        f"This net is that of seed {exported['seed']} after epoch {exported['best_epoch']}: the epoch and "
        "the seed with the lowest perplexity on the held-out text. The test text was not seen before. A "
        "perplexity holds for this vocabulary alone.",
        "",
        f"![Learning curves]({CURVES})",
        "",
        of_unknown(job.task.corpus).replace("<unk>", "`<unk>`"),
    ]


def _data(job: TextJob) -> list[str]:
    task = job.task
    return [
        "## Data",
        "",
        f"- text: {one_line(task.description)} ({code_span(task.source)})",
        f"- vocabulary: {task.num_outputs:,} tokens, made from the training part",
    ]


def _training(job: TextJob) -> list[str]:
    words = ", ".join(f"{name} {getattr(job.recipe, name)}" for name in (*OF_ANY_TASK, *TEXT_OPTIONS))
    return [
        "## Training",
        "",
        f"- recipe {code_span(job.args.recipe)}: {words}",
        f"- seeds: {', '.join(map(str, job.seeds))}",
        f"- {job.device.type.upper()}",
    ]


def _use(job: TextJob, differences: Mapping[str, float]) -> list[str]:
    lines = [
        "## Use",
        "",
        "```python",
        "import nas_ray",
        "",
        f'net = nas_ray.load("model.pt"{space_argument(job)})',
        'print(net.continued("the", length=30, temperature=0.8, seed=0))',
        'print(net.perplexity("a text of your own"), net.unknown("a text of your own"))',
        "```",
        "",
    ]
    for form, difference in differences.items():
        lines.append(
            f"- `model.{form}` is one step: `tokens` `[B]` and `state_0`, ... in, `logits` `[B, V]` and "
            f"`next_0`, ... out; {FACTS_IN[form]} `words` and the state to `begin` with. It differs from the "
            f"net by at most {difference:.1e} in a logit (allowed: {TOLERANCE:g}, and as much of the logit "
            "itself)"
        )
    return [*lines, *(f"- not written: {text}" for text in job.left_out.values())]
