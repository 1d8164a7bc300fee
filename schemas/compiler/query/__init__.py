"""Requests to SQL statements."""
