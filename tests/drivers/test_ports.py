"""What a run on one machine listens on."""

from __future__ import annotations

import ipaddress
import json
import subprocess
import sys

import pytest

SCRIPT = """
import json, psutil
from nas_ray.searchers import RandomSearch  # imports Ray before it is started, as a search does
from nas_ray.drivers.resources import Request, start_ray
start_ray(Request(num_cpus=2))
import ray

@ray.remote
class Worker:
    def ready(self):
        return True

worker = Worker.remote()
assert ray.get(worker.ready.remote())
this = psutil.Process()
ends = [end for one in (this, *this.children(recursive=True)) for end in one.net_connections("inet")]
print(json.dumps([end.laddr.ip for end in ends if end.status == psutil.CONN_LISTEN]))
ray.shutdown()
"""


@pytest.mark.ray
def test_a_run_on_this_machine_listens_on_loopback_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120, check=True
    )
    addresses = [ipaddress.ip_address(text) for text in json.loads(done.stdout.splitlines()[-1])]
    mapped = [getattr(address, "ipv4_mapped", None) or address for address in addresses]
    assert len(mapped) >= 4  # the store of addresses, the node, its agents and a worker
    assert all(address.is_loopback for address in mapped), mapped
