"""Texts by the name of their field: names, addresses, titles, codes.

Decides what a text field is about from its name (and, for plain names, from the entity's). Lengths, enums and
uniqueness are the caller's. Called by ``values``.
"""

from collections.abc import Callable
from functools import cache

from actors.seed import story as stories
from actors.seed import vocabulary
from actors.seed.shares import stem
from actors.seed.story import Story, slug

Maker = Callable[[Story], str]
_OFFERED = ("service", "product", "item", "article")
"""Words in the names of entities that hold what one can buy."""


@cache
def _maker(name: str) -> Maker:
    """Return what makes texts for the longest ending of a name that is known."""
    words = name.split("_")
    for start in range(len(words)):
        ending = "_".join(words[start:])
        for endings, make in _BY_NAME:
            if ending in endings:
                return make
    return sentence


def text(name: str, story: Story) -> str:
    """Return a believable text for a field called ``name``."""
    return _maker(name.lower())(story)


def email(story: Story) -> str:
    """Return the address of the row's person or company; the domains are reserved for examples."""
    first, last = story.row.get("first_name"), story.row.get("last_name")
    if not (first or last) and isinstance(name := story.row.get("name"), str) and not story.is_company:
        first, _, last = name.partition(" ")
    if story.is_company:
        return f"{story.chance.choice(('info', 'office', 'contact', 'hello'))}@{story.domain()}"
    who = slug(f"{first or story.first_name} {last or story.last_name}").replace("-", ".")
    return f"{who}@{story.domain()}"


def sentence(story: Story) -> str:
    """Return one or two sentences."""
    if any(word in story.entity.lower() for word in _OFFERED):
        return story.chance.choice(vocabulary.OFFERS)
    return " ".join(story.chance.sample(vocabulary.SENTENCES, story.chance.choice((1, 1, 2))))


def paragraphs(story: Story) -> str:
    """Return formatted text."""
    count = story.chance.choice((1, 1, 2))
    return "".join(f"<p>{sentence(story)}</p>" for _ in range(count))


def code(story: Story) -> str:
    """Return an identifier that people might type."""
    letters = "".join(word[0] for word in slug(story.entity.replace("_", " ")).split("-"))[:2].upper()
    return f"{letters}-{story.chance.randint(10_000, 99_999)}"


def url(story: Story) -> str:
    """Return an address on the row's own domain."""
    return f"https://www.{story.domain()}"


def _name(story: Story) -> str:
    fixed = stem(story.entity)
    if fixed is not None:
        names = vocabulary.NAMES_BY_STEM[fixed]
        position = next((v for k in ("position", "rank") if isinstance(v := story.row.get(k), int)), None)
        return names[((position or story.index + 1) - 1) % len(names)]
    if story.is_company:
        return stories.company(story.chance, vocabulary.COMPANY_FORMS.get(story.place.country, ""))
    if story.is_person:
        return f"{story.first_name} {story.last_name}"
    return _thing(story)


def _thing(story: Story) -> str:
    word = story.entity.lower()
    pick = story.chance.choice
    for stems, make in _THINGS:
        if any(part in word for part in stems):
            return make(story)
    return f"{pick(vocabulary.COMPANY_STEMS)} {word.rstrip('s').replace('_', ' ')}"


_THINGS: tuple[tuple[tuple[str, ...], Maker], ...] = (
    (("project", "campaign"), lambda s: f"{s.chance.choice(vocabulary.PROJECTS)} {s.moment.year}"),
    (("task", "todo", "ticket", "issue"), lambda s: s.chance.choice(vocabulary.TASKS)),
    (("deal", "opportunit"), lambda s: f"{s.company}: {s.chance.choice(vocabulary.DEALS)}"),
    (
        _OFFERED,
        lambda s: f"{s.chance.choice(vocabulary.PRODUCTS)}, {s.chance.choice(vocabulary.EDITIONS)}",
    ),
    (("activit", "event", "meeting", "appointment"), lambda s: s.chance.choice(vocabulary.SUBJECTS)),
)


def _phone(story: Story) -> str:
    area, number = story.chance.randint(200, 989), story.chance.randint(100_000, 999_999)
    return f"+{story.place.calling_code} {area} {number}"


def _street(story: Story) -> str:
    street = story.chance.choice(vocabulary.STREETS)
    return (
        f"{story.chance.randint(1, 220)} {street} {story.chance.choice(('Street', 'Road', 'Lane', 'Avenue'))}"
    )


def _address(story: Story) -> str:
    return f"{_street(story)}, {story.place.zip} {story.place.city}, {story.place.country_name}"


def _vat(story: Story) -> str:
    country = story.place.country if story.place.region == "EU" else "DE"
    return f"{country}{story.chance.randint(100_000_000, 999_999_999)}"


def _iban(story: Story) -> str:
    body = f"{story.chance.randint(10**17, 10**18 - 1)}"
    check = 98 - int(f"{body}131400") % 97
    return f"DE{check:02}{body}"


def _one(words: tuple[str, ...] | list[str]) -> Maker:
    return lambda story: story.chance.choice(words)


_BY_NAME: tuple[tuple[frozenset[str], Maker], ...] = (
    (frozenset({"first_name", "firstname", "given_name", "forename"}), lambda s: s.first_name),
    (frozenset({"last_name", "lastname", "surname", "family_name"}), lambda s: s.last_name),
    (
        frozenset({"full_name", "fullname", "display_name", "contact_name"}),
        lambda s: f"{s.first_name} {s.last_name}",
    ),
    (frozenset({"company", "company_name", "organization", "employer"}), lambda s: s.company),
    (frozenset({"competitors", "competitor", "supplier", "vendor"}), lambda s: stories.company(s.chance)),
    (frozenset({"merchant", "shop", "store", "payee"}), _one(vocabulary.MERCHANTS)),
    (frozenset({"job_title", "job", "profession", "occupation"}), _one(vocabulary.JOB_TITLES)),
    (frozenset({"email", "mail", "e_mail"}), email),
    (frozenset({"phone", "mobile", "telephone", "fax", "cell"}), _phone),
    (frozenset({"street", "address_line", "line1", "address1"}), _street),
    (frozenset({"address", "location", "venue"}), _address),
    (frozenset({"city", "town"}), lambda s: s.place.city),
    (frozenset({"state", "province", "county"}), lambda s: s.place.state),
    (frozenset({"zip", "zip_code", "postcode", "postal_code", "zipcode"}), lambda s: s.place.zip),
    (frozenset({"country_code"}), lambda s: s.place.country),
    (frozenset({"country"}), lambda s: s.place.country_name),
    (frozenset({"region", "territory"}), lambda s: s.place.region),
    (frozenset({"website", "url", "homepage", "link", "linkedin"}), url),
    (frozenset({"domain", "host", "hostname"}), lambda s: s.domain()),
    (frozenset({"vat", "vat_no", "vat_number", "tax_id", "vat_id"}), _vat),
    (frozenset({"iban", "bank_account"}), _iban),
    (
        frozenset({"slug", "handle"}),
        lambda s: slug(str(s.row.get("name") or s.row.get("title") or _thing(s))),
    ),
    (
        frozenset({"username", "login", "user_name", "nickname"}),
        lambda s: slug(f"{s.first_name} {s.last_name}").replace("-", "."),
    ),
    (
        frozenset({"sku", "code", "number", "no", "reference", "ref", "external_id", "barcode", "serial"}),
        code,
    ),
    (frozenset({"currency"}), _one(vocabulary.CURRENCIES)),
    (frozenset({"language", "locale", "lang"}), _one(vocabulary.LANGUAGES)),
    (frozenset({"timezone", "time_zone", "tz"}), _one(vocabulary.TIMEZONES)),
    (frozenset({"color", "colour"}), _one(vocabulary.COLORS)),
    (frozenset({"industry", "sector", "branch"}), _one(vocabulary.INDUSTRIES)),
    (frozenset({"department", "team"}), _one(vocabulary.DEPARTMENTS)),
    (frozenset({"category", "group", "type", "kind"}), _one(vocabulary.CATEGORIES)),
    (frozenset({"tag", "tags", "label", "labels", "keyword", "keywords"}), _one(vocabulary.TAGS)),
    (frozenset({"subject", "topic", "headline"}), _one(vocabulary.SUBJECTS)),
    (frozenset({"text", "item", "line"}), _one(vocabulary.PRODUCTS)),
    (frozenset({"title"}), _thing),
    (frozenset({"name"}), _name),
)
