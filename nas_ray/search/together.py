"""What cannot be scored together, told in a sentence."""

from __future__ import annotations

from collections.abc import Mapping

from nas_ray.errors import UsageError
from nas_ray.proxies import Proxy
from nas_ray.proxies.measured import MEASURED
from nas_ray.search.argument_groups import EstimateArgs
from nas_ray.shared_weights.together import has_together
from nas_ray.spaces import SearchSpace


def check_together(args: EstimateArgs, space: SearchSpace, proxies: Mapping[str, Proxy]) -> None:
    """Checks that archs of a space can be scored together.

    Raises:
        UsageError: they cannot, or options exclude it.
    """
    option = f"--archs-per-trial {args.archs_per_trial}"
    if args.own_weights:
        raise UsageError(
            f"{option} scores archs on the weights of one net, and --own-weights asks for an initialisation "
            "of each; leave one of them out."
        )
    if measured := [name for name in proxies if name in MEASURED]:
        raise UsageError(
            f"{option} scores archs on parts of one large net, which do not cost what the nets cost, and "
            f"cannot measure {measured[0]}; leave --archs-per-trial out."
        )
    if not has_together(space):
        raise UsageError(
            f"{option} needs the search space nats-tss or nats-sss, got {args.space!r}; leave "
            "--archs-per-trial out. A space of your own may have a method together (docs/batched.md)."
        )
