"""Names and attributes of the cookies of a realm.

Decides which cookie belongs to which tenant: where tenants share an origin, each has a name of its own.
"""


def session_cookie(slug: str, *, secure: bool) -> str:
    """Return the name of a tenant's session cookie; ``__Host-`` ties it to one host where there is TLS."""
    return f"__Host-bs_{slug}" if secure else f"bs_{slug}"
