"""Links and codes by mail: they work once, for whom they were sent, and tell strangers nothing."""

import asyncio
import re
from collections.abc import AsyncIterator
from email.message import EmailMessage
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from msgspec.structs import replace

from actors.features.auth import accounts
from actors.features.auth.account_values import Account
from actors.features.auth.one_time import challenge_of
from actors.features.auth.store import Session
from actors.messages import Credential, ProblemError, Result
from actors.tenant.operations import execute
from schemas.compiler.principal import Principal
from tests.api.harness import open_world
from tests.auth.people import FILE, People, call, open_people

PASSWORD = "korrekt pferd batterie"
APP = "https://app.example.com/back"
ADMIN = Principal("boss", None, frozenset({"admin", "authenticated", "public"}))
VERIFIER = "v" * 64


class Box:
    """What a mailer would send."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def send(self, message: EmailMessage) -> None:
        self.mails.append(message)

    def last(self) -> tuple[str, str, str]:
        """Address, code and token of the newest mail."""
        mail = self.mails[-1]
        part = mail.get_body(("plain",))
        assert part is not None
        text = part.get_content()
        code = re.search(r"\b\d{6}\b", text)
        link = re.search(r"https?://\S+", text)
        token = parse_qs(urlsplit(link[0]).fragment)["token"][0] if link else ""
        return str(mail["To"]), code[0] if code else "", token


@pytest.fixture(scope="module")
async def people(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[People]:
    async with open_world(database_url, tmp_path_factory.mktemp("world")) as world:
        opened = await open_people(world, f'redirects: ["{APP}"]', text=FILE)
        opened.realm.services = replace(opened.realm.services, mailer=Box())
        opened.generation.limits = None
        yield opened


@pytest.fixture
def box(people: People) -> Box:
    found = people.realm.services.mailer
    assert isinstance(found, Box)
    return found


async def make(people: People, name: str, role: str = "member", *, confirmed: bool = True) -> Account:
    hashed = await people.realm.services.hasher.hash(PASSWORD)

    async def work(session: Session) -> Account:
        return await accounts.create(
            session,
            people.generation,
            email=f"{name}@example.com",
            role=role,
            password_hash=hashed,
            confirmed=confirmed,
        )

    return await people.realm.store.transaction(work)


async def ask(
    people: People, operation: str, body: Any, who: Principal | None = None, query: str = ""
) -> Result:
    made = call(operation, body, query=query)
    if who is None:
        made.credential = Credential()
    else:
        made.principal = who
    return await execute(people.generation, made)


async def code_of(people: People, operation: str, body: Any, who: Principal | None = None) -> str:
    try:
        await ask(people, operation, body, who)
    except ProblemError as error:
        return error.code
    return ""


@pytest.mark.parametrize("operation", ["auth.recover", "auth.otp", "auth.magiclink"])
async def test_known_and_unknown_addresses_are_answered_alike(
    people: People, box: Box, operation: str
) -> None:
    await make(people, f"known-{operation[5:]}")
    before = len(box.mails)
    known = await ask(
        people, operation, {"email": f"known-{operation[5:]}@example.com", "create_user": False}
    )
    unknown = await ask(
        people, operation, {"email": f"nobody-{operation[5:]}@example.com", "create_user": False}
    )
    assert (known.status, known.body, known.headers) == (unknown.status, unknown.body, unknown.headers)
    assert len(box.mails) == before + 1
    body = {"type": "email", "email": f"nobody-{operation[5:]}@example.com", "token": "123456"}
    assert await code_of(people, "auth.verify", body) == "auth.otp_expired"


async def test_a_link_works_once_and_a_newer_one_makes_it_worthless(people: People, box: Box) -> None:
    await make(people, "once")
    await ask(people, "auth.magiclink", {"email": "once@example.com"})
    _, _, first = box.last()
    await ask(people, "auth.magiclink", {"email": "once@example.com"})
    _, _, second = box.last()
    assert (
        await code_of(people, "auth.verify", {"type": "magiclink", "token_hash": first}) == "auth.otp_expired"
    )
    answers = await asyncio.gather(
        *(code_of(people, "auth.verify", {"type": "magiclink", "token_hash": second}) for _ in range(10))
    )
    assert sorted(answers) == [""] + ["auth.otp_expired"] * 9
    rows = await people.sql("SELECT encode(hash, 'escape') AS hash FROM ns._auth_tokens")
    assert second not in str(rows), "only its hash is kept"


async def test_a_link_of_one_kind_is_no_other(people: People, box: Box) -> None:
    await make(people, "kind")
    await ask(people, "auth.recover", {"email": "kind@example.com"})
    _, code, token = box.last()
    for kind in ("signup", "magiclink", "invite", "email", "email_change"):
        assert await code_of(people, "auth.verify", {"type": kind, "token_hash": token}) == "auth.otp_expired"
    body = {"type": "recovery", "email": "other@example.com", "token": code}
    assert await code_of(people, "auth.verify", body) == "auth.otp_expired"
    people.clock.ahead += 3601
    assert (
        await code_of(people, "auth.verify", {"type": "recovery", "token_hash": token}) == "auth.otp_expired"
    )


async def test_codes_are_not_guessed(people: People, box: Box) -> None:
    await make(people, "guess")
    await ask(people, "auth.otp", {"email": "guess@example.com"})
    _, code, _ = box.last()
    wrong = f"{(int(code) + 1) % 10**6:06}"
    body = {"type": "email", "email": "guess@example.com", "token": wrong}
    tries = await asyncio.gather(*(code_of(people, "auth.verify", body) for _ in range(12)))
    assert set(tries) == {"auth.otp_expired"}
    assert await code_of(people, "auth.verify", body | {"token": code}) == "auth.otp_expired", (
        "five tries are all"
    )


async def test_who_never_proved_an_address_loses_what_they_set_up(people: People, box: Box) -> None:
    await make(people, "victim", confirmed=False)
    await ask(people, "auth.magiclink", {"email": "victim@example.com"})
    _, _, token = box.last()
    await ask(people, "auth.verify", {"type": "magiclink", "token_hash": token})
    rows = await people.sql(
        "SELECT password_hash FROM ns._auth_accounts a JOIN ns.users u ON u.id::text = a.user_id "
        "WHERE u.email = 'victim@example.com'"
    )
    assert rows[0]["password_hash"] is None


async def test_pkce_codes_fit_one_verifier_once(people: People, box: Box) -> None:
    account = await make(people, "pkce")
    body = {
        "email": "pkce@example.com",
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "s256",
    }

    async def fresh() -> str:
        await ask(people, "auth.otp", body, query=f"redirect_to={APP}")
        _, _, token = box.last()
        form = call("auth.verify", None, query="")
        form.body, form.content_type = (
            f"type=magiclink&token={token}&form_token=f".encode(),
            "application/x-www-form-urlencoded",
        )
        form.web = form.web and type(form.web)(cookies={"bs_form": "f"}, same_origin=True)
        result = await execute(people.generation, form)
        location = dict(result.headers)["Location"]
        assert location.startswith(f"{APP}?code=")
        return parse_qs(urlsplit(location).query)["code"][0]

    async def fresh_by_page() -> str:
        await ask(people, "auth.otp", body, query=f"redirect_to={APP}")
        _, _, token = box.last()
        looked = await ask(people, "auth.verify.look", {"token_hash": token})
        told = {"type": "magiclink", "email": "pkce@example.com", "application": True}
        assert orjson.loads(looked.body) == told
        asked = call("auth.verify", {"type": "magiclink", "token_hash": token, "cookie": True})
        with pytest.raises(ProblemError, match="very origin"):
            await execute(people.generation, asked)
        asked.web = asked.web and type(asked.web)(same_origin=True)
        result = await execute(people.generation, asked)
        assert result.headers == ()
        answer = orjson.loads(result.body)
        assert await code_of(people, "auth.verify.look", {"token_hash": token}) == "auth.otp_expired"
        assert answer.keys() == {"redirect_to"}
        return parse_qs(urlsplit(answer["redirect_to"]).query)["code"][0]

    async def exchange(code: str, verifier: str = VERIFIER) -> str:
        made = call("auth.token", {"auth_code": code, "code_verifier": verifier}, query="grant_type=pkce")
        try:
            await execute(people.generation, made)
        except ProblemError as error:
            return error.code
        return ""

    code = await fresh()
    assert await exchange(code, "w" * 64) == "auth.bad_code_verifier"
    assert await exchange(code) != "", "a wrong verifier uses it up"
    code = await fresh()
    answers = await asyncio.gather(*(exchange(code) for _ in range(20)))
    assert answers.count("") == 1
    rows = await people.sql(
        "SELECT count(*) FROM ns._auth_sessions WHERE user_id = $1 AND revoked_at IS NULL", account.id
    )
    assert rows[0][0] == 0, "a code that came back ended the session it gave"
    assert await exchange(await fresh_by_page()) == "", "a page of ours sends the browser on with a code, too"
    for method in ("plain", ""):
        refused = await code_of(people, "auth.otp", body | {"code_challenge_method": method})
        assert refused == "auth.validation_failed"


@pytest.mark.parametrize(
    "wanted",
    [f"{APP}/x", f"{APP}?x", f"{APP}#x", APP.upper(), APP.replace("https", "http"), APP.replace(".com", ".com:444"), "//evil.example", "/\\evil.example",
     "javascript:alert(1)", "https://app.example.com@evil.example/back", "http://[", "x" * 900, "data:text/html,x"],
)  # fmt: skip
async def test_nobody_is_sent_elsewhere(people: People, box: Box, wanted: str) -> None:
    await make(people, f"to{abs(hash(wanted))}")
    made = call("auth.otp", {"email": f"to{abs(hash(wanted))}@example.com", "redirect_to": wanted})
    await execute(people.generation, made)
    rows = await people.sql("SELECT redirect_to FROM ns._auth_tokens ORDER BY created_at DESC LIMIT 1")
    assert rows[0]["redirect_to"] == f"/app/{people.generation.identity.slug}/"
    assert box.mails


async def test_other_applications_need_pkce(people: People) -> None:
    with pytest.raises(ProblemError, match="flowType: 'pkce'"):
        await ask(people, "auth.otp", {"email": "x@example.com"}, query=f"redirect_to={APP}")
    too_many = "&".join(f"a{n}=1" for n in range(40))
    with pytest.raises(ProblemError) as refused:
        await ask(people, "auth.otp", {"email": "x@example.com"}, query=too_many)
    assert refused.value.code == "auth.validation_failed"


async def test_admins_make_no_links_for_those_above_them(people: People, box: Box) -> None:
    await make(people, "owner", "owner")
    body = {"type": "magiclink", "email": "owner@example.com"}
    assert await code_of(people, "auth.generate_link", body, ADMIN) == "auth.forbidden"
    assert (
        await code_of(people, "auth.invite", {"email": "new@example.com", "role": "owner"}, ADMIN)
        == "auth.forbidden"
    )
    assert await code_of(people, "auth.invite", {"email": "fine@example.com", "role": "member"}, ADMIN) == ""
    assert box.last()[0] == "fine@example.com"
    member = Principal("m", None, frozenset({"member", "authenticated", "public"}))
    assert await code_of(people, "auth.invite", {"email": "n2@example.com"}, member) == "auth.not_admin"


async def test_a_new_address_counts_when_it_is_proven(people: People, box: Box) -> None:
    people.clock.ahead = 0
    account = await make(people, "moving")
    entered = await ask(
        people, "auth.token", {"email": account.email, "password": PASSWORD}, query="grant_type=password"
    )
    made = call("auth.user.update", {"email": "moved@example.com"}, method="PUT")
    made.credential = Credential(orjson.loads(entered.body)["access_token"])
    await execute(people.generation, made)
    assert {str(mail["To"]) for mail in box.mails[-2:]} == {"moved@example.com", "moving@example.com"}
    row = await people.sql("SELECT email FROM ns.users WHERE id::text = $1", account.id)
    assert row[0]["email"] == "moving@example.com"
    mail = next(mail for mail in box.mails[-2:] if mail["To"] == "moved@example.com")
    part = mail.get_body(("plain",))
    assert part is not None
    token = re.search(r"token=([^&\s]+)", part.get_content())
    assert token is not None
    done = await ask(people, "auth.verify", {"type": "email_change", "token_hash": token[1]})
    assert orjson.loads(done.body)["user"]["email"] == "moved@example.com"
