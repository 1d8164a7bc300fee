"""Mails of functions: templates of the file, in text and as a page, in which nothing of a row is markup or code."""

import email
from email.message import EmailMessage
from email.policy import default

import pytest

from tests.api.harness import Client, World, slug

FILE = """
version: 1
service: { title: "Ac & Me" }
branding: { color: "#AA5500" }
roles: { member: {} }
mails:
  late:
    entity: invoices
    subject: "Invoice {{ self.number }} of {{ self.customer.name }}"
    text: |
      Dear {{ self.customer.name }},
      {{ self.net }} EUR are due.

      Thank you
    button: "Look at {{ self.number }}"
    link: "https://ac.example/i/{{ self.id }}"
  plain: { subject: "For {{ user.email }}", text: "Hello {{ tenant.slug }}", html: "<b>{{ user.email }}</b> <i>{{ tenant.slug }}</i>" }
entities:
  customers:
    schema: { properties: { name: { type: string }, mail: { type: string } } }
    access: { read: [ { role: member } ], write: [ { role: member } ] }
  invoices:
    label: number
    schema:
      properties:
        number: { type: string }
        net: { type: number, multipleOf: 0.01 }
        customer_id: { references: customers }
        do: { type: string }
    access: { read: [ { role: member } ], write: [ { role: member } ] }
    functions:
      remind: { trigger: before_update, condition: self.do == 'template', function: send_email, config: { to: "{{ self.customer.mail }}", template: late } }
      inline: { trigger: before_update, condition: self.do == 'inline', function: send_email, config: { to: a@example.com, subject: "{{ self.number }}", text: x, html: "<p>{{ self.number }}</p>" } }
      unknown: { trigger: before_update, condition: self.do == 'unknown', function: send_email, config: { to: a@example.com, template: nearly_due } }
      python: { trigger: before_update, condition: self.do == 'python' }
"""
CODE = """
async def python(record, ctx):
    other = await ctx.data.create("invoices", {"number": "N-2", "net": 3.5, "customer_id": record["customer_id"]})
    await ctx.mail.send("b@example.com", template="late", record=other)
    await ctx.mail.send("b@example.com", template="plain", subject="mine")
    await ctx.mail.send("b@example.com", subject="no template", text="words", html="<p>own</p>")
"""


@pytest.fixture(scope="module")
async def tenant(world: World) -> str:
    name = slug()
    await world.tenant(name, FILE, CODE)
    return name


@pytest.fixture
def member(world: World, tenant: str) -> Client:
    return world.client(tenant, "member")


async def sent(
    world: World, member: Client, do: str, name: str = "Ann <script>", number: str = "N-1"
) -> list[EmailMessage]:
    one = {"Prefer": "return=representation", "Accept": "application/vnd.pgrst.object+json"}
    customer = (await member.post("/customers", {"name": name, "mail": "ann@example.com"}, **one)).json
    row = {"number": number, "net": 12.5, "customer_id": customer["id"]}
    invoice = (await member.post("/invoices", row, **one)).json
    answer = await member.patch(f"/invoices/{invoice['id']}", {"do": do})
    assert answer.status == 204, answer
    mailer = world.reach.mailer
    found = []
    while not mailer._queue.empty():
        found.append(email.message_from_bytes(mailer._queue.get_nowait().message.as_bytes(), policy=default))
    return found


def parts(mail: EmailMessage) -> tuple[str, str]:
    text, page = mail.get_body(("plain",)), mail.get_body(("html",))
    return text.get_content() if text else "", page.get_content() if page else ""


async def test_a_template_is_text_and_page_and_what_rows_hold_is_neither_markup_nor_code(
    world: World, member: Client
) -> None:
    (mail,) = await sent(world, member, "template", name="Ann <script>{{7*7}}\r\nBcc: x@example.com")
    text, page = parts(mail)
    assert mail["To"] == "ann@example.com"
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Invoice N-1 of Ann <script>{{7*7}} Bcc: x@example.com"
    assert "Dear Ann <script>{{7*7}}" in text
    assert "12.50 EUR are due." in text
    assert "https://ac.example/i/" in text
    assert "Ann &lt;script&gt;{{7*7}}" in page
    assert "<script>" not in page
    assert "Ac &amp; Me" in page
    assert "#AA5500" in page
    assert page.count("<p style") == 3
    assert ">Look at N-1</a>" in page


async def test_values_in_written_html_are_escaped(world: World, member: Client) -> None:
    (mail,) = await sent(world, member, "inline", number="<img src=x>")
    assert mail["Subject"] == "<img src=x>"
    assert "<p>&lt;img src=x&gt;</p>" in parts(mail)[1]


async def test_a_mail_nobody_wrote_says_what_it_is_about(world: World, member: Client) -> None:
    (mail,) = await sent(world, member, "unknown")
    assert mail["Subject"] == "Nearly due: N-1"
    assert "invoices: N-1" in parts(mail)[0]


async def test_python_functions_send_templates_about_any_row(world: World, member: Client) -> None:
    late, plain, own = await sent(world, member, "python")
    assert late["Subject"] == "Invoice N-2 of Ann <script>"
    assert "3.50 EUR" in parts(late)[0]
    assert plain["Subject"] == "mine"
    assert "<i>" in parts(plain)[1]
    assert "<p>own</p>" in parts(own)[1]
