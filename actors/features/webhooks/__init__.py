"""Webhooks: other servers hear what happened, signed, in order per row, until they have taken it."""
