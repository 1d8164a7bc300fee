"""Files in a bucket of an S3-compatible service.

Decides nothing beyond names: an object is ``TENANT/NAME``. Small objects are sent in one request, large ones
in parts while they come; either way nobody sees one before it is whole. Parts of uploads that break off are
the bucket's to forget (a lifecycle rule for incomplete uploads). ``obstore`` does the protocol; it is loaded
where a bucket is set.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from actors.features.files.store import PIECE, Key, Stored
from config.settings import FileSettings

_PART = 8 << 20
_BATCH = 500
_RETRIES = {"max_retries": 3, "retry_timeout": timedelta(seconds=15)}


class S3Store:
    """See the module's docstring.

    Args:
        settings: with a bucket.
    """

    def __init__(self, settings: FileSettings) -> None:
        # loaded when a bucket is set: 8 MB that other installations do without
        import obstore  # noqa: PLC0415
        from obstore import exceptions  # noqa: PLC0415
        from obstore import store as stores  # noqa: PLC0415

        options: dict[str, Any] = {"region": settings.s3_region, "retry_config": _RETRIES}
        if settings.s3_endpoint:
            options |= {"endpoint": settings.s3_endpoint, "virtual_hosted_style_request": False}
            options["client_options"] = {"allow_http": settings.s3_endpoint.startswith("http:")}
        if settings.s3_key:
            options |= {"access_key_id": settings.s3_key, "secret_access_key": settings.s3_secret}
        self._library: Any = obstore
        self._failure: type[Exception] = exceptions.BaseError
        self._store: Any = stores.S3Store(settings.s3_bucket, **options)

    def create(self, key: Key) -> "S3Writer":
        """Begin an object."""
        writer = self._library.open_writer_async(
            self._store, _path(key), buffer_size=_PART, max_concurrency=2
        )
        return S3Writer(writer, self)

    async def open(self, key: Key, first: int, size: int) -> AsyncGenerator[bytes, None]:
        """Return bytes of an object as they come."""
        with self.told():
            found = await self._library.get_async(
                self._store, _path(key), options={"range": (first, first + size)}
            )
        return self._pieces(found.stream(min_chunk_size=PIECE))

    async def copy(self, source: Key, target: Key) -> None:
        """Let the service copy an object."""
        with self.told():
            await self._library.copy_async(self._store, _path(source), _path(target))

    async def delete(self, key: Key) -> None:
        """Remove an object."""
        await self._delete([_path(key)])

    async def delete_tenant(self, tenant: str) -> None:
        """Remove everything of a tenant."""
        paths = [f"{tenant}/{stored.name}" async for stored in self.names(tenant)]
        for start in range(0, len(paths), _BATCH):
            await self._delete(paths[start : start + _BATCH])

    async def names(self, tenant: str) -> AsyncIterator[Stored]:
        """Yield a tenant's objects."""
        with self.told():
            async for page in self._library.list(self._store, f"{Key(tenant, '00').checked().tenant}/"):
                for found in page:
                    yield Stored(found["path"].rpartition("/")[2], found["last_modified"].timestamp())

    async def close(self) -> None:
        """Nothing is open between requests."""

    async def _delete(self, paths: list[str]) -> None:
        try:
            with self.told():
                await self._library.delete_async(self._store, paths)
        except FileNotFoundError:
            return

    async def _pieces(self, stream: Any) -> AsyncGenerator[bytes, None]:  # noqa: ANN401 - of the library
        with self.told():
            async for piece in stream:
                yield bytes(piece)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turn what the library says into what a store says.

        Raises:
            OSError: the service cannot be reached, or refuses.
        """
        try:
            yield
        except self._failure as error:
            if isinstance(error, OSError):
                raise
            raise OSError(str(error)[:300]) from error


class S3Writer:
    """An object that is being written.

    Args:
        writer: the library's.
        store: whose it is.
    """

    def __init__(self, writer: Any, store: S3Store) -> None:  # noqa: ANN401 - of the library
        self._writer = writer
        self._store = store

    async def write(self, piece: bytes) -> None:
        """Add bytes; a part at a time is sent."""
        with self._store.told():
            await self._writer.write(piece)

    async def commit(self) -> None:
        """Send what is left and make it an object."""
        with self._store.told():
            await self._writer.close()

    async def abort(self) -> None:
        """Never make it an object."""
        self._writer = None


def _path(key: Key) -> str:
    tenant, name = key.checked()
    return f"{tenant}/{name}"
