"""One tenant's actor: its generation, reload, migrations and requests."""
