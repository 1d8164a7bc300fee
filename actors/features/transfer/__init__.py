"""Rows out of a tenant as files, and files into it as rows."""
