"""`model_card.md`: what the exported net is, how good it is, and how it was made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from nas_ray.report.cells import cell_text
from nas_ray.report.intervals import over_images, over_seeds, within_percent
from nas_ray.spaces import SPACES
from nas_ray.terminal.text import code_span, one_line
from nas_ray.train.base_job import Job
from nas_ray.train.export import TOLERANCE
from nas_ray.train.job import TrainJob
from nas_ray.train.outcome import Outcome
from nas_ray.train.rows import to_markdown

PHOTO = "photo.jpg"
"""Stands for an image of the user's in the lines that show how the net is used."""
ALONE = {"onnx": "onnxruntime alone", "pt2": "torch alone"}
"""What runs the net of each format without this package."""


def model_card(job: TrainJob, made: Outcome) -> str:
    """Returns the card as Markdown."""
    parts = [
        _head(job),
        _accuracy(job, own_rows(job, made), made.exported),
        _cost(made.summary.to_dict("records")[0]),
        _data(job),
        _training(job),
        _use(job, made.differences),
    ]
    if job.beside:
        parts.append(_beside(job, made.summary))
    return joined(parts, made)


def own_rows(job: Job, made: Outcome) -> pd.DataFrame:
    """Returns the rows of the nets of the arch that was asked for."""
    return made.results[made.results["label"] == job.found.label]


def joined(parts: Iterable[Sequence[str]], made: Outcome) -> str:
    """Returns the lines of the parts of a card, and with what the net was made, as Markdown."""
    return "\n".join(line for part in (*parts, _versions(made.info)) for line in [*part, ""])


def _head(job: TrainJob) -> list[str]:
    drawing = cell_text(job.found.arch)
    cell = ["", "```", drawing, "```"] if drawing != job.found.arch else []
    return [
        f"# {one_line(job.found.label) if job.found.arch in job.found.label else 'Found net'} for "
        f"{job.args.dataset}",
        "",
        f"Arch {code_span(job.found.arch)} of the space {code_span(job.found.space_name)}.",
        *cell,
    ]


def _accuracy(job: TrainJob, own: pd.DataFrame, exported: Mapping[str, Any]) -> list[str]:
    this = over_images(exported["test_right"], exported["test_images"])
    seeds = within_percent(over_seeds(own["test_acc"].tolist()))
    chosen = (
        "the epoch and the seed with the best accuracy on the held-out images"
        if len(job.parts[1])
        else "the last epoch of the first seed"
    )
    over = f"95 % t interval over {len(own)} seeds" if len(own) > 1 else "one seed, so no interval over seeds"
    return [
        "## Accuracy",
        "",
        "| what | test accuracy, % | interval |",
        "| --- | ---: | --- |",
        f"| this net | {this} | 95 % Wilson interval over {exported['test_images']:,} test images |",
        f"| nets trained like it | {seeds} | {over} |",
        "",
        f"This net is that of seed {exported['seed']} after epoch {exported['best_epoch']}: {chosen}. "
        + (one_line(job.images.copies) if job.images.copies else "Test images were not seen before."),
        "",
        "![Learning curves](curves.png)",
        "",
        "![Confusion matrix](confusion.png)",
    ]


def _cost(row: Mapping[Any, Any]) -> list[str]:
    return [
        "## Cost",
        "",
        f"- parameters: {row['params']:,.0f}",
        f"- multiply-adds for one image: {row['flops']:,.0f}",
        f"- latency: {row['latency_ms']:.2f} ms for one image, one CPU thread, median",
    ]


def _data(job: TrainJob) -> list[str]:
    images = job.images
    shown = ", ".join(map(code_span, images.classes[:20])) + (", ..." if len(images.classes) > 20 else "")
    lines = [
        "## Data",
        "",
        f"- images: {one_line(images.description)} ({code_span(images.source)})",
        f"- trained on {len(job.parts[0]):,}, held out {len(job.parts[1]):,} to choose the epoch, tested on "
        f"{len(images.test_images):,}",
        f"- {images.num_classes} classes: {shown}",
        f"- {images.image_size} x {images.image_size} pixels; mean {_triple(images.stats.mean)}, standard "
        f"deviation {_triple(images.stats.std)} in units where white is 1",
    ]
    if images.skipped:
        lines.append(f"- {len(images.skipped)} unreadable files were left out; run.json lists them")
    return lines


def _triple(values: Sequence[float]) -> str:
    return " ".join(f"{value:.4f}" for value in values)


def _training(job: TrainJob) -> list[str]:
    options = {name: value for name, value in job.identity()["recipe"].items() if name != "seeds"}
    words = ", ".join(f"{name} {value}" for name, value in options.items())  # seeds are those of the command
    return [
        "## Training",
        "",
        f"- recipe {code_span(job.args.recipe)}: {words}",
        f"- seeds: {', '.join(map(str, job.seeds))}; split seed {job.args.split_seed}",
        f"- {job.devices}",
    ]


def _use(job: TrainJob, differences: Mapping[str, float]) -> list[str]:
    size = job.images.image_size
    bilinear = "PIL.Image.Resampling.BILINEAR"
    pixels = [
        f'photo = PIL.Image.open("{PHOTO}").convert("RGB").resize(({size}, {size}), {bilinear})',
        'pixels = numpy.asarray(photo, "float32").transpose(2, 0, 1)[None] / 255',
    ]
    snippets = {
        "onnx": [
            'session = onnxruntime.InferenceSession("model.onnx")',
            'logits = session.run(None, {"images": pixels})[0]',
            'assert numpy.isfinite(logits).all(), "pixels must lie in 0..1 or be whole numbers in 0..255"',
            'classes = json.loads(session.get_modelmeta().custom_metadata_map["classes"])',
            "print(classes[logits.argmax()])",
        ],
        "pt2": [
            'about = {"facts.json": ""}',
            'program = torch.export.load("model.pt2", extra_files=about).module()',
            "logits = program(torch.from_numpy(pixels))  # refuses other pixels",
            'print(json.loads(about["facts.json"])["classes"][logits.argmax()])',
        ],
    }
    lines = [
        "## Use",
        "",
        "`predict` takes files, folders, pictures, arrays and tensors of any size. The others take `images` "
        f"`[B, 3, {size}, {size}]`, float32 in 0..1 or whole numbers in 0..255. All of them standardise.",
        "",
        "```python",
        *(f"import {name}" for name in _imports(job.formats)),
        "",
        f'net = nas_ray.load("model.pt"{space_argument(job)})',
        f'print(net.predict("{PHOTO}"))  # your own in its place',
        *(line for name in job.formats for line in ["", f"# {ALONE[name]}", *pixels, *snippets[name]]),
        "```",
        "",
    ]
    for name, difference in differences.items():
        lines.append(
            f"- `model.{name}` differs from the net by at most {difference:.1e} in a logit (allowed: "
            f"{TOLERANCE:g}, and as much of the logit itself)"
        )
    lines += [f"- not written: {text}" for text in job.left_out.values()]
    return lines


def space_argument(job: Job) -> str:
    """Returns the argument that a net of a space of others needs to be loaded."""
    name = job.found.space_name
    return "" if name in SPACES else f", nas_ray.open_space({json.dumps(name)})"


def _imports(formats: Sequence[str]) -> list[str]:
    """Returns the modules that the lines of `Use` name."""
    pixels = ("json", "numpy", "PIL.Image")
    also = {"onnx": (*pixels, "onnxruntime"), "pt2": (*pixels, "torch")}
    return sorted({"nas_ray", *(name for kind in formats for name in also[kind])})


def _beside(job: TrainJob, summary: pd.DataFrame) -> list[str]:
    return [
        "## Other nets, trained alike",
        "",
        *to_markdown(summary, list(job.proxies)),
        "",
        f"Test accuracy: mean over seeds {', '.join(map(str, job.seeds))} with its 95 % t interval. "
        "Found is ahead by: accuracy of the found net less that of the row, seed by seed, with its 95 % "
        "t interval.",
        "",
        *(f"- {code_span(candidate.label)}: {code_span(candidate.arch)}" for candidate in job.candidates),
    ]


def _versions(info: Mapping[str, Any]) -> list[str]:
    versions = ", ".join(f"{name} {value}" for name, value in info["versions"].items() if value)
    hardware = info["hardware"]
    gpus = ", ".join(hardware["gpus"]) or "no GPU"
    return [
        "## Made with",
        "",
        f"- {versions}",
        f"- commit {info.get('commit') or 'unknown'}",
        f"- {hardware['system']}, {hardware['cpu_cores']} CPU cores, {gpus}",
        f"- started {info['started']}",
    ]
