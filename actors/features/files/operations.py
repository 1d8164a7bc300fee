"""What a tenant can be asked about files: a table from operation to function."""

from collections.abc import Awaitable, Callable, Mapping

from actors.features.files import buckets, fields, listing, storage, uploads
from actors.messages import Call, Result
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal

OPERATIONS: Mapping[str, Callable[[Generation, Call, Principal], Awaitable[Result]]] = {
    "file.upload": fields.upload,
    "file.put": fields.put,
    "file.sign": fields.sign,
    "file.signed": fields.signed,
    "storage.buckets": buckets.list_buckets,
    "storage.bucket": buckets.show_bucket,
    "storage.bucket.create": buckets.create_bucket,
    "storage.bucket.update": buckets.update_bucket,
    "storage.bucket.delete": buckets.delete_bucket,
    "storage.bucket.empty": buckets.empty_bucket,
    "storage.list": listing.list_objects,
    "storage.list_page": listing.list_page,
    "storage.upload": uploads.upload,
    "storage.upload.signed": uploads.upload_signed,
    "storage.upload.sign": uploads.sign_upload,
    "storage.get": storage.download,
    "storage.get.public": storage.download_public,
    "storage.get.signed": storage.download_signed,
    "storage.sign": storage.sign,
    "storage.info": storage.info,
    "storage.remove": storage.remove,
    "storage.move": storage.move,
    "storage.copy": storage.copy,
}
