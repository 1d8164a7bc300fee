"""Keys of related rows, found by what people call them: ``company.name`` instead of ``company_id``.

Decides that only rows the caller may read can be named, and that a name of several names none. A batch asks
once per relation. Called by ``writing``.
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from actors.connections import TenantConnection
from actors.messages import Call
from actors.tenant import rows
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal
from schemas.compiler.query.values import decode_json

_AT_ONCE = 100
_MOST = 1000
_REMEMBERED = 20_000


class Lookups:
    """What was found so far in one run.

    Args:
        principal: whose rights count.
        request_id: for logs.
    """

    def __init__(self, principal: Principal, request_id: str) -> None:
        self._principal = principal
        self._request_id = request_id
        self._found: dict[tuple[str, str, str], Any] = {}

    async def find(
        self,
        generation: Generation,
        connection: TenantConnection,
        path: tuple[str, str, str],
        names: Iterable[str],
    ) -> dict[str, list[Any]]:
        """Return the keys of the rows with these names; several for a name that is not one row's alone.

        Args:
            generation: to run on.
            connection: inside the transaction that writes.
            path: the entity, its key, and the field that names its rows.
            names: as they are in the file.

        Raises:
            ProblemError, QueryError: they may not be looked up.
        """
        entity, key, by = path
        if len(self._found) > _REMEMBERED:
            self._found.clear()
        answer: dict[str, list[Any]] = {}
        missing: list[str] = []
        for name in dict.fromkeys(names):
            known = self._found.get((entity, by, name))
            if known is None:
                missing.append(name)
            else:
                answer[name] = [known]
        for start in range(0, len(missing), _AT_ONCE):
            some = missing[start : start + _AT_ONCE]
            listed = ",".join('"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"' for name in some)
            query = f"select={key},{by}&{by}=in.({quote(listed)})&limit={_MOST}"
            call = Call(
                "list", "GET", entity, None, query, accept="application/json", request_id=self._request_id
            )
            result = await rows.read(generation, call, self._principal, connection)
            for row in decode_json(result.body):
                answer.setdefault(str(row[by]), []).append(row[key])
        for name in missing:
            if len(found := answer.get(name, [])) == 1:
                self._found[entity, by, name] = found[0]
        return answer
