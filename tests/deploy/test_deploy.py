"""The files that start clusters."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from nas_ray.search.arguments import ReaArgs
from tests.deploy.kuberay_schema import RAY_JOB

ROOT = Path(__file__).parents[2]


def rayjob() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "deploy" / "kuberay.yaml").read_text()))


def test_the_rayjob_fits_the_schema_of_kuberay() -> None:
    jsonschema.Draft202012Validator(RAY_JOB).validate(rayjob())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("rayClusterSpec", "headGroupSpec", "rayStartParams", "num-cpus"), 0),  # must be text
        (("rayClusterSpec", "workerGroups"), []),
        (("shutdownAfterFinish",), True),
        (("rayClusterSpec", "authOptions", "mode"), "tokens"),
    ],
)
def test_the_schema_sees_mistakes(path: tuple[str, ...], value: object) -> None:
    job = rayjob()
    place = job["spec"]
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(RAY_JOB).validate(job)


def test_the_rayjob_is_complete() -> None:
    job = rayjob()
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    assert cluster["authOptions"] == {"mode": "token"}
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        for container in group["template"]["spec"]["containers"]:
            assert container["resources"]["limits"] == container["resources"]["requests"]
    mounts = cluster["headGroupSpec"]["template"]["spec"]
    assert {m["name"] for m in mounts["containers"][0]["volumeMounts"]} == {
        v["name"] for v in mounts["volumes"]
    }
    workers = cluster["workerGroupSpecs"][0]
    assert workers["minReplicas"] == 0 < workers["maxReplicas"]


@pytest.mark.parametrize(
    "path", ["deploy/kuberay.yaml", "deploy/slurm.sh", "cluster.yaml", "docs/cluster.md"]
)
def test_every_option_and_script_that_is_named_exists(path: str) -> None:
    text = (ROOT / path).read_text()
    known = {field.name.replace("_", "-") for field in dataclasses.fields(ReaArgs)}
    for line in re.findall(r"experiments/rea\.py[^\n]*(?:\n[^\n]*--num-samples[^\n]*)?", text):
        assert set(re.findall(r"--([a-z][a-z-]+)", line)) <= known
    for script in re.findall(r"(?:experiments|perf|deploy)/\w+\.(?:py|sh|yaml)", text):
        assert (ROOT / script).is_file(), script


@pytest.mark.parametrize("path", ["deploy/slurm.sh", ".ci/run", ".ci/together", ".ci/experiments"])
def test_scripts_pass_shellcheck(path: str) -> None:
    found = shutil.which("shellcheck")
    if found is None:
        pytest.skip("shellcheck is not installed (it comes with the extra dev)")
    done = subprocess.run([found, str(ROOT / path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
