"""The fields of KubeRay's RayJob, API `ray.io/v1`, as a JSON schema; what is Kubernetes' own is left open.

Source: the API reference of KubeRay 1.6 (RayJobSpec, RayClusterSpec, HeadGroupSpec, WorkerGroupSpec,
AutoscalerOptions, AuthOptions).
"""

from __future__ import annotations

from typing import Any

TEXT, COUNT, FLAG, OPEN = {"type": "string"}, {"type": "integer", "minimum": 0}, {"type": "boolean"}, {}
TEXTS = {"type": "object", "additionalProperties": TEXT}


def closed(required: tuple[str, ...] = (), **fields: Any) -> dict[str, Any]:
    """Returns the schema of an object with `fields` and no others."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": fields,
    }


POD = {
    "type": "object",
    "required": ["spec"],
    "properties": {
        "spec": {
            "type": "object",
            "required": ["containers"],
            "properties": {
                "containers": {
                    "type": "array",
                    "minItems": 1,
                    "items": {"type": "object", "required": ["name", "image"]},
                }
            },
        }
    },
}
AUTOSCALER = closed(
    resources=OPEN, image=TEXT, imagePullPolicy=TEXT, env=OPEN, envFrom=OPEN, volumeMounts=OPEN,
    securityContext=OPEN, idleTimeoutSeconds=COUNT, version={"enum": ["v1", "v2"]},
    upscalingMode={"enum": ["Default", "Aggressive", "Conservative"]},
)  # fmt: skip
HEAD = closed(
    ("template",),
    serviceType=TEXT, headService=OPEN, enableIngress=FLAG, rayStartParams=TEXTS, template=POD,
    resources=TEXTS, labels=TEXTS,
)  # fmt: skip
WORKERS = closed(
    ("groupName", "minReplicas", "maxReplicas", "template"),
    groupName=TEXT, replicas=COUNT, minReplicas=COUNT, maxReplicas=COUNT, numOfHosts=COUNT, suspend=FLAG,
    idleTimeoutSeconds=COUNT, rayStartParams=TEXTS, resources=TEXTS, labels=TEXTS, template=POD,
    scaleStrategy=OPEN,
)  # fmt: skip
CLUSTER = closed(
    ("headGroupSpec",),
    headGroupSpec=HEAD, workerGroupSpecs={"type": "array", "items": WORKERS}, rayVersion=TEXT,
    authOptions=closed(mode={"enum": ["disabled", "token"]}), enableInTreeAutoscaling=FLAG,
    autoscalerOptions=AUTOSCALER, gcsFaultToleranceOptions=OPEN, headServiceAnnotations=TEXTS, suspend=FLAG,
    upgradeStrategy=OPEN, managedBy=TEXT,
)  # fmt: skip
JOB = closed(
    activeDeadlineSeconds=COUNT, backoffLimit=COUNT, rayClusterSpec=CLUSTER, submitterPodTemplate=POD,
    metadata=TEXTS, clusterSelector=TEXTS, submitterConfig=closed(backoffLimit=COUNT), managedBy=TEXT,
    deletionStrategy=OPEN, entrypoint=TEXT, runtimeEnvYAML=TEXT, jobId=TEXT,
    submissionMode={"enum": ["K8sJobMode", "HTTPMode", "InteractiveMode", "SidecarMode"]},
    entrypointResources=TEXT, entrypointNumCpus={"type": "number"}, entrypointNumGpus={"type": "number"},
    ttlSecondsAfterFinished=COUNT, shutdownAfterJobFinishes=FLAG, suspend=FLAG,
)  # fmt: skip
RAY_JOB = closed(
    ("apiVersion", "kind", "metadata", "spec"),
    apiVersion={"const": "ray.io/v1"}, kind={"const": "RayJob"}, spec=JOB,
    metadata={"required": ["name"], "properties": {"name": {"pattern": "^[a-z0-9-]{1,47}$"}}},
)  # fmt: skip
