"""The platform's own operations and functions: what rows of the tenant ``system`` cannot say by themselves.

People who enter tenants, tenants that are made, closed, copied and deleted, and their files through the API.
``operations`` is the table of all of it.
"""
