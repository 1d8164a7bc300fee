"""Commands of ``run.py``: ``configure(parser)`` names the arguments, ``run(arguments, settings)`` acts."""
