"""What functions may reach outside their tenant's rows, built-in and Python ones alike."""

from msgspec import Struct

from actors.features.functions.built_in.context import Events
from actors.mail import Mailer
from actors.outbound import Outbound


class Services(Struct):
    """Shared by all tenants.

    Attributes:
        events: where events go; None where there are none.
    """

    mailer: Mailer
    outbound: Outbound
    events: Events | None = None
