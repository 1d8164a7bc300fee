"""Makes one picture smaller, in a process of its own that can do nothing else.

Decides that a picture's size is read before its pixels are: what claims too many is refused undecoded. The
picture comes on standard input and goes out on standard output; arguments: width, height, how, quality.
Started by ``pictures``; never imported by the server.
"""

import io
import sys
from typing import IO

from actors.features.functions.worker.confine import confine, die_with_parent

MAX_PIXELS = 40_000_000
MEMORY = 512 << 20
TOO_LARGE, UNREADABLE = 3, 4
"""Exit codes."""
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")


def main(width: int, height: int, how: str, quality: int, source: IO[bytes], target: IO[bytes]) -> int:
    """Read, check, make smaller, write; returns the exit code."""
    from PIL import Image, ImageOps  # noqa: PLC0415 - before the process is shut in

    Image.preinit()
    Image.init()
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    die_with_parent()
    confine(MEMORY, 3)
    data = source.read()
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                return TOO_LARGE
            picture.draft("RGB", (width or picture.width, height or picture.height))
            turned = ImageOps.exif_transpose(picture)
            size = (width or turned.width, height or turned.height)
            if how == "cover" and width and height:
                made = ImageOps.fit(turned, size)
            elif how == "fill" and width and height:
                made = turned.resize(size)
            else:
                made = turned.copy()
                made.thumbnail(size)
            shown = made if made.mode in {"RGB", "RGBA"} else made.convert("RGBA")
            buffer = io.BytesIO()
            shown.save(buffer, "WEBP", quality=quality)
    except Image.DecompressionBombError:
        return TOO_LARGE
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it is no picture we read
        return UNREADABLE
    target.write(buffer.getvalue())
    target.flush()
    return 0


if __name__ == "__main__":
    _width, _height, _how, _quality = sys.argv[1:]
    sys.exit(main(int(_width), int(_height), _how, int(_quality), sys.stdin.buffer, sys.stdout.buffer))
