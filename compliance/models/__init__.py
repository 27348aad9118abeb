"""Django looks for models here; import each from the module that holds it."""

from compliance.models import cases, monitoring, screening, wall

__all__ = ["cases", "monitoring", "screening", "wall"]
