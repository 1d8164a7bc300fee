"""Commands of ``run.py`` about the HTTP surface: ``configure(parser)`` and ``run(arguments, settings)``."""
