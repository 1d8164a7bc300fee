"""The whole file: its top-level keys.

The one definition of the language: ``compile`` checks with it, ``emit.language`` prints it as JSON Schema and
reference.
"""

from schemas.compiler.grammar.containers import Key, Keyed, Record
from schemas.compiler.grammar.scalars import BOOLEAN, Integer
from schemas.compiler.names import ENTITY_PATTERN
from schemas.compiler.sections.api import API
from schemas.compiler.sections.auth import AUTH
from schemas.compiler.sections.dashboards import DASHBOARDS
from schemas.compiler.sections.entity import ENTITY
from schemas.compiler.sections.events import SUBSCRIPTIONS
from schemas.compiler.sections.indexes import INDEXES
from schemas.compiler.sections.jobs import JOBS
from schemas.compiler.sections.mails import MAILS
from schemas.compiler.sections.reports import REPORTS
from schemas.compiler.sections.shared_functions import SHARED_FUNCTIONS
from schemas.compiler.sections.storage import STORAGE
from schemas.compiler.sections.tenant import ACCESS_RULES, BRANDING, LET, LOCALE, ROLES, SERVICE
from schemas.compiler.sections.webhooks import WEBHOOKS

MAX_ENTITIES = 200

DOCUMENT = Record(
    "tenant file",
    "A whole backend: one file, one tenant.",
    {
        "version": Key(Integer(1, 1), "Version of this language: 1.", required=True),
        "service": Key(SERVICE, "Name and title."),
        "locale": Key(LOCALE, "Languages, time zone, currency."),
        "branding": Key(BRANDING, "Colour, logo, theme."),
        "auth": Key(AUTH, "How people sign up and in."),
        "roles": Key(ROLES, "Roles; public, authenticated and admin exist without being declared."),
        "let": Key(LET, "Named rules, usable by name in every expression."),
        "access_rules": Key(ACCESS_RULES, "Another spelling of let and roles."),
        "entities": Key(
            Keyed("entity", ENTITY, pattern=ENTITY_PATTERN, most=MAX_ENTITIES), "What the tenant keeps."
        ),
        "indexes": Key(
            Keyed("entity", INDEXES, pattern=ENTITY_PATTERN), "Another place for indexes: lists by entity."
        ),
        "functions": Key(SHARED_FUNCTIONS, "Functions of several entities, and those called by name."),
        "strict": Key(BOOLEAN, "A version goes live only when the tests of its functions pass."),
        "dashboards": Key(DASHBOARDS, "Numbers and charts."),
        "reports": Key(REPORTS, "Grouped figures, on demand or mailed."),
        "mails": Key(MAILS, "What mails say, for send_email and ctx.mail."),
        "jobs": Key(JOBS, "Functions on schedule."),
        "events": Key(SUBSCRIPTIONS, "Functions that run when something happens, in any entity."),
        "webhooks": Key(WEBHOOKS, "Addresses that hear what happens."),
        "storage": Key(STORAGE, "Buckets of files that belong to no row."),
        "api": Key(API, "Origins, rate limits, batches."),
        "audit": Key(BOOLEAN, "Keep every change in audit_log; false keeps what is there and nothing more."),
    },
    suggest={
        "tables": "write entities: ...",
        "models": "write entities: ...",
        "name": "write service: {name: ...}",
    },
)

SECTIONS = (
    *(
        "branding",
        "auth",
        "functions",
        "strict",
        "dashboards",
        "reports",
        "mails",
        "jobs",
        "events",
        "webhooks",
        "storage",
        "api",
        "audit",
    ),
)
"""Top-level keys whose built value is a section of the model."""
