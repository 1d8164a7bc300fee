"""Every operator of PostgREST's grammar, as rows come back."""

from urllib.parse import quote

import pytest

from schemas.compiler.query.errors import QueryError
from tests.query.kit import Tenant, uid

KINDS = {
    "t=eq.a,b": [31],
    "t=eq.": [],
    "t=neq.a,b": [32],
    "t=not.eq.a,b": [32],
    't=in.("a,b",zz)': [31],
    "t=in.()": [],
    "t=not.in.(zz)": [31, 32],
    't=eq.q"(x)\\': [32],
    't=in.("q\\"(x)\\\\")': [32],
    "t=like.*,b": [31],
    "t=ilike.A*": [31],
    "t=like(any).{a*,q*}": [31, 32],
    "t=like(all).{a*,*b}": [31],
    "t=match.^a": [31],
    "t=imatch.^A": [31],
    "t=isdistinct.a,b": [32, 33],
    "t=not.isdistinct.a,b": [31],
    "t=is.null": [33],
    "t=is.not_null": [31, 32],
    "t=not.is.null": [31, 32],
    "t=is.NULL": [33],
    "ok=is.true": [31],
    "ok=is.false": [32],
    "ok=is.unknown": [33],
    "ok=not.is.true": [32, 33],
    "ok=eq.true": [31],
    "i=gt.1": [32],
    "i=gte.1&i=lt.2": [31],
    "i=lte.1": [31],
    "i=eq(any).{1,2}": [31, 32],
    "i=in.(1,2,3)": [31, 32],
    "i=gt(all).{0,1}": [32],
    "b=eq.1152921504606846976": [31],
    "n=eq.1.25": [31],
    "f=eq.0.5": [31],
    "d=eq.2026-01-02": [31],
    "d=gte.2026-01-01": [31],
    "ti=eq.10:00:00": [31],
    "at=lt.2026-01-02T03:04:06Z": [31],
    "at=eq.2026-01-02T04:04:05%2B01:00": [31],
    f"u=eq.{uid(7)}": [31],
    "mail=eq.a@b.cd": [31],
    "ip=eq.10.0.0.1": [31],
    "j->a->b->1->>c=eq.x": [31],
    "j->>k=eq.v": [31],
    "j->>k=in.(v,w)": [31, 32],
    "j->n=eq.5": [31],
    "j->k=is.null": [33],
    'j=cs.{"k":"v"}': [31],
    'j=cd.{"k":"w","z":1}': [32],
    "words=cs.{x}": [31],
    'words=cs.{"y z"}': [31],
    "words=cd.{x,y z,q}": [31, 32],
    "words=ov.{x,q}": [31],
    "words=eq.{}": [32],
    "words->>0=eq.x": [31],
    "nums=cs.{1,2}": [31],
    "nums=ov.{3}": [32],
    "t=fts.b": [31],
    "t=plfts.b": [31],
    "t=phfts(english).b": [31],
    "t=wfts(simple).b": [31],
    "t=not.fts(simple).b": [32],
    "or=(i.eq.1,t.is.null)": [31, 33],
    "and=(i.eq.1,t.is.null)": [],
    "not.or=(i.eq.1,t.is.null)": [32],
    "not.and=(i.eq.1,t.eq.zz)": [31, 32],
    "or=(and(i.eq.2,not.or(ok.is.true,t.is.null)),t.is.null)": [32, 33],
    'or=(t.eq."a,b",i.in.(2,9))': [31, 32],
    'or=(t.eq."q\\"(x)\\\\",i.eq.9)': [32],
    "or=(j->>k.eq.v,i.eq(any).{2})": [31, 32],
    'or=(words.cs.{x,"y z"},i.eq.9)': [31],
    "or=(t.not.is.null,i.eq.9)": [31, 32],
    "or=(not.t.is.null)": None,
    '"t"=eq.a,b': [31],
    "i=eq.1&or=(t.like.a*)&limit=5": [31],
    "order=i.desc.nullslast": [32, 31, 33],
    "order=i.desc": [33, 32, 31],
    "order=i.asc.nullsfirst": [33, 31, 32],
    "order=i.nullsfirst": [33, 31, 32],
    "order=j->>k.desc.nullslast,id": [32, 31, 33],
    "order=id&limit=1&offset=1": [32],
    "order=id&limit=0": [],
    "search=b": [31],
    "search=nowhere": [],
}


@pytest.mark.parametrize("query", KINDS)
async def test_filter(boss: Tenant, query: str) -> None:
    wanted = KINDS[query]
    raw = quote(query, safe="=&%")
    if wanted is None:
        with pytest.raises(QueryError, match="parse"):
            boss.prepare("kinds", raw)
        return
    body = await boss.get("kinds", raw if "order" in query else f"{raw}&order=id")
    assert [row["id"] for row in body] == [uid(number) for number in wanted]


async def test_a_value_over_8_kilobytes(boss: Tenant) -> None:
    keys = ",".join(uid(number) for number in range(400))
    assert len(await boss.get("kinds", f"id=in.({keys})")) == 3
    assert await boss.get("kinds", f"t=eq.{'x' * 9000}") == []
