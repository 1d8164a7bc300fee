"""Days and times by the name of their field, around the moment the row began.

Decides whether a field lies before, at or after that moment. Called by ``values``.
"""

import datetime as dt

from actors.seed.story import Story

_BIRTH = ("birth", "born", "dob")
_START = ("start", "starts", "begin", "begins", "from", "since", "opens", "valid_from")
_END = ("end", "ends", "until", "to", "expires", "expiry", "valid_to", "renewal", "renews")
_DUE = ("due", "deadline", "expected", "planned", "scheduled", "next", "target", "delivery")
_DONE = (
    "closed",
    "finished",
    "completed",
    "resolved",
    "last",
    "shipped",
    "delivered",
    "archived",
    "cancelled",
)


def day(name: str, story: Story) -> dt.date:
    """Return a day for a field called ``name``."""
    return instant(name, story).date()


def instant(name: str, story: Story) -> dt.datetime:
    """Return an instant for a field called ``name``; on a working day, in office hours."""
    words = name.lower().split("_")
    chance = story.chance
    if any(word.startswith(_BIRTH) for word in words):
        return story.moment - dt.timedelta(days=chance.randint(21 * 365, 64 * 365))
    if any(word in _START for word in words):
        return _working(story.moment + dt.timedelta(days=chance.randint(0, 10)))
    if any(word in _END for word in words):
        return _working(story.moment + dt.timedelta(days=chance.randint(20, 240)))
    if any(word in _DUE for word in words):
        return _working(story.moment + dt.timedelta(days=chance.choice((7, 10, 14, 14, 21, 30, 30, 45, 60))))
    if any(word in _DONE for word in words):
        return _not_later(story.moment + dt.timedelta(days=chance.randint(1, 60)), story.today)
    return _not_later(story.moment, story.today)


def clock(story: Story) -> str:
    """Return a time of day."""
    return f"{story.chance.randint(7, 18):02}:{story.chance.choice((0, 15, 30, 45)):02}:00"


def written(moment: dt.datetime) -> str:
    """Return an instant as the API writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _working(moment: dt.datetime) -> dt.datetime:
    return moment + dt.timedelta(days=max(0, 7 - moment.weekday()) if moment.weekday() > 4 else 0)


def _not_later(moment: dt.datetime, today: dt.date) -> dt.datetime:
    latest = dt.datetime.combine(today, dt.time(8), tzinfo=dt.UTC)
    return min(moment, latest)
