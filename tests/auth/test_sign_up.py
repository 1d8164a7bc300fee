"""Signing up, in, and changing one's own account: who is told what, and what an attacker gains (C11, C13, C22)."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import orjson
import pytest

from actors.features.auth import settings_operations, sign_up, token_operations, user_operations
from actors.features.auth.passwords import Hasher
from actors.messages import Call, ProblemError, Result
from actors.tenant.operations import expand
from schemas.compiler.principal import ANONYMOUS, Principal
from tests.api.harness import open_world
from tests.auth.people import People, call, open_people

PASSWORD = "korrekt pferd batterie"
OPERATIONS = (
    settings_operations.OPERATIONS
    | sign_up.OPERATIONS
    | token_operations.OPERATIONS
    | user_operations.OPERATIONS
)


@pytest.fixture(scope="module")
async def people(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[People]:
    async with open_world(database_url, tmp_path_factory.mktemp("world")) as world:
        yield await open_people(world)


@pytest.fixture(scope="module")
async def at_once(people: People) -> People:
    return await open_people(people.world, "confirm: off")


async def _ask(people: People, asked: Call, who: Principal = ANONYMOUS) -> Result:
    return await OPERATIONS[asked.operation](people.generation, asked, expand(people.generation, who))


async def _do(people: People, name: str, body: Any = None, *, who: Principal = ANONYMOUS, **more: Any) -> Any:
    result = await _ask(people, call(name, body, **more), who)
    assert result.status == 200
    return orjson.loads(result.body)


async def _refused(people: People, name: str, body: Any = None, **more: Any) -> ProblemError:
    with pytest.raises(ProblemError) as refused:
        await _do(people, name, body, **more)
    return refused.value


async def _sign_up(people: People, email: str, password: str = PASSWORD, **more: Any) -> Any:
    return await _do(people, "auth.signup", {"email": email, "password": password, **more})


async def _sign_in(people: People, email: str, password: str = PASSWORD) -> Any:
    body = {"email": email, "password": password}
    return await _do(people, "auth.token", body, query="grant_type=password")


async def _confirmed(people: People, email: str) -> None:
    await people.sql(
        "UPDATE ns._auth_accounts a SET confirmed_email = u.email, confirmed_at = now() FROM ns.users u "
        "WHERE a.user_id = u.id::text AND u.email = $1",
        email,
    )


def _caller(session: Any) -> Principal:
    return Principal(
        id=session["user"]["id"],
        email=session["user"]["email"],
        roles=frozenset({"member", "authenticated", "public"}),
        session=_session_of(session),
    )


def _session_of(session: Any) -> str:
    import jwt

    claims = jwt.decode(session["access_token"], options={"verify_signature": False})
    found: str = claims["session_id"]
    return found


# -- signing up -----------------------------------------------------------------------------------


async def test_a_new_person_waits_for_the_mail(people: People) -> None:
    user = await _sign_up(people, "Ada@Example.com", data={"name": "Ada", "role": "admin"})
    assert (user["email"], user["role"], user["email_confirmed_at"]) == ("ada@example.com", "member", None)
    assert user["user_metadata"] == {"name": "Ada", "role": "admin"}
    assert "access_token" not in user
    rows = await people.sql("SELECT id::text, role, name, plan FROM ns.users WHERE email = 'ada@example.com'")
    assert tuple(rows[0]) == (user["id"], "member", "Ada", "free")
    links = await people.sql("SELECT kind FROM ns._auth_tokens WHERE user_id = $1", user["id"])
    assert [link["kind"] for link in links] == ["signup"]
    refused = await _refused(
        people, "auth.token", {"email": "ada@example.com", "password": PASSWORD}, query="grant_type=password"
    )
    assert refused.code == "auth.email_not_confirmed"


async def test_nobody_learns_who_has_an_account(people: People) -> None:
    await _sign_up(people, "bob@example.com")
    await _sign_up(people, "carl@example.com")
    await _confirmed(people, "bob@example.com")
    before = await people.sql("SELECT * FROM ns._auth_accounts ORDER BY user_id")
    known = await _sign_up(people, "bob@example.com", "ein anderes wort", data={"a": 1})
    fresh = await _sign_up(people, "dora@example.com", "ein anderes wort", data={"a": 1})
    waiting = await _sign_up(people, "carl@example.com", "ein anderes wort", data={"a": 1})

    def shape(user: dict[str, Any]) -> Any:
        hidden = {"id", "email", "created_at", "updated_at", "confirmation_sent_at", "identities"}
        own = user["identities"][0]
        UUID(user["id"])
        return (
            {name: value for name, value in user.items() if name not in hidden},
            list(user),
            list(own),
            own["identity_data"].keys(),
            own["id"] == user["id"],
            user["id"][14],
            len(user["created_at"]),
        )

    assert shape(known) == shape(fresh) == shape(waiting)
    after = {row["user_id"]: row for row in await people.sql("SELECT * FROM ns._auth_accounts")}
    bob = (await people.sql("SELECT id::text FROM ns.users WHERE email = 'bob@example.com'"))[0][0]
    assert known["id"] != bob
    assert after[bob] == next(row for row in before if row["user_id"] == bob)  # nothing of his changed


async def test_the_answer_takes_as_long_for_known_people(people: People) -> None:
    people = await open_people(people.world, hasher=Hasher())
    await _sign_up(people, "timed@example.com")
    await _confirmed(people, "timed@example.com")
    known, fresh, hashes = [], [], []
    for number in range(10):
        people.clock.ahead += 3600
        began = time.perf_counter()
        await _sign_up(people, "timed@example.com")
        known.append(time.perf_counter() - began)
        began = time.perf_counter()
        await _sign_up(people, f"timed{number}@example.com")
        fresh.append(time.perf_counter() - began)
        began = time.perf_counter()
        await people.realm.services.hasher.hash("a long enough password 1")
        hashes.append(time.perf_counter() - began)
    # the quickest of each: what others on this machine do only ever adds
    gap = abs(min(known) - min(fresh))
    assert gap < max(0.02, min(hashes) * 0.8)  # a quiet machine measures less than 5 ms


async def test_who_signs_up_again_replaces_what_nobody_proved(people: People) -> None:
    """C13: an attacker's password for an address that nobody has proven dies with the owner's own sign-up."""
    first = await _sign_up(people, "pre@example.com", "angreifer wort")
    old = await people.sql("SELECT hash FROM ns._auth_tokens WHERE user_id = $1", first["id"])
    await people.sql(
        "INSERT INTO ns._auth_sessions (id, user_id, expires_at) VALUES (gen_random_uuid(), $1, now() + '1 h')",
        first["id"],
    )
    await _sign_up(people, "pre@example.com", PASSWORD)
    new = await people.sql("SELECT hash FROM ns._auth_tokens WHERE user_id = $1", first["id"])
    assert len(new) == 1
    assert new != old
    assert await people.sql("SELECT 1 FROM ns._auth_sessions WHERE user_id = $1", first["id"]) == []
    await _confirmed(people, "pre@example.com")
    body = {"email": "pre@example.com", "password": "angreifer wort"}
    refused = await _refused(people, "auth.token", body, query="grant_type=password")
    assert refused.code == "auth.invalid_credentials"
    assert (await _sign_in(people, "pre@example.com"))["user"]["id"] == first["id"]


async def test_parallel_sign_ups_make_one_person(people: People) -> None:
    users = await asyncio.gather(*(_sign_up(people, "many@example.com") for _ in range(6)))
    assert len(users) == 6
    assert len(await people.sql("SELECT 1 FROM ns.users WHERE email = 'many@example.com'")) == 1


@pytest.mark.parametrize(
    "name",
    [
        "role",
        "id",
        "confirmed_at",
        "password_hash",
        "created_at",
        "app_metadata",
        "tenant_id",
        "is_admin",
        "aud",
    ],
)
async def test_nobody_signs_up_with_more(people: People, name: str) -> None:
    body = {"email": "mass@example.com", "password": PASSWORD, name: "admin"}
    refused = await _refused(people, "auth.signup", body)
    assert (refused.code, refused.errors[0]["pointer"]) == ("auth.validation_failed", f"/{name}")
    assert await people.sql("SELECT 1 FROM ns.users WHERE email = 'mass@example.com'") == []


async def test_what_is_refused_is_the_same_for_everybody(people: People) -> None:
    await _sign_up(people, "same@example.com")
    await _confirmed(people, "same@example.com")
    for email in ("same@example.com", "fresh@example.com"):
        weak = await _refused(people, "auth.signup", {"email": email, "password": "short"})
        assert (weak.code, weak.more) == ("auth.weak_password", {"weak_password": {"reasons": ["length"]}})
        long = await _refused(people, "auth.signup", {"email": email, "password": "x" * 1025})
        assert long.code == "auth.validation_failed"
    bad = await _refused(
        people, "auth.signup", {"email": "x@example.com\r\nBcc: a@b.c", "password": PASSWORD}
    )
    assert bad.code == "auth.email_address_invalid"


@pytest.mark.parametrize("how", ["invite", "closed"])
async def test_a_closed_door_is_closed(people: People, how: str) -> None:
    from tests.auth.people import FILE

    closed = await open_people(people.world, text=FILE.replace("signup: open", f"signup: {how}"))
    refused = await _refused(closed, "auth.signup", {"email": "x@example.com", "password": PASSWORD})
    assert refused.code == "auth.signup_disabled"
    assert (await _refused(closed, "auth.signup", {})).code == "auth.anonymous_provider_disabled"
    assert await closed.sql("SELECT 1 FROM ns.users") == []


async def test_only_the_listed_domains_sign_up(people: People) -> None:
    from tests.auth.people import FILE

    text = FILE.replace("signup: open", "signup: domains, domains: [example.com]")
    some = await open_people(people.world, text=text)
    await _sign_up(some, "in@example.com")
    for email in ("out@example.org", "out@sub.example.com", "out@notexample.com", "x@example.com@evil.org"):
        refused = await _refused(some, "auth.signup", {"email": email, "password": PASSWORD})
        assert refused.code in {"auth.signup_disabled", "auth.email_address_invalid"}
    assert len(await some.sql("SELECT 1 FROM ns.users")) == 1


async def test_somebody_may_stay_nobody(people: People) -> None:
    session = await _do(people, "auth.signup", {"data": {"a": 1}, "gotrue_meta_security": {}})
    assert session["access_token"]
    assert (session["user"]["is_anonymous"], session["user"]["role"]) == (True, "authenticated")
    rows = await people.sql("SELECT email, role FROM ns.users WHERE id::text = $1", session["user"]["id"])
    assert tuple(rows[0]) == (None, None)


async def test_where_addresses_are_not_proven_one_is_in_at_once(at_once: People) -> None:
    session = await _sign_up(at_once, "now@example.com")
    assert session["token_type"] == "bearer"
    refused = await _refused(at_once, "auth.signup", {"email": "NOW@example.com", "password": "anderes wort"})
    assert refused.code == "auth.user_already_exists"
    assert (await _sign_in(at_once, "now@example.com"))["user"]["id"] == session["user"]["id"]


# -- signing in -----------------------------------------------------------------------------------


async def test_a_password_opens_a_session_and_marks_the_device(at_once: People) -> None:
    await _sign_up(at_once, "in@example.com")
    asked = call("auth.token", {"email": "in@example.com", "password": PASSWORD}, query="grant_type=password")
    result = await _ask(at_once, asked)
    session = orjson.loads(result.body)
    assert session["expires_in"] == 900
    assert session["user"]["last_sign_in_at"]
    cookies = [value for name, value in result.headers if name == "Set-Cookie"]
    assert any(value.startswith(f"bsd_{at_once.generation.identity.slug}=") for value in cookies)
    refused = await _refused(at_once, "auth.token", {}, query="grant_type=implicit")
    assert refused.code == "auth.validation_failed"


# -- one's own account ----------------------------------------------------------------------------


async def test_people_see_and_change_their_own_account(at_once: People) -> None:
    session = await _sign_up(at_once, "own@example.com", data={"name": "Own", "old": 1})
    me = _caller(session)
    assert (await _do(at_once, "auth.user", who=me))["email"] == "own@example.com"
    changed = await _do(at_once, "auth.user.update", {"data": {"old": None, "new": 2}}, who=me)
    assert changed["user_metadata"] == {"name": "Own", "new": 2}
    assert (await _refused(at_once, "auth.user")).code == "auth.no_authorization"
    for name in ("role", "app_metadata", "id", "email_confirm", "ban_duration"):
        refused = await _refused(at_once, "auth.user.update", {name: "admin"}, who=me)
        assert refused.code == "auth.validation_failed"
    huge = {"data": {"a": "x" * 20_000}}
    assert (await _refused(at_once, "auth.user.update", huge, who=me)).code == "auth.validation_failed"


async def test_a_new_password_ends_the_other_sessions(at_once: People) -> None:
    session = await _sign_up(at_once, "pw@example.com")
    other = await _sign_in(at_once, "pw@example.com")
    me = _caller(session)
    weak = await _refused(at_once, "auth.user.update", {"password": "x"}, who=me)
    assert weak.code == "auth.weak_password"
    same = await _refused(at_once, "auth.user.update", {"password": PASSWORD}, who=me)
    assert same.code == "auth.same_password"
    wrong = {"password": "ganz neues wort", "current_password": "falsch"}
    assert (await _refused(at_once, "auth.user.update", wrong, who=me)).code == "auth.invalid_credentials"
    await _do(at_once, "auth.user.update", {"password": "ganz neues wort"}, who=me)
    alive = await at_once.sql(
        "SELECT id::text FROM ns._auth_sessions WHERE user_id = $1 AND revoked_at IS NULL", me.id
    )
    assert [row["id"] for row in alive] == [me.session]
    assert _session_of(other) != me.session
    assert (await _sign_in(at_once, "pw@example.com", "ganz neues wort"))["user"]["id"] == me.id
    body = {"email": "pw@example.com", "password": PASSWORD}
    refused = await _refused(at_once, "auth.token", body, query="grant_type=password")
    assert refused.code == "auth.invalid_credentials"


async def test_an_old_session_proves_too_little(at_once: People) -> None:
    me = _caller(await _sign_up(at_once, "old@example.com"))
    at_once.clock.ahead += 25 * 3600
    for body in ({"password": "ganz neues wort"}, {"password": PASSWORD}, {"email": "other@example.com"}):
        refused = await _refused(at_once, "auth.user.update", body, who=me)
        assert refused.code == "auth.reauthentication_needed"
    bad = {"password": "ganz neues wort", "nonce": "000000"}
    assert (await _refused(at_once, "auth.user.update", bad, who=me)).code == "auth.otp_expired"
    assert (await _do(at_once, "auth.user.update", {"data": {"a": 1}}, who=me))["user_metadata"] == {"a": 1}


async def test_who_has_a_second_factor_needs_it_for_the_password(at_once: People) -> None:
    me = _caller(await _sign_up(at_once, "two@example.com"))
    await at_once.sql(
        "INSERT INTO ns._auth_factors (id, user_id, secret_sealed, verified_at) "
        "VALUES (gen_random_uuid(), $1, 'x', now())",
        me.id,
    )
    refused = await _refused(at_once, "auth.user.update", {"password": "ganz neues wort"}, who=me)
    assert refused.code == "auth.insufficient_aal"


async def test_a_new_address_counts_when_it_is_proven(at_once: People) -> None:
    me = _caller(await _sign_up(at_once, "from@example.com"))
    user = await _do(at_once, "auth.user.update", {"email": "to@example.com"}, who=me)
    assert (user["email"], user["new_email"]) == ("from@example.com", "to@example.com")
    taken = await _do(at_once, "auth.user.update", {"email": "now@example.com"}, who=me)
    assert (taken["email"], taken["new_email"]) == ("from@example.com", "now@example.com")
    assert (await at_once.sql("SELECT email FROM ns.users WHERE id::text = $1", me.id))[0][
        0
    ] == "from@example.com"


async def test_a_form_learns_what_it_needs_and_nothing_secret(people: People, at_once: People) -> None:
    told = await _do(people, "auth.settings", method="GET")
    assert told["external"] == {"email": True, "phone": False, "anonymous_users": True}
    assert (told["disable_signup"], told["mailer_autoconfirm"], told["mfa_enabled"]) == (False, False, True)
    assert (await _do(at_once, "auth.settings", method="GET"))["mailer_autoconfirm"] is True
    provider = "providers: { google: { client_id: public-id, client_secret: hidden-secret } }"
    other = await open_people(people.world, provider)
    result = await _ask(other, call("auth.settings", method="GET"))
    assert orjson.loads(result.body)["external"]["google"] is True
    assert b"hidden-secret" not in result.body
    assert b"public-id" not in result.body
    assert (await _do(other, "auth.health", method="GET"))["name"] == "GoTrue"
