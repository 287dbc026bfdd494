"""One-shot search as a state machine: epochs and steps from outside, no data, no loops, plain torch."""

from __future__ import annotations

import copy

from nas_ray.shared_weights.methods.batches import Batch, Batches, on_device
from nas_ray.shared_weights.methods.chance import Chance
from nas_ray.shared_weights.methods.core import SearchCore
from nas_ray.shared_weights.methods.curvature import curvature
from nas_ray.shared_weights.methods.derivation import DERIVATIONS, by_strength
from nas_ray.shared_weights.methods.derive import skip_connections
from nas_ray.shared_weights.methods.stop import WINDOW, back_to, has_many_skips


class OneShotSearch(SearchCore):
    """Trains a supernet of a space by a method, and derives an arch from it.

    `begin_epoch`, `step` for each pair of batches and `end_epoch` are called from outside, with whatever data
    and loop there is; nothing is read back from a GPU in `step` by methods that compute all operations. A
    loss that is NaN is returned as every other, and derivation then gives some arch.

    Args:
        method: what is done.
        space: what is searched in.
        num_classes: outputs of the net.
        image_size: pixels of a side, by which a space chooses its stem.
        epochs: of the whole search, by which all schedules go.
        steps_per_epoch: how often `step` is called in an epoch.
        seed: of all weights and all that is drawn.
        channels: width of the first cells; None for that of the space.
        cells: how many there are; None for those of the space, or of a published stage.
        loss: of outputs and targets.
        device: where the net is.
        make_net: makes the supernet.

    Attributes:
        net: the supernet.
        finished: whether the method has ended the search before its last epoch.

    Raises:
        UsageError: the space has no supernet, or not one as the method needs it.
    """

    def end_epoch(self) -> None:
        """Looks whether the search ends here; what then counts are the parameters that the rule names."""
        if self.method.stop == "skips":
            self.finished = has_many_skips(skip_connections(self.space.to_edges(self.current_arch())[0]))
        elif self.method.stop == "eigenvalue" and self.last_valid is not None:
            self.eigenvalues.append(self.lambda_max(self.last_valid))
            self.earlier.append(copy.deepcopy(self.mixes.arch.state_dict()))
            back = back_to(self.eigenvalues)
            if back is not None:
                self.mixes.arch.load_state_dict(self.earlier[back - len(self.eigenvalues)])
                self.finished = True
            self.earlier = self.earlier[-WINDOW - 1 :]

    def current_arch(self) -> str:
        """Returns the arch of the strongest operations, which takes no data and changes nothing."""
        return by_strength(self)

    def derive(self, valid: Batches, train: Batches | None = None) -> str:
        """Returns the arch that was found; the search is then as it was.

        Args:
            valid: validation batches, which can be read several times.
            train: training batches, which can be read several times too, with which `derive=perturbation`
                trains on between its decisions.
        """
        return DERIVATIONS[self.method.derive](self, valid, train)

    def evaluate(self, batches: Batches) -> float:
        """Returns the accuracy of the supernet in percent, by strengths or sampled paths (`Mixes.judged`)."""
        return self.judged(batches)["valid_acc"]

    def judged(self, batches: Batches) -> dict[str, float]:
        """Returns columns of how good the supernet is: `valid_acc`, and of a text `valid_nats` as well."""
        chance = Chance(self.seed + self.epoch, self.device)
        return self.training.judged(batches, lambda: self.mixes.judged(chance).mix(), self.device)

    def lambda_max(self, valid: Batch) -> float:
        """Returns the largest eigenvalue of the Hessian of a validation loss by the parameters of operations.

        It is NaN for methods without parameters, and where the loss is not finite.
        """
        return curvature(self.training, self.mixes, on_device(valid, self.device))
