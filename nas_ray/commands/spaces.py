"""The commands that make parts of spaces; the text of each function is what its `--help` says."""

from __future__ import annotations

from nas_ray.terminal.console import output


def trace(description: str) -> int:
    """Traces nets into graphs of their layers: what follows what, how often, and with which properties.

        nas-ray trace resnet18
        nas-ray trace densenet121 mine:net --image-size 32 --out runs/graphs
        nas-ray trace all
        nas-ray trace runs/graphs/densenet121.json

    A net runs once, without weights where it is one of torchvision, and its layers are noted in the order of
    their calls. The folder holds each graph as JSON, a table of all transitions, one of all properties, and
    pictures; several nets make one more graph, in which their counts are summed. A net that cannot be traced
    is named with the reason.
    """
    from nas_ray.commands.names import check_names
    from nas_ray.search.trace.args import TraceArgs
    from nas_ray.terminal.command_line import read_args

    args = read_args(TraceArgs, description)
    args.check()
    check_names(args)
    from nas_ray.search.trace.run import run  # torch takes seconds

    return run(args, output(piped=120))
