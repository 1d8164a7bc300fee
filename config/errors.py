"""Errors an operator can mend; they end a command with one line and exit code 2."""


class StartError(Exception):
    """The program cannot start as it is set up; the message is one line and says what to do."""


class SettingsError(StartError):
    """Settings that make no sense; every one is named.

    Attributes:
        problems: one sentence each.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
