"""Django looks for models here; import each from the module that holds it."""

from compliance.models import cases, kyc, monitoring, screening, wall

__all__ = ["cases", "kyc", "monitoring", "screening", "wall"]
