"""The one error of the launcher: something a person has to know, said in a sentence or two."""


class LauncherError(Exception):
    """A start, stop or command that could not be done; its text is shown to the person as it is."""
