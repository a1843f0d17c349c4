"""Sparse autoencoders in numpy."""

__version__ = "0.1.0"
