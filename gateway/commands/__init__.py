"""Commands of ``run.py`` that concern the HTTP surface: ``configure(parser)`` and ``run(arguments, settings)``."""
