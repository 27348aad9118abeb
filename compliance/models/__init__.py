"""Django looks for models here; import each from the module that holds it."""

from compliance.models import kyc, screening

__all__ = ["kyc", "screening"]
