"""Names and refusals of the storage API, as Supabase's clients know them.

Decides which names objects can have: they are only ever names, never paths on a machine.
"""

import re
import unicodedata
from urllib.parse import parse_qsl

from actors.messages import Call, ProblemError

PLACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,99}", re.ASCII)
"""Names of buckets."""
MAX_PATH = 1024


def checked_path(path: str) -> str:
    """Return an object's path.

    Raises:
        ProblemError: storage.bad_path.
    """
    parts = path.split("/")
    shown = all(char.isprintable() for char in path)
    if (
        not path
        or len(path.encode()) > MAX_PATH
        or not shown
        or "" in parts
        or "." in parts
        or ".." in parts
        or "\\" in path
        or unicodedata.normalize("NFC", path) != path
    ):
        raise problem("storage.bad_path", f"Invalid key: {path[:100]}", 400, "InvalidKey")
    return path


def problem(code: str, message: str, status: int, error: str) -> ProblemError:
    """Return a refusal with what Supabase's clients look for beside our own."""
    return ProblemError(code, message, more={"statusCode": str(status), "error": error})


def no_object() -> ProblemError:
    """Return the refusal for an object that is not there, or not for this caller."""
    return problem("file.not_found", "Object not found", 404, "not_found")


def place_of(bucket: str, path: str) -> str:
    """Return a place as part of an address; clients encode what no address may hold themselves."""
    return f"{bucket}/{path}".replace("%", "%25").replace("?", "%3F").replace("#", "%23")


def query_of(call: Call) -> dict[str, str]:
    """Return the parameters of a call."""
    return dict(parse_qsl(call.query, keep_blank_values=True))
