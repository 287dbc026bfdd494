"""Names on the command line, refused before what they name is imported; a light module, for quick answers.

A name that is missing here would be refused although it is there, so a test compares these lists with the
objects.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nas_ray.benchmarks.names import check_benchmark
from nas_ray.commands.paths import check_paths
from nas_ray.commands.space_options import check_space_options
from nas_ray.errors import UsageError, unknown_name
from nas_ray.images.datasets import AUTO, DATASETS, OWN
from nas_ray.images.folder_layout import folder_layout
from nas_ray.images.spec import check_images
from nas_ray.process.plugins import check_name
from nas_ray.search.trace.args import ALL, GRAPH
from nas_ray.spaces.graphs.seed_names import seed_names
from nas_ray.spaces.options import named_options
from nas_ray.spaces.settings import named_space
from nas_ray.text.spec import TEXT
from nas_ray.training.recipes import parse_recipe
from nas_ray.training.settings import check_means, check_settings, names_in
from nas_ray.training.task_args import check_alone, check_task, is_text

SPACES = (
    *("nats-tss", "nats-sss", "darts", "darts-s1", "darts-s2", "darts-s3", "darts-s4", "darts-cells"),
    *("layerwise", "layerwise-nets", "nasnet", "pnas", "nasnet-cells", "macro"),
    *("grammar", "grammar-nets", "hand-designed"),
    *("darts-rnn", "rnn-tree", "rnn-nets"),
)
SEARCHERS = (
    *(
        "random_search",
        "rea",
        "skip_rea",
        "freerea",
        "local_search",
        "naswot_search",
        "area",
        "warmup",
        "move",
    ),
    *("nsga2", "pareto_local_search", "random_weights"),
    *("predictor", "pnas", "lcmnas", "optuna", "reinforce", "ppo", "wrs", "wrs_two_point"),
)
PROXIES = (
    *(
        "az_expressivity",
        "az_progressivity",
        "az_trainability",
        "clear_paths",
        "epe_nas",
        "fisher",
        "fisher_channels",
        "flops",
    ),
    *("grad_norm", "gradsign", "grasp", "jacob_cov", "l2_norm", "lcmnas", "linear_regions", "live_ops"),
    *("log_width", "logsynflow", "logsynflow_released"),
    *("meco", "naswot", "near", "ntk", "num_conv", "params", "plain", "skip", "snip"),
    *("swap", "synflow", "synflow_released", "vkdnw", "zen", "zico"),
)
COSTS = ("latency_ms", "peak_memory_mib")
SCHEDULERS = ("none", "asha", "hyperband", "median")
DRIVERS = ("ray", "process")
MUTATIONS = ("uniform", "node")
HAND_DESIGNED = (
    *("lenet-5", "alexnet", "vgg-16-bn", "googlenet", "resnet-18", "resnet-50", "resnet-20", "resnet-56"),
    "resnet-110",
)
MEASURES = ("test_acc", "valid_acc_12", "valid_acc_200")
FORMATS = ("onnx", "pt2", "none")
PRECISIONS = ("float32", "bfloat16")
FITNESSES = ("log_rank_sum", "mixed", "mixed_ranks", "mixed_raw", "normalised_sum", "rank_sum", "single")
TRAINED = ("valid_acc", "valid_nats", "-valid_nats")
"""Scores of an arch that is trained, on images and on a text."""
RULES = ("described", "naswot_code", "synflow_code", "july_2022", "at_least_one")


@dataclass(frozen=True)
class Names:
    """What an argument may be called.

    Attributes:
        kind: the word for an error message.
        known: names that a message lists.
        group: entry-point group of plug-ins; None where there are none.
        also: names that mean something else than the thing itself, and that no message lists.
        ends: the character at which a name with options ends.
        listed: whether one text may hold several names, parted by commas or blanks.
    """

    kind: str
    known: Collection[str]
    group: str | None = None
    also: Collection[str] = ()
    ends: str = ""
    listed: bool = False

    def check(self, text: str) -> None:
        """Checks one argument.

        Raises:
            UsageError: nothing has a name in it.
        """
        texts = text.replace(",", " ").split() if self.listed else [text]
        for name in (one.partition(self.ends)[0].strip() if self.ends else one for one in texts):
            if name not in self.also:
                check_name(self.kind, name, self.known, self.group)


_DATASETS = Names("dataset", (*DATASETS, OWN), also=(AUTO,))
ARGUMENTS = {
    "space": Names("search space", SPACES, "nas_ray.spaces"),
    "searcher": Names("searcher", SEARCHERS, "nas_ray.searchers"),
    "searchers": Names("searcher", SEARCHERS, "nas_ray.searchers", ends=","),
    "proxies": Names("proxy", (*PROXIES, *COSTS), "nas_ray.proxies", also=("all", "default"), listed=True),
    "proxy": Names("proxy", PROXIES, "nas_ray.proxies"),
    "dataset": Names("dataset", (*DATASETS, OWN), also=(AUTO, TEXT)),
    "datasets": _DATASETS,
    "score_as": _DATASETS,
    "scheduler": Names("scheduler", SCHEDULERS, also=("pbt",)),  # which has a sentence of its own
    "driver": Names("driver", DRIVERS),
    "mutation": Names("mutation", MUTATIONS),
    "rule": Names("skip rule", RULES),
    "searched_on": Names("dataset", tuple(DATASETS)),
    "measure": Names("measure", MEASURES),
    "formats": Names("format", FORMATS, listed=True),
    "precision": Names("precision", PRECISIONS),
}
"""The arguments of commands that are names."""


def _check_images(spec: str) -> None:
    """Checks that there are images, and classes where they are a folder's.

    Raises:
        UsageError: there are none.
    """
    check_images(spec)
    kind, _, path = spec.partition(":")
    if kind == "folder":
        folder_layout(Path(path).expanduser())


def _check_net(name: str) -> None:
    """Checks that there is a net of that name, or a stored graph of one.

    Raises:
        UsageError: there is none.
    """
    if not name.endswith(GRAPH):
        check_name("net", name, (ALL, *seed_names()), "nas_ray.nets")
    elif not Path(name).is_file():
        raise UsageError(
            f"A stored graph must be a file that nas-ray trace wrote, but there is none at {name}."
        )


CHECKS = {"images": _check_images, "benchmark": check_benchmark, "nets": _check_net, "task": check_task}
"""The arguments that are names or paths."""


def _listed(value: Any) -> tuple[Any, ...]:
    """Returns the values of an argument, which is None, one of them, or several."""
    if value is None:
        return ()
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def check_names(args: Any) -> None:
    """Checks the names among the arguments of a command, as far as that needs no import.

    Raises:
        UsageError: nothing has that name, a recipe is none, or a file, folder or cluster is not there.
    """
    for field, names in ARGUMENTS.items():
        for text in _listed(getattr(args, field, None) or ()):
            names.check(named_options(named_space(text)[0])[0] if field == "space" else text)
    for field, check in CHECKS.items():
        for one in _listed(getattr(args, field, None)):
            check(str(one))
    check_alone(args)
    _check_recipes(args)
    _check_fitness(args)
    check_paths(args)
    space = getattr(args, "space", None)
    if space is not None and space != getattr(type(args), "space", None):
        check_space_options(space)


def _check_recipes(args: Any) -> None:
    """Checks recipes, and the settings beside archs that change one.

    Raises:
        UsageError: one is none, or has an option that means nothing to what is learned.
    """
    texts = {name: text for name in ("fidelity", "recipe") if (text := getattr(args, name, None)) is not None}
    recipes = {name: parse_recipe(text) for name, text in texts.items()}
    named = [name for text in texts.values() for name in names_in(text)]
    if "fidelity" in recipes and hasattr(args, "space"):
        settings = named_space(args.space)[1]
        check_settings(settings, recipes["fidelity"])
        named += settings
    if getattr(args, "resume", None) is None:
        check_means(named, text=is_text(args))


def _check_fitness(args: Any) -> None:
    """Checks the names in a fitness, where all that can be meant are built in.

    Raises:
        UsageError: no fitness and no score has that name.
    """
    proxies = [name for text in getattr(args, "proxies", ("",)) for name in text.replace(",", " ").split()]
    known = (*PROXIES, *COSTS, *TRAINED)
    if not {*proxies} <= {*known, "all", "default"} or not proxies:
        return  # a score of others has any name
    for text in _listed(getattr(args, "fitness", None) or ()):
        kind, colon, listed = (part.strip() for part in text.partition(":"))
        if not colon and kind in (*known, "default"):
            continue
        if kind.partition("=")[0].strip() not in FITNESSES:
            raise UsageError(unknown_name("fitness", kind, [*FITNESSES, *known]))
        unknown = [name for part in listed.split(",") if (name := part.strip()) not in known]
        if colon and unknown:
            raise UsageError(f"Fitness {text!r}: {unknown_name('score', unknown[0], [*known])}")
