"""Accounts: what a person is made of, who finds whom, and what the answer to a wrong password gives away."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from actors.features.auth import accounts
from actors.features.auth.account_values import Account
from actors.features.auth.passwords import Hasher
from actors.features.auth.store import Session
from actors.messages import ProblemError
from tests.api.harness import open_world
from tests.auth.people import FILE, People, call, open_people

PASSWORD = "korrekt pferd batterie"


@pytest.fixture(scope="module")
async def people(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[People]:
    async with open_world(database_url, tmp_path_factory.mktemp("world")) as world:
        yield await open_people(world)


async def _make(people: People, email: str, role: str = "member", **more: Any) -> Account:
    async def work(session: Session) -> Account:
        return await accounts.create(session, people.generation, email=email, role=role, **more)

    return await people.realm.store.transaction(work)


async def _refusal(waited: Any) -> ProblemError:
    with pytest.raises(ProblemError) as refused:
        await waited
    return refused.value


# -- addresses ------------------------------------------------------------------------------------


def test_one_address_has_one_form() -> None:
    assert accounts.canonical_email(" Ada.Lovelace+x@Example.COM ") == "ada.lovelace+x@example.com"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "ada@",
        "@example.com",
        "ada@example",
        "ad\u0430@example.com",  # Cyrillic a
        "ada@ex\u0430mple.com",
        "\u212aelvin@example.com",  # lower() makes the Kelvin sign an ordinary k
        "ada@example.com\r\nBcc: all@example.com",
        "ada@example.com\n",
        "ada\0@example.com",
        "ada@@example.com",
        "a b@example.com",
        '"a b"@example.com',
        ".ada@example.com",
        "a..b@example.com",
        "ada@-example.com",
        "ada@example.com, eve@example.com",
        "Ada <ada@example.com>",
        "x" * 65 + "@example.com",
        "ada@" + "x" * 64 + ".com",
        "ada@" + "x.".join("y" * 60 for _ in range(5)) + ".com",
    ],
)
def test_what_only_looks_like_an_address_is_none(text: str) -> None:
    with pytest.raises(ProblemError) as refused:
        accounts.canonical_email(text)
    assert refused.value.code == "auth.email_address_invalid"


# -- making and finding ---------------------------------------------------------------------------


async def test_an_account_is_a_users_row_and_its_credentials(people: People) -> None:
    made = await _make(people, "ada@example.com", user_metadata={"name": "Ada", "hobby": "sums"})
    assert (made.email, made.role, made.row["name"], made.has_record) == (
        "ada@example.com",
        "member",
        "Ada",
        True,
    )
    assert made.user_metadata == {"name": "Ada", "hobby": "sums"}
    assert made.confirmed_at is None
    store = people.realm.store
    found = await store.transaction(
        lambda session: accounts.find_by_email(session, people.generation, "ada@example.com")
    )
    assert found == await store.transaction(
        lambda session: accounts.find(session, people.generation, made.id)
    )
    rows = await people.sql("SELECT created_by, row_version FROM ns.users WHERE id::text = $1", made.id)
    assert rows[0]["row_version"] == 1


async def test_an_address_belongs_to_one_person_in_any_case(people: People) -> None:
    await _make(people, "bob@example.com")
    assert (await _refusal(_make(people, "BOB@example.com"))).code == "auth.email_exists"
    assert len(await people.sql("SELECT 1 FROM ns.users WHERE lower(email) = 'bob@example.com'")) == 1


async def test_who_signs_up_fills_only_what_they_may_write(people: People) -> None:
    claimed = {
        "name": "Carl",
        "plan": "gold",
        "role": "admin",
        "id": "x",
        "row_version": 7,
        "email": "eve@x.y",
    }
    made = await _make(people, "carl@example.com", user_metadata=claimed)
    assert (made.row["name"], made.row["plan"], made.role) == ("Carl", "free", "member")
    assert made.email == "carl@example.com"
    invited = await _make(people, "dora@example.com", user_metadata={"plan": "gold"}, invited=True)
    assert invited.row["plan"] == "gold"


async def test_the_model_refuses_by_name(people: People) -> None:
    refused = await _refusal(_make(people, "erna@example.com", user_metadata={"name": "x" * 41}))
    assert (refused.code, refused.errors[0]["pointer"]) == ("auth.validation_failed", "/name")
    assert (await _refusal(_make(people, "erna@example.com", role="root"))).code == "auth.validation_failed"
    assert await people.sql("SELECT 1 FROM ns.users WHERE email = 'erna@example.com'") == []


async def test_required_fields_come_from_who_signs_up(people: People) -> None:
    strict = FILE.replace(
        "schema:\n      properties:", "schema:\n      required: [name]\n      properties:", 1
    )
    other = await open_people(people.world, text=strict)
    refused = await _refusal(_make(other, "fred@example.com"))
    assert refused.code == "auth.validation_failed"
    assert refused.errors[0]["pointer"] == "/name"
    assert (await _make(other, "fred@example.com", user_metadata={"name": "Fred"})).row["name"] == "Fred"


async def test_keys_may_be_numbers(people: People) -> None:
    counted = FILE.replace(
        "properties:\n        name", "properties:\n        id: { type: integer }\n        name", 1
    )
    other = await open_people(people.world, text=counted)
    made = await _make(other, "gina@example.com")
    assert made.id.isdecimal()
    store = other.realm.store
    for wrong in ("x", "", "1; DROP", "9" * 30, "\u0661"):
        assert await store.transaction(lambda s, w=wrong: accounts.find(s, other.generation, w)) is None  # type: ignore[misc]


async def test_wrong_keys_find_nobody(people: People) -> None:
    for wrong in ("", "x", "00000000-0000-0000-0000-000000000000", "' OR true --"):
        found = await people.realm.store.transaction(
            lambda session, wrong=wrong: accounts.find(session, people.generation, wrong)  # type: ignore[misc]
        )
        assert found is None


async def test_anonymous_people_have_no_address(people: People) -> None:
    one = await _make(people, "", role="", anonymous=True)
    two = await _make(people, "", role="", anonymous=True)
    assert one.is_anonymous
    assert one.id != two.id
    user = accounts.to_json(one, audience="x")
    assert (user["email"], user["identities"], user["is_anonymous"]) == ("", [], True)
    assert user["app_metadata"]["provider"] == "anonymous"


# -- changing -------------------------------------------------------------------------------------


async def test_a_changed_address_is_not_proven_any_more(people: People) -> None:
    made = await _make(people, "hans@example.com", confirmed=True)
    assert made.confirmed_at is not None

    async def work(session: Session) -> Account:
        return await accounts.update(session, people.generation, made, email="hans2@example.com")

    changed = await people.realm.store.transaction(work)
    assert (changed.email, changed.confirmed_at) == ("hans2@example.com", None)
    again = await people.realm.store.transaction(lambda session: accounts.confirm(session, changed))
    assert again.confirmed_at is not None


async def test_a_person_an_admin_wrote_has_no_credentials_until_given_some(people: People) -> None:
    rows = await people.sql(
        "INSERT INTO ns.users (id, email) VALUES (gen_random_uuid(), 'ida@example.com') RETURNING id"
    )
    store = people.realm.store
    found = await store.transaction(
        lambda session: accounts.find(session, people.generation, str(rows[0]["id"]))
    )
    assert found is not None
    assert (found.has_record, found.password_hash) == (False, None)
    proven = await store.transaction(lambda session: accounts.confirm(session, found))
    assert proven.has_record
    given = await store.transaction(
        lambda session: accounts.update(session, people.generation, proven, user_metadata={"a": 1})
    )
    assert (given.user_metadata, given.confirmed_at) == ({"a": 1}, proven.confirmed_at)


async def test_who_proves_an_address_otherwise_drops_what_a_stranger_left(people: People) -> None:
    """C13: the attacker signs up with the victim's address, the victim proves it by a link of their own."""
    made = await _make(people, "victim@example.com", password_hash="$attacker", user_metadata={"name": "Eve"})
    await people.sql(
        "INSERT INTO ns._auth_sessions (id, user_id, expires_at) VALUES (gen_random_uuid(), $1, now() + '1 h')",
        made.id,
    )
    await people.sql(
        "INSERT INTO ns._auth_tokens (hash, kind, user_id, expires_at) VALUES ('x', 'magiclink', $1, now() + '1 h')",
        made.id,
    )
    proven = await people.realm.store.transaction(
        lambda session: accounts.confirm(session, made, keep_password=False)
    )
    assert (proven.password_hash, proven.user_metadata) == (None, {})
    for table in ("_auth_sessions", "_auth_tokens"):
        assert await people.sql(f"SELECT 1 FROM ns.{table} WHERE user_id = $1", made.id) == []
    kept = await people.sql("SELECT password_hash FROM ns._auth_accounts WHERE user_id = $1", made.id)
    assert kept[0]["password_hash"] is None


async def test_an_invitation_does_not_reach_who_sits_in_the_account(people: People) -> None:
    """C13, C23: signing up with an address before its owner is invited gains nothing."""
    made = await _make(people, "invitee@example.com", password_hash="$attacker")
    await people.sql(
        "INSERT INTO ns._auth_sessions (id, user_id, expires_at) VALUES (gen_random_uuid(), $1, now() + '1 h')",
        made.id,
    )

    async def work(session: Session) -> Account:
        return await accounts.update(session, people.generation, made, role="admin", invited=True)

    invited = await people.realm.store.transaction(work)
    assert (invited.role, invited.password_hash) == ("admin", None)
    assert invited.invited_at is not None
    assert await people.sql("SELECT 1 FROM ns._auth_sessions WHERE user_id = $1", made.id) == []


async def test_an_anonymous_person_becomes_somebody_with_an_address(people: People) -> None:
    made = await _make(people, "", role="", anonymous=True)

    async def work(session: Session) -> Account:
        changed = await accounts.update(session, people.generation, made, email="born@example.com")
        return await accounts.confirm(session, changed)

    born = await people.realm.store.transaction(work)
    assert (born.id, born.role, born.is_anonymous) == (made.id, "member", False)
    kept = await people.sql("SELECT is_anonymous FROM ns._auth_accounts WHERE user_id = $1", made.id)
    assert kept[0]["is_anonymous"] is False


# -- passwords ------------------------------------------------------------------------------------


async def _with_password(people: People, email: str, **more: Any) -> Account:
    hashed = await people.realm.services.hasher.hash(PASSWORD)
    return await _make(people, email, password_hash=hashed, **more)


async def _try(
    people: People, email: str, password: str = PASSWORD, address: str = "198.51.100.7"
) -> Account:
    return await accounts.check_password(
        people.generation, call("auth.token", address=address), email, password
    )


async def test_the_right_password_opens_and_every_wrong_one_says_the_same(people: People) -> None:
    made = await _with_password(people, "jane@example.com", confirmed=True)
    await _make(people, "kurt@example.com", confirmed=True)
    assert (await _try(people, "Jane@Example.com")).id == made.id
    answers = set()
    for email, password in (
        ("jane@example.com", "wrong"),
        ("kurt@example.com", "wrong"),
        ("nobody@example.com", "wrong"),
        ("no address", "wrong"),
        ("jane@ex\u0430mple.com", PASSWORD),
        ("jane@example.com", ""),
    ):
        refused = await _refusal(_try(people, email, password))
        answers.add((refused.code, refused.message, refused.hint, refused.details))
    assert answers == {("auth.invalid_credentials", "Invalid login credentials", "", "")}


async def test_only_the_right_password_tells_of_ban_and_confirmation(people: People) -> None:
    await _with_password(people, "lena@example.com")
    assert (await _refusal(_try(people, "lena@example.com"))).code == "auth.email_not_confirmed"
    assert (await _refusal(_try(people, "lena@example.com", "x"))).code == "auth.invalid_credentials"
    banned = await _with_password(people, "mona@example.com", confirmed=True)
    await people.realm.store.transaction(
        lambda session: accounts.update(
            session, people.generation, banned, banned_until=people.clock.now() + timedelta(hours=1)
        )
    )
    assert (await _refusal(_try(people, "mona@example.com"))).code == "auth.user_banned"
    people.clock.ahead += 3601
    assert (await _try(people, "mona@example.com")).id == banned.id


async def test_an_unproven_address_may_sign_in_where_the_file_says_so(people: People) -> None:
    other = await open_people(people.world, "confirm: off")
    made = await _with_password(other, "nina@example.com")
    assert (await _try(other, "nina@example.com")).id == made.id
    off = await open_people(people.world, "password: { enabled: false }")
    assert (await _refusal(_try(off, "nina@example.com"))).code == "auth.email_provider_disabled"


async def test_a_hash_of_old_costs_is_renewed(people: People) -> None:
    from argon2 import PasswordHasher

    people = await open_people(people.world, hasher=Hasher())

    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    made = await _make(people, "otto@example.com", password_hash=old, confirmed=True)
    await _try(people, "otto@example.com")
    kept = (await people.sql("SELECT password_hash FROM ns._auth_accounts WHERE user_id = $1", made.id))[0][0]
    assert re.fullmatch(r"\$argon2id\$v=19\$m=19456,t=2,p=1\$.*", kept)
    assert (await _try(people, "otto@example.com")).id == made.id


def test_no_repr_shows_a_hash() -> None:
    account = Account("1", "a@example.com", "", {}, password_hash="$argon2id$secret")
    assert "argon2id" not in repr(account)
