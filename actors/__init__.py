"""Actors of the platform: database, directory, watcher and one actor per tenant."""
