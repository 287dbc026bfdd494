"""Trainers run where they are told, whatever batch system, MPI or torchrun started the process."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import nas_ray
from nas_ray.evaluation.proxy_scores import ProxyScores
from nas_ray.process.inherited import PLACEMENT, hidden
from nas_ray.process.lightning import ThisMachine, Trainer, rank_zero_only
from nas_ray.proxies.plugin import resolve_proxies
from nas_ray.rows import Row
from nas_ray.spaces import NatsTss
from nas_ray.training.recipes import Recipe
from tests.process.others import LSF, SLURM, TORCHRUN
from tests.train.test_fit import digits, fitted, module  # noqa: F401  # a fixture

OTHERS = {
    "slurm": SLURM,
    "sbatch": {"SLURM_NTASKS": "4"},
    "tasks per node": {**SLURM, "SLURM_NTASKS_PER_NODE": "2"},
    "lsf": LSF,
    "pbs": {"PBS_JOBID": "1", "PBS_NODEFILE": "/nowhere", "PBS_NUM_PPN": "4", "PBS_TASKNUM": "2"},
    "torchrun": TORCHRUN,
    "kubeflow": {"MASTER_ADDR": "master-0", "MASTER_PORT": "x", "WORLD_SIZE": "2", "RANK": "1"},
    "mpi": {"OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "2", "PMI_RANK": "2", "PMI_SIZE": "4"},
    "lightning": {"PL_TRAINER_NUM_NODES": "2", "PL_TRAINER_FAST_DEV_RUN": "1", "PL_GLOBAL_SEED": "x"},
    "nonsense": {"RANK": "", "LOCAL_RANK": "first", "WORLD_SIZE": "-1", "SLURM_PROCID": "none"},
}
WHAT = pytest.mark.parametrize("variables", OTHERS.values(), ids=OTHERS)


@pytest.fixture
def others(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(rank_zero_only, "rank", 2)  # as an import would have guessed
    return environment()


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}


def scored() -> Row:
    rows: list[Row] = []
    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(size=(4, 3, 32, 32)).astype(np.float32), np.arange(4)
    scores = ProxyScores(NatsTss(), 10, inputs, targets, resolve_proxies(["naswot"]))
    scores(list(NatsTss())[77], rows.append)
    return rows[0]


@pytest.fixture(scope="module")
def plain() -> Row:
    return scored()


@WHAT
def test_scores_do_not_depend_on_a_cluster(others: dict[str, str], plain: Row) -> None:
    row = scored()
    assert row["error"] is None
    assert row["naswot"] == plain["naswot"]
    assert environment() == others


@pytest.fixture(scope="module")
def curve(tmp_path_factory: pytest.TempPathFactory, digits: object) -> pd.DataFrame:  # noqa: F811
    return fitted(tmp_path_factory.mktemp("plain"), digits, module())  # type: ignore[arg-type]


@WHAT
def test_a_training_does_not_depend_on_a_cluster(
    others: dict[str, str],
    curve: pd.DataFrame,
    tmp_path: Path,
    digits: object,  # noqa: F811
) -> None:
    found = fitted(tmp_path, digits, module())  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(found, curve)
    assert list((tmp_path / "tensorboard").glob("events.out.tfevents.*"))
    assert environment() == others


def test_trainings_one_after_the_other_do_not_share_a_port() -> None:
    ports = [ThisMachine().main_port for _ in range(3)]
    assert all(port > 0 for port in ports)
    first = ThisMachine()
    assert first.main_port == first.main_port


def test_options_of_the_trainer_are_kept() -> None:
    trainer = Trainer(accelerator="cpu", devices=1, max_epochs=Recipe().epochs, enable_checkpointing=False)
    assert trainer.max_epochs == Recipe().epochs
    assert isinstance(trainer._accelerator_connector.cluster_environment, ThisMachine)
    assert trainer.logger is None


def test_hidden_variables_come_back_and_others_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLURM_NTASKS", "RANK", "FRANK", "GLOO_SOCKET_IFNAME", "NCCL_DEBUG", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.setenv(name, "7")
    with hidden(PLACEMENT):
        assert "SLURM_NTASKS" not in os.environ
        assert "RANK" not in os.environ
        assert {os.environ[name] for name in ("FRANK", "GLOO_SOCKET_IFNAME", "NCCL_DEBUG")} == {"7"}
        os.environ["MASTER_PORT"] = "1"
    assert os.environ["SLURM_NTASKS"] == os.environ["RANK"] == "7"
    assert "MASTER_PORT" not in os.environ


def test_nothing_is_read_when_lightning_is_imported() -> None:
    code = (
        "import nas_ray.training.training_module\n"
        "from nas_ray.process.lightning import rank_zero_only as x; print(x.rank)"
    )
    inherited = {**os.environ, **SLURM, **OTHERS["nonsense"]}
    done = subprocess.run([sys.executable, "-c", code], env=inherited, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("0\n", 0), done.stderr


def test_lightning_comes_through_one_module() -> None:
    package = Path(nas_ray.__file__).parent
    for path in package.rglob("*.py"):
        if path.name in ("lightning.py", "inherited.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            found = [name for name in names if name.startswith(("pytorch_lightning", "lightning_fabric"))]
            assert not found, f"{path}: import what Lightning has from nas_ray.process.lightning"
            made = isinstance(node, ast.Call) and ast.unparse(node.func) == "pl.Trainer"
            assert not made, f"{path}: make trainers with nas_ray.process.lightning.Trainer"
