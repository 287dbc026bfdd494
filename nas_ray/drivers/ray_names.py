"""The names and words of Ray beyond its documented interface; what uses them is in `ray_compat.py`."""

from __future__ import annotations

from pathlib import Path

HEAD_NODE = "node:__internal_head__"
"""A resource that the head of a cluster alone has."""
HEAD_CALL = "/ray.rpc.NodeInfoGcsService/CheckAlive", b""
CLIENT_CALL = "/ray.rpc.RayletDriver/ClusterInfo", b"\x08\x06"  # {type: PING}, for which nothing is started
"""Calls of gRPC that a head and a server of Ray Client answer: path and message."""
CURRENT_CLUSTER = Path("ray", "ray_current_cluster")
"""The file with the address of this machine's head, below the folder of temporary files."""
SOCKET = "/session_2000-01-01_00-00-00_000000_0000000/sockets/plasma_store"
"""The longest socket below Ray's folder."""
WORKER_LOGS = "session_2*/logs/worker-*.err"
"""What workers wrote before they died, below Ray's folder; names end with the number of the process."""
ABORTED = "Initialization failure"
"""How a server of Ray Client says that its child died, which the next attempt may not."""
SAMPLE = "ray.tune.search.sample"
"""The module of the domains of a `param_space`."""
ADVICE = "Please check"
"""Where the advice begins with which Ray ends a message about its start, on files that are gone by then."""

NODE = "raylet"
"""What the process of a node is called."""
NO_NODE = "No node info found matching attributes"
"""How Ray says that this machine is no node of the cluster, after a minute."""
OTHER_VERSION = "Version mismatch"
"""How Ray says that a cluster has another version of Ray or of Python."""
WRONG_TOKEN = "InvalidAuthToken", "authentication token is invalid"
"""How Ray says that a cluster takes another token."""
NO_ANSWER = "Failed to connect to GCS"
"""What Ray writes where a head answers no more."""

PRIVATE = {
    "ray._private.ray_constants.ENABLE_RAY_CLUSTER": (
        "a local Ray listens on loopback alone",
        "it would listen on all interfaces, so none is started",
    ),
    "ray._raylet.AuthenticationTokenLoader": (
        "a local Ray has a secret of its own",
        "the secret of a Ray that this process had before is used again, and its start may fail",
    ),
    "ray._private.services.find_gcs_addresses": (
        "--address auto finds the head that runs here",
        "only the file ray_current_cluster is asked",
    ),
    "ray._private.services.find_node_ids": (
        "a machine that is no node of the cluster is told so at once",
        "it is told after a minute",
    ),
    NODE: ("--address auto without a cluster is told before Ray is imported", "any cluster here is unknown"),
    NO_NODE: ("a machine that is no node of the cluster is told so", "a sentence of Ray's"),
    OTHER_VERSION: ("other versions of Ray or Python are named", "a sentence of Ray's without them"),
    WRONG_TOKEN[0]: ("a token that a cluster refuses later on is told", "a sentence of Ray's"),
    WRONG_TOKEN[1]: ("the same of a dashboard", "a sentence of Ray's"),
    NO_ANSWER: ("a head that goes while it is joined is told at once", "it is told after five minutes"),
    "ray._private.node.Node": (
        "a local Ray has no process that scales a cluster up, serves a dashboard or forwards logs",
        "it has, and starts a second or two later",
    ),
    "ray.util.client.ray": (
        "searches notice that they run over Ray Client",
        "no search is started, as Tune would run on the wrong side",
    ),
    "ray.tune.result": (
        "TuneSearcher knows which entries of a result are Tune's",
        "no search is started, as rows would have columns of Tune's",
    ),
    "ray.tune.result.DEFAULT_METRIC": (
        "a trial that does not report the metric is a failed row",
        "such a trial ends the run",
    ),
    SAMPLE: (
        "a restored TuneSearcher goes on drawing what param_space has beside an arch",
        "param_space has to be given to Tuner.restore again",
    ),
    "_temp_dir": (
        "a local Ray keeps sockets and logs in a private folder",
        "Ray refuses the argument, and none is started",
    ),
    "object_spilling_directory": (
        "objects that do not fit into memory go to the user's folder",
        "Ray refuses the argument, and none is started",
    ),
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": (
        "Ray leaves CUDA_VISIBLE_DEVICES alone and does not warn of it",
        "a line of warning at each start",
    ),
    "RAY_AIR_NEW_OUTPUT": ("Tune draws nothing beside our own progress", "two kinds of progress at once"),
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": (
        "Tune warns of nothing that is not used here",
        "such warnings",
    ),
    "RAY_prestart_worker_first_driver": (
        "the start does not wait for workers that die",
        "a start waits for ever where workers cannot start",
    ),
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": (
        "the processes of a local Ray listen on loopback alone",
        "they listen on all interfaces",
    ),
    HEAD_NODE: (
        "Tune runs at the head over Ray Client",
        "a search over Ray Client waits for ever for its node",
    ),
    HEAD_CALL[0]: (
        "a cluster is greeted before it is joined",
        "every cluster is taken for something else than Ray",
    ),
    CLIENT_CALL[0]: (
        "a server of Ray Client is greeted before it is joined",
        "every server is taken for something else than Ray",
    ),
    str(CURRENT_CLUSTER): ("--address auto finds a cluster that was joined here", "it finds none"),
    SOCKET: ("the private folder is short enough for sockets", "Ray says that its path is too long"),
    WORKER_LOGS: (
        "workers that die as they start are noticed, and why",
        "it takes two minutes, and no reason is told",
    ),
    ABORTED: ("joining over Ray Client is tried again", "one attempt in some dozens fails"),
    ADVICE: ("a message about Ray's start ends before its advice", "it names files that are gone"),
    "ray.cloudpickle.register_pickle_by_value": (
        "modules of a user's own travel to workers",
        "no search is started with one",
    ),
    "ray.tune.execution.tune_controller.TuneController.get_live_trials": (
        "the newest trial is started first, so that all workers come up",
        "a search ends with an error",
    ),
}
"""By name, which feature depends on it, and what happens where a Ray has it no more."""
