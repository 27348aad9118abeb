"""Password hashers: production uses Django's BCryptSHA256 with 12 rounds; tests a quick one of the same make."""

from django.contrib.auth.hashers import BCryptSHA256PasswordHasher


class QuickBCryptSHA256PasswordHasher(BCryptSHA256PasswordHasher):
    """Four rounds, for tests only: the settings of tests are the only ones that name it."""

    rounds = 4
