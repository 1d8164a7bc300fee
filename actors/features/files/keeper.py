"""One tenant's way to the store: its objects, its key for links, its room.

Decides which key signs links: one per tenant, derived from the secret that all processes share, so that a
link of one tenant opens nothing of another. Made with each generation.
"""

import hashlib
import hmac

from msgspec import Struct, field

from actors.features.files.links import Links
from actors.features.files.pictures import Pictures
from actors.features.files.store import Key, Store
from actors.messages import TenantIdentity
from actors.tenant.quotas import TenantQuota
from config.settings import FileSettings


class Files(Struct, frozen=True):
    """What all tenants of a process share.

    Attributes:
        store: of the bytes.
        settings: sizes.
        pictures: makes smaller ones.
    """

    store: Store
    settings: FileSettings = field(default_factory=FileSettings)
    pictures: Pictures = field(default_factory=Pictures)


class TenantFiles(Struct, frozen=True):
    """One tenant's part of it; ``quota`` None: nobody counts."""

    shared: Files
    tenant: str
    links: Links
    quota: TenantQuota | None = None

    def key(self, name: str) -> Key:
        """Return the key of one of the tenant's objects."""
        return Key(self.tenant, name)


def files_of(
    shared: Files, identity: TenantIdentity, cluster_key: bytes, quota: TenantQuota | None
) -> TenantFiles:
    """Return a tenant's part of the store."""
    secret = hmac.digest(cluster_key, b"backsaas file links\0" + identity.id.encode(), hashlib.sha256)
    return TenantFiles(shared, identity.id, Links(secret), quota)
