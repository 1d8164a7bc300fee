"""The pure compiler: YAML text to model, migrations and SQL."""
