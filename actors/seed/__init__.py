"""Believable data for any tenant, made from its model: ``run.py seed SLUG`` and tests use it.

``generate`` is pure: the same model, seed and day give the same rows. ``seed_tenant`` sends them through the
tenant's own create operation, so that every rule and constraint has its say.
"""
