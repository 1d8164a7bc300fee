"""What a tenant's expressions and functions may cost everybody else (docs/attacks.md B6)."""

from tests.api.harness import World, slug

FILE = """
version: 1
roles: { member: {} }
entities:
  a:
    schema: { properties: { n: { type: integer }, words: { type: array, maxItems: 5000, items: { type: string, maxLength: 5000 } } } }
    access: { read: [ { role: member } ], write: [ { role: member } ] }
    functions:
      pairs:
        trigger: before_create
        condition: self.n == 1 && self.words.all(a, self.words.all(b, self.words.exists(c, a == b || b != c)))
        function: set_fields
        config: { n: 2 }
      grow: { trigger: before_create, condition: self.n == 3, function: set_fields, config: { words: "{{ self.words.map(a, self.words.map(b, a + b + a + b).size() > 0 ? a + a + a + a + a + a : a) }}" } }
"""


async def test_expressions_that_go_round_too_often_are_stopped(world: World) -> None:
    name = slug()
    await world.tenant(name, FILE)
    member = world.client(name, "member")
    few = await member.post("/a", {"n": 1, "words": ["a", "b"]}, Prefer="return=representation")
    assert (few.status, few.json[0]["n"]) == (201, 2)
    for row in ({"n": 1, "words": [str(n) for n in range(1000)]}, {"n": 3, "words": ["x" * 4000] * 200}):
        answer = await member.post("/a", row)
        assert (answer.status, answer.json["code"]) == (422, "expression_budget"), answer
    assert len((await member.get("/a")).json) == 1
