"""Words that believable values are made of. Nothing here decides anything; ``texts`` picks."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES = _words(
    """
    Anna Ben Clara David Elif Felix Grace Hannah Ibrahim Jonas Katharina Liam Maria Noah Olivia Paul
    Quentin Rosa Samuel Theresa Uwe Valentina William Xenia Yusuf Zoe Amelie Bruno Carmen Dmitri Emma
    Finn Giulia Hugo Ines Jakob Kofi Laura Mateo Nadia Oscar Priya Rafael Sofia Tomasz Ulrike Victor
    Wanda Yara Aisha Charlotte Daniel Elena Francesca George Hiroshi Isabel Julian Leila Marcus Nina
    Omar Petra Robert Sarah
    """
)
LAST_NAMES = _words(
    """
    Adams Becker Costa Dubois Evans Fischer Garcia Hoffmann Ivanov Jansen Kowalski Lindgren Meyer Novak
    Okafor Peeters Rossi Schmidt Tanaka Ueda Vogel Weber Yilmaz Zimmermann Andersson Bauer Clark Diaz
    Eriksen Ferrari Green Haas Ito Johnson Keller Lopez Martin Nguyen Olsen Patel Quinn Richter Silva
    Taylor Varga Walker Young Bergmann Cohen Dietrich Fuchs Gruber Hughes Jensen Kaya Lehmann Moreau
    Nowak Parker Reyes Santos Thomas Wagner Wright
    """
)
COMPANY_STEMS = _words(
    """
    Alder Amber Anchor Arbor Aurora Beacon Birch Bluebell Bright Bridge Brook Cedar Cinder Clearwater
    Cobalt Copper Coral Crescent Delta Dune Eastgate Elm Ember Falcon Fern Field Finch Fjord Flint Forge
    Garnet Granite Harbor Hazel Heron Highland Indigo Iron Ivy Juniper Kestrel Lantern Lark Linden Lumen
    Maple Meridian Mosaic Nimbus North Oak Onyx Orchard Osprey Pearl Pine Quarry Raven Ridge River Rowan
    Sable Sage Silver Slate Solstice Sparrow Spruce Stone Summit Sycamore Teal Tidal Timber Union Vale
    Vertex Violet Walnut West Willow Winter Wren Zephyr
    """
)
COMPANY_KINDS = _words(
    """
    Analytics Bakery Biotech Capital Chemicals Clinics Components Consulting Data Design Dynamics
    Electronics Energy Engineering Foods Freight Health Holding Instruments Labs Logistics Machines
    Materials Media Mobility Motors Networks Optics Partners Pharma Press Retail Robotics Security
    Software Solar Studios Systems Textiles Tools Trading Travel Ventures Works
    """
)
COMPANY_FORMS = {"DE": "GmbH", "AT": "GmbH", "US": "Inc.", "GB": "Ltd", "FR": "SAS", "NL": "BV", "ES": "SL"}
STREETS = _words(
    """
    Bridge Canal Castle Cherry Church Court Garden Harbour High Hill King Lake Lime Main Market Meadow
    Mill Park Queen River School Spring Station Summer Tower Valley Victoria Water Windmill
    """
)
JOB_TITLES = (
    "Account manager",
    "Analyst",
    "Buyer",
    "Consultant",
    "Controller",
    "Customer success manager",
    "Data engineer",
    "Designer",
    "Developer",
    "Head of finance",
    "Head of operations",
    "Managing director",
    "Marketing manager",
    "Office manager",
    "Product manager",
    "Project manager",
    "Purchasing lead",
    "Sales manager",
    "Support engineer",
    "Team lead",
)
TAGS = _words(
    """
    urgent vip renewal upsell beta partner long-term on-site remote fixed-price retainer pilot strategic
    compliance migration redesign mobile web data security training audit quick-win blocked legal
    finance research rollout maintenance launch
    """
)
INDUSTRIES = ("Software", "Retail", "Finance", "Health", "Energy", "Media", "Manufacturing", "Education")
DEPARTMENTS = ("Sales", "Support", "Finance", "Engineering", "Operations", "Marketing", "People", "Legal")
PIPELINES = ("New business", "Renewals", "Expansion", "Partners")
STAGES = ("Lead in", "Qualified", "Needs defined", "Proposal", "Negotiation", "Contract sent")
CATEGORIES = (
    "General",
    "Hardware",
    "Software",
    "Services",
    "Travel",
    "Office",
    "Marketing",
    "Training",
    "Facilities",
    "Other",
)
PRODUCTS = (
    "Discovery workshop",
    "Architecture review",
    "Web development",
    "Mobile development",
    "Backend development",
    "Interface design",
    "Usability test",
    "Data migration",
    "Security audit",
    "Performance audit",
    "Support plan",
    "On-call support",
    "Team training",
    "Administrator training",
    "Cloud set-up",
    "Integration",
    "Reporting package",
    "Accessibility review",
    "Technical writing",
    "Project management",
)
EDITIONS = ("basic", "standard", "plus", "premium", "express", "extended", "remote", "on site")
PROJECTS = (
    "Website relaunch",
    "Customer portal",
    "Warehouse app",
    "ERP migration",
    "Mobile app",
    "Data platform",
    "Online shop",
    "Booking system",
    "Brand refresh",
    "Payment integration",
    "Reporting suite",
    "Intranet",
    "Supplier portal",
    "Field service app",
    "Chat support",
    "Compliance review",
    "Cloud move",
    "Newsletter system",
)
TASKS = (
    "Write the specification",
    "Sketch the first screens",
    "Set up the test environment",
    "Import the old records",
    "Fix the sign-in form",
    "Review the contract",
    "Prepare the workshop",
    "Document the interface",
    "Update the price list",
    "Measure loading times",
    "Train the team",
    "Clean up duplicates",
    "Plan the release",
    "Test the export",
    "Translate the texts",
    "Collect feedback",
    "Replace the certificate",
    "Design the invoice layout",
    "Describe the error messages",
    "Archive old files",
)
DEALS = (
    "annual licence",
    "pilot project",
    "platform rollout",
    "support contract",
    "renewal",
    "new location",
    "extra seats",
    "data migration",
    "training package",
    "framework agreement",
)
SUBJECTS = (
    "First call",
    "Follow-up on the offer",
    "Demo of the new version",
    "Questions about the contract",
    "Price negotiation",
    "Introduction of the team",
    "Send the reference list",
    "Quarterly review",
    "Check the requirements",
    "Agree on the next step",
)
MERCHANTS = (
    "Deutsche Bahn",
    "City Hotel",
    "Corner Bistro",
    "Cloud Hosting Co.",
    "Office Supplies Direct",
    "Taxi Central",
    "Airport Parking",
    "Print House",
    "Book Shop",
    "Computer Store",
    "Conference Centre",
    "Rail Europe",
)
SENTENCES = (
    "The customer wants a first version before the summer.",
    "Agreed on a weekly call on Tuesdays.",
    "The old system stays in use until the data is checked.",
    "Waiting for the signed contract.",
    "Budget is approved for this year.",
    "Two people from their side will join the workshop.",
    "Most of the work can be done remotely.",
    "The numbers were checked twice.",
    "They compare three offers and decide next month.",
    "Quality matters more than speed here.",
    "The interface follows the company's style guide.",
    "Needs a short training for new colleagues.",
    "Everything ran without problems last week.",
    "A detailed list is attached to the order.",
    "Please send the invoice to the head office.",
    "They asked for a discount on larger volumes.",
)
OFFERS = (
    "Two consultants on site, with a written summary.",
    "Remote, in blocks of half a day; materials included.",
    "Fixed scope, agreed beforehand, with one round of changes.",
    "For teams of up to twelve people.",
    "Response within four working hours, Monday to Friday.",
    "Billed by the hour; no minimum.",
    "Includes a hand-over to your own team.",
    "With a test environment for three months.",
)
COLORS = ("#0F766E", "#0369A1", "#4338CA", "#7C3AED", "#BE185D", "#B91C1C", "#C2410C", "#A16207", "#15803D")
CURRENCIES = ("EUR", "USD", "GBP", "CHF")
LANGUAGES = ("en", "de", "fr", "es", "nl")
TIMEZONES = ("Europe/Berlin", "Europe/London", "America/New_York", "America/Chicago", "Europe/Paris")

NAMES_BY_STEM: dict[str, tuple[str, ...]] = {
    "pipeline": PIPELINES,
    "stage": STAGES,
    "tag": TAGS,
    "label": TAGS,
    "categor": CATEGORIES,
    "department": DEPARTMENTS,
    "team": DEPARTMENTS,
    "industr": INDUSTRIES,
}
"""Names of short lists, by the stem of the entity's name: it has no more rows than names."""
PERSON_STEMS = (
    "user",
    "person",
    "people",
    "contact",
    "employee",
    "member",
    "author",
    "patient",
    "student",
    "lead",
)
COMPANY_STEMS_OF_ENTITIES = (
    "compan",
    "customer",
    "client",
    "account",
    "organi",
    "supplier",
    "vendor",
    "partner",
    "brand",
)
