"""The paths of comments, below a row.

Decides which operation answers. Called by ``routes``.
"""

from gateway.route import Route

COMMENT_ROUTES: tuple[Route, ...] = (
    Route(
        "{entity}/{id}/comments",
        {"GET": "comments", "POST": "comments.write"},
        "what people say about it, newest first; say something",
    ),
    Route("{entity}/{id}/comments/{comment}", {"DELETE": "comments.delete"}, "take back what one said"),
)
COMMENTS_WORD = "comments"
_ALL, _ONE = COMMENT_ROUTES


def find_comments(parts: tuple[str, ...]) -> tuple[Route, str, str | None, str] | None:
    """Return the route for what is below a row's comments, with entity, key and comment."""
    match parts:
        case (entity, key, _):
            return _ALL, entity, key, ""
        case (entity, key, _, comment):
            return _ONE, entity, key, comment
        case _:
            return None
