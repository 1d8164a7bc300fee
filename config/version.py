"""The program's own version, as the package has it."""

VERSION = "0.1.0"
