"""Mail addresses in their one form.

Decides which spellings are the same address and which are none: letters of other scripts look alike, line
breaks would reach mail headers, so neither is taken. Called wherever an address enters.
"""

import re

from actors.messages import ProblemError

MAX_EMAIL = 254
_LOCAL = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ADDRESS = re.compile(rf"(?=.{{1,64}}@){_LOCAL}@(?:{_LABEL}\.)+{_LABEL}", re.ASCII)


def canonical_email(text: str) -> str:
    """Return an address in lower case.

    Raises:
        ProblemError: auth.email_address_invalid.
    """
    address = text.strip(" ")
    if address.isascii() and len(address) <= MAX_EMAIL:
        address = address.lower()
        if _ADDRESS.fullmatch(address):
            return address
    message = "Unable to validate email address: invalid format"
    raise ProblemError(
        "auth.email_address_invalid",
        message,
        errors=({"pointer": "/email", "code": "format", "detail": message},),
    )
