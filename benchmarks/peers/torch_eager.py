"""PyTorch by hand, eagerly: the plain loop over batches that its tutorials teach."""

from __future__ import annotations

import math
import time

import torch
from torch import nn
from torch.nn import functional

from benchmarks.peers import report
from bnlab import arithmetic, data

PIXELS, FIRST, SECOND, CLASSES = arithmetic.WIDTHS


def he_normal(layer: nn.Linear) -> nn.Linear:
    """Draw as Keras does: a normal distribution, cut off at two standard deviations."""
    sd = math.sqrt(2 / layer.in_features) / 0.87962566
    nn.init.trunc_normal_(layer.weight, std=sd, a=-2 * sd, b=2 * sd)
    nn.init.zeros_(layer.bias)
    return layer


def glorot_uniform(layer: nn.Linear) -> nn.Linear:
    nn.init.xavier_uniform_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def normalization(width: int) -> nn.BatchNorm1d:
    # Keras's momentum of 0.99 is 0.01 here: PyTorch's is the share of the new.
    return nn.BatchNorm1d(width, momentum=0.01, eps=1e-3)


def baseline() -> nn.Sequential:
    return nn.Sequential(
        he_normal(nn.Linear(PIXELS, FIRST)),
        nn.LeakyReLU(0.3),
        he_normal(nn.Linear(FIRST, SECOND)),
        nn.LeakyReLU(0.3),
        glorot_uniform(nn.Linear(SECOND, CLASSES)),
    )


def bn_approach_one() -> nn.Sequential:
    return nn.Sequential(
        normalization(PIXELS),
        glorot_uniform(nn.Linear(PIXELS, FIRST)),
        nn.ReLU(),
        normalization(FIRST),
        glorot_uniform(nn.Linear(FIRST, SECOND)),
        nn.ReLU(),
        normalization(SECOND),
        glorot_uniform(nn.Linear(SECOND, CLASSES)),
    )


def bn_approach_two() -> nn.Sequential:
    return nn.Sequential(
        normalization(PIXELS),
        glorot_uniform(nn.Linear(PIXELS, FIRST, bias=False)),
        normalization(FIRST),
        nn.ReLU(),
        glorot_uniform(nn.Linear(FIRST, SECOND, bias=False)),
        normalization(SECOND),
        nn.ReLU(),
        glorot_uniform(nn.Linear(SECOND, CLASSES)),
    )


@torch.no_grad()
def totals(loss: torch.Tensor, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the sum of the losses, from their mean, and the number of right answers."""
    return torch.stack([loss * len(labels), (logits.argmax(1) == labels).sum()])


def train(model: nn.Sequential, images: data.FashionMNIST, epochs: int) -> report.Trained:
    pixels, valid_pixels = (
        torch.tensor(part.pixels).reshape(-1, PIXELS) for part in (images.train, images.valid)
    )
    labels, valid_labels = (torch.tensor(part.labels) for part in (images.train, images.valid))
    optimizer = torch.optim.SGD(model.parameters(), lr=report.LEARNING_RATE)
    history, seconds = [], []
    for _ in range(epochs):
        started = time.perf_counter()
        model.train()
        sums = torch.zeros(2)
        for indices in torch.randperm(len(labels)).split(report.BATCH_SIZE):
            logits = model(pixels[indices])
            loss = functional.cross_entropy(logits, labels[indices])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            sums += totals(loss, logits, labels[indices])
        model.eval()
        with torch.no_grad():
            logits = model(valid_pixels)
            loss = functional.cross_entropy(logits, valid_labels)
        valid = totals(loss, logits, valid_labels)
        history.append([*(sums / len(labels)).tolist(), *(valid / len(valid_labels)).tolist()])
        seconds.append(time.perf_counter() - started)
    # PyTorch also counts the batches that a BN layer has seen; that is no parameter.
    parameters = sum(value.numel() for value in model.state_dict().values() if value.ndim)
    return report.Trained(history, seconds, parameters)


def main() -> None:
    chosen = report.parser().parse_args()
    images = data.load()
    trained = {}
    for build in (baseline, bn_approach_one, bn_approach_two):
        torch.manual_seed(report.SEED)
        trained[build.__name__] = train(build(), images, chosen.epochs)
    report.finish(trained, "torch", "numpy")


if __name__ == "__main__":
    main()
