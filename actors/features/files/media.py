"""What a file is, by its first bytes; and what a browser may be shown.

Decides that the bytes count, not the name and not what a client says (WHATWG MIME Sniffing has the signatures
of what browsers know). What has no signature is text when it reads like text, and bytes otherwise; text that
could run in a browser is called what it is.
"""

from collections.abc import Sequence

HEAD = 4096
"""Bytes that are looked at."""
UNKNOWN = "application/octet-stream"
_DRAWING = "image/svg+xml"

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"\x00\x00\x01\x00", "image/x-icon"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"PK\x05\x06", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\x00", "application/x-xz"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (257, b"ustar", "application/x-tar"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"%!PS", "application/postscript"),
    (0, b"\x7fELF", "application/x-executable"),
    (0, b"MZ", "application/x-msdownload"),
    (0, b"\x00asm", "application/wasm"),
    (0, b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS", "application/ogg"),
    (0, b"MThd", "audio/midi"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"wOFF", "font/woff"),
    (0, b"wOF2", "font/woff2"),
    (0, b"OTTO", "font/otf"),
    (0, b"\x00\x01\x00\x00\x00", "font/ttf"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS = {b"avif": "image/avif", b"avis": "image/avif", b"heic": "image/heic", b"heix": "image/heic",
           b"mif1": "image/heif", b"qt  ": "video/quicktime", b"M4A ": "audio/mp4"}  # fmt: skip
_REFINES = {
    "application/zip": (
        "application/vnd.openxmlformats-officedocument.", "application/vnd.oasis.opendocument.",
        "application/epub+zip", "application/java-archive", "application/vnd.android.package-archive",
    ),
    "application/x-ole-storage": ("application/msword", "application/vnd.ms-"),
    "application/ogg": ("audio/ogg", "video/ogg"),
    "video/webm": ("audio/webm", "video/x-matroska", "audio/x-matroska"),
    "video/mp4": ("audio/mp4",),
    "text/plain": ("text/", "application/json", "application/yaml", "application/x-ndjson"),
}  # fmt: skip
"""Kinds of a container that its first bytes do not tell apart: there the client is believed."""
_ACTIVE = ("text/html", "text/xml", "text/javascript", "text/css")
"""Never believed, where the bytes do not say so."""
_INLINE = frozenset(f"image/{name}" for name in ("png", "jpeg", "gif", "webp", "avif", "bmp", "x-icon")) | {
    "text/plain"
}


def media_of(head: bytes, claimed: str) -> str:
    """Return the media type of a file.

    Args:
        head: its first ``HEAD`` bytes, or all of them.
        claimed: what the client says, "" for nothing; counts only between what the bytes do not tell apart.
    """
    found = _signed(head) or (_text(head) if _reads_as_text(head) else UNKNOWN)
    name = claimed.partition(";")[0].strip().lower()
    refined = _REFINES.get(found, ())
    return name if name.startswith(refined) and name not in _ACTIVE and refined else found


def accepts(accepted: Sequence[str], media: str) -> bool:
    """Whether a media type is one of those accepted; none at all means every.

    ``image/*`` has no SVG, which is a document with scripts: who wants it says so.
    """
    group = "" if media == _DRAWING else media.partition("/")[0] + "/*"
    return not accepted or media in accepted or group in accepted or "*/*" in accepted


def shown_inline(media: str) -> bool:
    """Whether a browser may show it; everything else is handed out as a download, for it may run scripts."""
    return media in _INLINE or media.startswith(("audio/", "video/"))


def _signed(head: bytes) -> str:
    for place, signature, media in _SIGNATURES:
        if head.startswith(signature, place):
            return media
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], "")
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    return ""


def _reads_as_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        # a character may be cut in two at the end
        return len(head) >= HEAD and error.start >= len(head) - 3
    return True


def _text(head: bytes) -> str:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not start.startswith(b"<"):
        return "text/plain"
    if b"<svg" in start:
        return _DRAWING
    return "text/xml" if start.startswith(b"<?xml") and b"<html" not in start else "text/html"
