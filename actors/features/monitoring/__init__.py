"""How the process is, for administrators of the platform: actors, connections, errors, slow statements."""
