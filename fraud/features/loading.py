"""Find every module of the catalogue, so that a new feature is one new file."""

import importlib
import pkgutil

from fraud.features import catalogue
from fraud.features.definitions import FEATURES

__all__ = ["FEATURES", "load"]


def load() -> None:
    """Import the catalogue; safe to call twice."""
    for module in pkgutil.iter_modules(catalogue.__path__):
        importlib.import_module(f"{catalogue.__name__}.{module.name}")
