"""Traces nets, and writes and shows their graphs."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.progress import track
from torch import nn

from nas_ray.drivers.lifecycle import Ending, command_again, guarded
from nas_ray.errors import LONGEST_NAME, UsageError
from nas_ray.process.foreign_code import ForeignCode
from nas_ray.process.plugins import make_named, resolve
from nas_ray.process.started import command_for
from nas_ray.report.net_graph import draw_graph
from nas_ray.runs.claim import claimed
from nas_ray.runs.folder import FILE_NAME
from nas_ray.runs.record import Record
from nas_ray.runs.writing import staged, write_table, write_text
from nas_ray.search.trace.args import ALL, GRAPH, TraceArgs
from nas_ray.search.trace.shown import show
from nas_ray.search.trace.tables import property_rows, transition_rows
from nas_ray.spaces.graphs.graph import LayerGraph, together
from nas_ray.spaces.graphs.properties import released
from nas_ray.spaces.graphs.seed_names import seed_names
from nas_ray.spaces.graphs.seeds import seed_graph
from nas_ray.spaces.graphs.stored import graph_text, read_graph
from nas_ray.spaces.graphs.tracing import trace
from nas_ray.terminal.console import error_console, say
from nas_ray.terminal.next_steps import say_next
from nas_ray.terminal.text import counted

EXPERIMENT = "trace"
TOGETHER = "together"
"""The name of the graph of several nets."""
TRANSITIONS, PROPERTIES = "transitions", "properties"
MOST_PICTURES = 8
"""Nets of which each has a picture; more have that of all together."""
HOOKS = {"described": "layers", "released": "released"}


def run(args: TraceArgs, console: Console) -> int:
    """Traces the nets, shows and writes their graphs; returns the exit code.

    Raises:
        UsageError: no net could be traced.
    """
    args.check()
    out = args.out or Path("runs") / f"{EXPERIMENT}-{time.strftime('%Y%m%d-%H%M%S')}"
    with claimed(out, EXPERIMENT):
        record = Record(out, EXPERIMENT, args)

        def work() -> int:
            record.begin()
            began = time.perf_counter()
            graphs, refused = traced(args)
            seconds = time.perf_counter() - began
            if len(graphs) > 1:
                graphs[TOGETHER] = together(TOGETHER, graphs.values())
            write(out, graphs, record)
            record.add(refused={name: str(error) for name, error in refused.items()}, seconds=seconds)
            show(graphs, refused, console)
            record.end("finished")
            say(console, f"Folder: {out} ({counted(len(graphs), 'graph')}, traced in {seconds:.1f} s)")
            last = list(graphs)[-1]
            then = ALL if ALL not in args.nets else out / f"{file_name(last)}{GRAPH}"
            say_next(console, command_for(EXPERIMENT, then))
            return 0

        return guarded(work, Ending("tracing", record.end, go_on=lambda: command_again(out)), console)


def traced(args: TraceArgs) -> tuple[dict[str, LayerGraph], dict[str, UsageError]]:
    """Returns the graphs of the nets by name, and why the others have none.

    Raises:
        UsageError: none has one, or two have one name.
    """
    names = [one for given in args.nets for one in (seed_names() if given == ALL else (given,))]
    graphs: dict[str, LayerGraph] = {}
    refused: dict[str, UsageError] = {}
    for name in track(dict.fromkeys(names), "Nets", console=error_console(), transient=True):
        try:
            graph = graph_of_named(name, args)
        except UsageError as error:
            refused[name] = error
            continue
        taken = {Path(FILE_NAME).stem, *map(file_name, graphs), *([TOGETHER] if len(names) > 1 else [])}
        if file_name(graph.name) in taken:
            raise UsageError(
                f"Every graph must have a name of its own, got {graph.name!r}, whose file is another's; "
                "trace it alone, or rename it."
            )
        graphs[graph.name] = released(graph) if args.variant == "released" else graph
    if not graphs:
        raise next(iter(refused.values()))
    return graphs, refused


def graph_of_named(name: str, args: TraceArgs) -> LayerGraph:
    """Returns the graph of one net.

    Raises:
        UsageError: there is no such net, or it cannot be traced.
    """
    if name.endswith(GRAPH):
        return read_graph(name)
    if name in seed_names():
        return seed_graph(name, hooks=HOOKS[args.variant])
    image = (args.image_channels, args.image_size, args.image_size)
    return trace(own_net(name), image, name=name, hooks=HOOKS[args.variant])


def own_net(name: str) -> nn.Module:
    """Returns the net that `module:function` returns, or that `module:net` is.

    Raises:
        UsageError: it is none.
    """
    made: Any = resolve("net", name, {}, "nas_ray.nets")
    if callable(made) and not isinstance(made, nn.Module):
        made = make_named("net", name, _contained, made)
    if not isinstance(made, nn.Module):
        raise UsageError(
            f"The net {name!r} must be a function that returns an nn.Module, got {type(made).__name__}."
        )
    return made


def _contained(make: Callable[[], Any]) -> Any:
    with ForeignCode():
        return make()


def write(out: Path, graphs: Mapping[str, LayerGraph], record: Record) -> None:
    """Writes graphs, tables and pictures, all or none of them."""
    drawn = graphs if len(graphs) <= MOST_PICTURES else {TOGETHER: graphs[TOGETHER]}
    with staged(out) as beside:
        for name, graph in graphs.items():
            write_text(beside / f"{file_name(name)}{GRAPH}", graph_text(graph))
        alone = [graph for name, graph in graphs.items() if name != TOGETHER]
        write_table(
            beside, pd.DataFrame([row for graph in alone for row in transition_rows(graph)]), TRANSITIONS
        )
        write_table(
            beside, pd.DataFrame([row for graph in alone for row in property_rows(graph)]), PROPERTIES
        )
        for name, graph in drawn.items():
            draw_graph(graph, beside / f"{file_name(name)}.png")
    for table in (TRANSITIONS, PROPERTIES):
        record.wrote(table)


def file_name(name: str) -> str:
    """Returns the name of a net as that of a file, `mine-net` for `mine:net`."""
    return re.sub(r"[^\w.-]", "-", name)[:LONGEST_NAME].lstrip(".") or "net"
