"""The modules of torch.nn that are functions of arrays: nn.Softmax(dim=0)(x) is softmax(x, dim=0)."""

from __future__ import annotations

from typing import NamedTuple

from gradcheck_cli.language import modules
from gradcheck_cli.tensors.functions import TENSOR_FUNCTIONS


class Module(NamedTuple):
    """function: what it computes, by its name. parameters: what it is made with by position, in torch's order."""

    function: str
    parameters: tuple[str, ...] = ()

    def arguments(self) -> tuple[str, ...]:
        """What it is called with."""
        if self.function not in TENSOR_FUNCTIONS:
            return ("input",)
        return tuple(p.name for p in TENSOR_FUNCTIONS[self.function].parameters if p.required)


MODULES = {
    name: Module(one.row.name, one.parameters) for name, one in modules.MODULES.items() if one.row.name != "module"
} | {
    "Softmax": Module("softmax", ("dim",)),
    "LogSoftmax": Module("log_softmax", ("dim",)),
    "Softmin": Module("softmin", ("dim",)),
    "CrossEntropyLoss": Module("cross_entropy"),
    "NLLLoss": Module("nll_loss"),
    "CosineSimilarity": Module("cosine_similarity", ("dim", "eps")),
    "Flatten": Module("flatten"),
}
