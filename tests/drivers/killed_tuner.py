"""A tuner that is killed: `python -m tests.drivers.killed_tuner FOLDER SEARCHER IN_FLIGHT`."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from ray import tune

from nas_ray.drivers.resources import Request, start_ray
from nas_ray.drivers.tune_searcher import TuneSearcher
from nas_ray.searchers import SEARCHERS, ArchSearcher, Single
from nas_ray.testing.driving import Line, value_of

NUM_SAMPLES = 14
SNAPSHOT_S = 3
PARAM_SPACE = {"lr": tune.loguniform(0.001, 0.1), "constant": 3}


class Slow(tune.Trainable):  # type: ignore[misc]
    """Takes a while, and writes down which archs begin and end."""

    def setup(self, config: dict[str, Any], log: str = "") -> None:
        self.now, self.log = config, log

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.now = new_config
        return True

    def step(self) -> dict[str, Any]:
        self.write("begin")
        time.sleep(0.4)
        self.write("end")
        assert self.now["constant"] == 3
        return {"x": value_of(self.now["arch"]), "done": True}

    def write(self, what: str) -> None:
        with Path(self.log).open("a", encoding="utf-8") as file:
            file.write(f"{what} {self.now['arch']}\n")

    def save_checkpoint(self, checkpoint_dir: str) -> dict[str, int]:
        return {}

    def load_checkpoint(self, checkpoint: Any) -> None:
        pass


def new_searcher(name: str) -> ArchSearcher:
    few = {"rea": {"population": 3, "sample": 2}, "nsga2": {"population": 3}}.get(name, {})
    return SEARCHERS[name](Line(100), fitness=Single(("x",)), **few)


def main(folder: Path, name: str, in_flight: int) -> None:
    os.environ["TUNE_GLOBAL_CHECKPOINT_S"] = str(SNAPSHOT_S)
    start_ray(Request(num_cpus=2, num_gpus=0))
    tune.Tuner(
        tune.with_parameters(Slow, log=str(folder / "log")),
        param_space=PARAM_SPACE,
        tune_config=tune.TuneConfig(
            search_alg=TuneSearcher(new_searcher(name)),
            num_samples=NUM_SAMPLES,
            max_concurrent_trials=in_flight,
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(name="run", storage_path=str(folder), verbose=0),
    ).fit()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
