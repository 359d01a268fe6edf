"""Batch normalization on Fashion-MNIST: the experiments that the course's pages run."""

__version__ = "0.1.0"
