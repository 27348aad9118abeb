"""`manage.py create_staff`: the way in for a new colleague, until people are made in the back office."""

import getpass
import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from flowlet.audit.trail import Actor, acting
from flowlet.identity.operations import create_user
from flowlet.identity.roles import ROLE_PERMISSIONS


class Command(BaseCommand):
    """Make one member of staff with one role. The password comes from the terminal or, piped, from standard input."""

    help = "Make a member of staff with a role; asks for the password, or reads it from standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare who it is."""
        parser.add_argument("--email", required=True)
        parser.add_argument("--name", required=True, help="full name, as colleagues see it")
        parser.add_argument("--role", required=True, choices=sorted(ROLE_PERMISSIONS))

    def handle(self, *_args: Any, **options: Any) -> None:
        """
        Make the person.

        :raises CommandError: if the password is too weak or the e-mail address is taken
        """
        try:
            with acting(Actor("SYSTEM", f"os:{getpass.getuser()}", "Command line")):
                user = create_user(
                    email=options["email"],
                    full_name=options["name"],
                    password=_password(),
                    roles=[options["role"]],
                )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except IntegrityError as error:
            raise CommandError(f"{options['email']} has an account already") from error
        self.stdout.write(f"{user.full_name} can log in as {user.email} ({options['role']}).")


def _password() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("Password (15 characters or more): ")
    return sys.stdin.readline().rstrip("\n")
