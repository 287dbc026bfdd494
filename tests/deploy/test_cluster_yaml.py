from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import ray.autoscaler
import yaml

CONFIG = Path(__file__).parents[2] / "cluster.yaml"


def test_it_is_valid_by_the_schema_that_ray_up_uses() -> None:
    schema = json.loads((Path(ray.autoscaler.__file__).parent / "ray-schema.json").read_text())
    config = yaml.safe_load(CONFIG.read_text())
    jsonschema.validate(config, schema)
    assert config["head_node_type"] in config["available_node_types"]
    assert config["available_node_types"]["gpu_worker"]["min_workers"] == 0


@pytest.mark.parametrize("file", ["cluster.yaml", "docs/cluster.md"])
def test_drivers_on_a_cluster_with_a_token_send_it(file: str) -> None:
    lines = (CONFIG.parent / file).read_text().splitlines()
    drivers = [line for line in lines if re.search(r"rea(\.py)? --address", line) and "ray://" not in line]
    assert drivers
    assert all(re.search("RAY_AUTH_MODE=token (python|nas-ray) ", line) for line in drivers)
