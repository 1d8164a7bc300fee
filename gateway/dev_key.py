"""The installation's key for development tokens: a file only its owner can read, made when first needed."""

import os
import secrets
from pathlib import Path

from actors.features.auth.dev_tokens import KEY_BYTES
from config.errors import StartError


def load_dev_key(data_dir: Path) -> bytes:
    """Return the key, making it at first use.

    Raises:
        StartError: the file cannot be made, or is not what we made.
    """
    path = data_dir / "keys" / "dev.key"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(KEY_BYTES))
        key = path.read_bytes()
    except OSError as error:
        msg = f"the development key {path} cannot be used: {error.strerror}"
        raise StartError(msg) from error
    if len(key) != KEY_BYTES:
        msg = f"{path} is damaged: remove it, and make new tokens"
        raise StartError(msg)
    return key
