"""A rule's ``headers`` put into effect for targets that are actors.

Decides nothing: ``gateway.rule_file`` said which fields may change. Called by ``gateway.server``; what is
passed on to a URL is edited by ``gateway.proxy.fields``.
"""

from aiohttp.web_request import BaseRequest
from msgspec import structs
from multidict import CIMultiDict

from actors.messages import Result
from gateway.rule_fields import HeaderEdit


def edit_request(request: BaseRequest, edit: HeaderEdit) -> BaseRequest:
    """Return the request as the actor sees it."""
    fields = CIMultiDict(item for item in request.headers.items() if item[0].lower() not in edit.remove)
    fields.extend(edit.add)
    return request.clone(headers=fields)


def edit_result(result: Result, edit: HeaderEdit) -> Result:
    """Return the answer as the client sees it."""
    kept = tuple(item for item in result.headers if item[0].lower() not in edit.remove)
    return structs.replace(result, headers=(*kept, *edit.add))
