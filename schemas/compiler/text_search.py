"""What full-text search runs over: the words of an entity's searchable fields, stemmed and as they stand.

Decides the expression that queries and the index share. Words as they stand find beginnings of words and
names; stems find other forms of a word in the tenant's first language. Pure; called by ``layout`` and
``query.search``.
"""

from schemas.compiler.migrate.catalog import Ref, Template
from schemas.compiler.model import Entity, Field, TenantModel

PLAIN = "simple"
_CONFIGURATIONS = {
    "ar": "arabic", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish",
    "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian",
    "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian", "nb": "norwegian",
    "ne": "nepali", "nl": "dutch", "nn": "norwegian", "no": "norwegian", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
    "ca": "catalan", "yi": "yiddish",
}  # fmt: skip
"""PostgreSQL's text search configurations by language (ISO 639); those every version from 14 on has."""


def configuration(model: TenantModel) -> str:
    """Return the name of the text search configuration of a tenant's first language."""
    return _CONFIGURATIONS.get(model.languages[0].partition("-")[0] if model.languages else "", PLAIN)


def searchable(entity: Entity) -> list[Field]:
    """Return the fields that ``search=`` looks into."""
    return [
        item
        for item in entity.fields.values()
        if item.searchable and item.pg_type == "text" and not item.virtual
    ]


def words(value: Template, configuration_: str) -> Template:
    """Return the words of a text expression, as ``tsvector``."""
    plain: Template = (f"to_tsvector('{PLAIN}'::regconfig, ", *value, ")")
    if configuration_ == PLAIN:
        return plain
    return (f"(to_tsvector('{configuration_}'::regconfig, ", *value, ") || ", *plain, ")")


def search_document(entity: Entity, configuration_: str) -> Template:
    """Return what search of an entity runs over, and its index; () when nothing is searchable."""
    parts: list[str | Ref] = []
    for item in searchable(entity):
        parts += [" || ' ' || " if parts else "", "coalesce(", Ref(item.name), ", '')"]
    return words(tuple(parts), configuration_) if parts else ()
