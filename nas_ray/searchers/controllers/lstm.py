"""A layer of LSTM in numpy: its states, and the gradients of whatever is made of them.

For nets as small as those of controllers, where a step of torch takes longer than what it computes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import expit


class Layer(NamedTuple):
    """The weights of a layer, or their gradients; gates are in the order of torch: add, keep, new, show.

    Attributes:
        reads: `[4 * units, width]` of what is read.
        keeps: `[4 * units, units]` of the state before.
        bias: `[4 * units]`.
    """

    reads: np.ndarray
    keeps: np.ndarray
    bias: np.ndarray


class Run(NamedTuple):
    """What a layer made of sequences.

    Attributes:
        inputs: `[steps, sequences, width]`.
        gates: `[steps, sequences, 4 * units]`, open from 0 to 1, or -1 to 1 where they are new.
        cells: `[steps + 1, sequences, units]`, zeros first.
        shown: `[steps, sequences, units]` of them, from -1 to 1.
        states: `[steps + 1, sequences, units]`, zeros first.
    """

    inputs: np.ndarray
    gates: np.ndarray
    cells: np.ndarray
    shown: np.ndarray
    states: np.ndarray


def run(layer: Layer, inputs: np.ndarray) -> Run:
    """Returns what `layer` makes of `inputs [steps, sequences, width]`."""
    (steps, count), units = inputs.shape[:2], len(layer.bias) // 4
    gates = inputs @ layer.reads.T + layer.bias
    cells, states = (np.zeros((steps + 1, count, units), inputs.dtype) for _ in range(2))
    shown, keeps = np.empty_like(cells[1:]), layer.keeps.T
    for step in range(steps):
        own, cell = gates[step], cells[step + 1]
        own += states[step] @ keeps
        new = np.tanh(own[:, 2 * units : 3 * units])
        expit(own, out=own)
        own[:, 2 * units : 3 * units] = new
        np.multiply(own[:, units : 2 * units], cells[step], out=cell)
        cell += own[:, :units] * new
        np.tanh(cell, out=shown[step])
        np.multiply(own[:, 3 * units :], shown[step], out=states[step + 1])
    return Run(inputs, gates, cells, shown, states)


def uphill(layer: Layer, made: Run, wanted: np.ndarray) -> tuple[np.ndarray, Layer]:
    """Returns the gradients in the inputs, of their shape, and in the weights.

    Args:
        layer: its weights.
        made: by `run`.
        wanted: the gradients `[steps, sequences, units]` in the states.
    """
    steps, count, units = wanted.shape
    add, keep, new, show = np.moveaxis(made.gates.reshape(steps, count, 4, units), 2, 0)
    through = show * (1 - made.shown**2)  # from a state to its cell
    of_cell = np.stack(
        [new * add * (1 - add), made.cells[:-1] * keep * (1 - keep), add * (1 - new**2)], axis=2
    )
    of_state = made.shown * show * (1 - show)
    slopes = np.empty((steps, count, 4, units), wanted.dtype)  # in what the gates are made of
    state, cell = np.zeros_like(wanted[0]), np.zeros_like(wanted[0])
    for step in reversed(range(steps)):
        state += wanted[step]
        cell += state * through[step]
        np.multiply(of_cell[step], cell[:, None], out=slopes[step, :, :3])
        np.multiply(of_state[step], state, out=slopes[step, :, 3])
        cell *= keep[step]
        state = slopes[step].reshape(count, 4 * units) @ layer.keeps
    flat = slopes.reshape(steps * count, 4 * units)
    before, read = (each.reshape(len(flat), -1) for each in (made.states[:-1], made.inputs))
    return (flat @ layer.reads).reshape(made.inputs.shape), Layer(
        flat.T @ read, flat.T @ before, flat.sum(axis=0)
    )
