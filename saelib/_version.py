"""The version, where every module can have it without asking the package for it."""

__all__ = ["__version__"]

__version__ = "0.1.0"
