"""Whether a network is what the catalogue says of it: counts and pages rest on that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bnlab.catalogue import Network
from evergreen.errors import EvergreenError

if TYPE_CHECKING:
    import keras


class StructureError(EvergreenError):
    """The catalogue and a network's function say different things."""


def check(network: Network, model: keras.Sequential) -> None:
    """Compare what a function built with the catalogue's entry.

    Raises
    ------
    StructureError
        If they differ.
    """
    said, found = _of_entry(network), _of_model(model)
    if said != found:
        raise StructureError(
            f"For the network {network.name!r} catalogue.py says [{', '.join(said)}], and "
            f"networks.py builds [{', '.join(found)}]. Make both say the same."
        )


def _of_entry(network: Network) -> list[str]:
    """Return the layers that an entry describes, in their order."""
    activation = network.activation
    after_dense = {
        "none": [activation],
        "after activation": [activation, "normalization"],
        "before activation": ["normalization", activation],
    }[network.normalization]
    dropout = [f"dropout {network.dropout:g}"] if network.dropout else []
    layers = ["normalization"] if network.normalizes_inputs else []
    for width in network.hidden:
        layers += [_dense(width, network.initializer, network.bias), *after_dense, *dropout]
    return [*layers, _dense(network.widths[-1], "glorot_uniform", True), "softmax"]


def _of_model(model: keras.Sequential) -> list[str]:
    """Return the layers of a model, in their order, in the catalogue's words."""
    layers: list[str] = []
    for layer in model.layers:
        config = layer.get_config()
        match type(layer).__name__:
            case "Flatten":
                pass
            case "Dense":
                initializer = config["kernel_initializer"]["class_name"]
                snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in initializer)
                layers.append(_dense(config["units"], snake.lstrip("_"), config["use_bias"]))
                layers += [] if config["activation"] == "linear" else [config["activation"]]
            case "Activation":
                layers.append(config["activation"])
            case "LeakyReLU":
                layers.append("leaky_relu")
            case "ReLU":
                layers.append("relu")
            case "BatchNormalization":
                layers.append("normalization")
            case "Dropout":
                layers.append(f"dropout {config['rate']:g}")
            case kind:
                layers.append(kind)
    return layers


def _dense(width: int, initializer: str, bias: bool) -> str:
    return f"dense {width} {initializer}" + ("" if bias else " without bias")
