"""What the CRM does beyond what sample-crm.yaml says. Both are one version: save either."""

from collections import defaultdict
from datetime import UTC, datetime


async def place_deal(record, ctx):
    """Before a deal is written: it begins in the first stage, and stays in the pipeline it began in."""
    if not record["stage_id"]:
        first = await ctx.data.find(
            "stages", "pipeline.active=is.true", select="id,pipeline!inner(active)", order="position", limit=1
        )
        record["stage_id"] = first[0]["id"] if first else None
    elif ctx.old and ctx.old["stage_id"]:
        stage = await ctx.data.get("stages", record["stage_id"])
        before = await ctx.data.get("stages", ctx.old["stage_id"])
        if stage and before and stage["pipeline_id"] != before["pipeline_id"]:
            ctx.reject("a deal stays in the pipeline it began in", field="stage_id")
    return record


async def remind_sellers(args, ctx):
    """Every working morning: tell each seller which activities are overdue, in one mail."""
    late = await ctx.data.find(
        "activities",
        f"done=is.false&due_at=lt.{datetime.now(UTC):%Y-%m-%dT%H:%MZ}&owner_id=not.is.null",
        select="subject,due_at,owner(email)",
        order="due_at",
        limit=1000,
    )
    waiting = defaultdict(list)
    for activity in late:
        if activity["owner"]:
            waiting[activity["owner"]["email"]].append(f"- {activity['subject']} ({activity['due_at'][:10]})")
    for email, lines in waiting.items():
        text = "This was due, and is not done:\n\n" + "\n".join(lines[:50])
        await ctx.mail.send(email, f"activities waiting: {len(lines)}", text)
    ctx.log(f"{len(waiting)} sellers, {len(late)} activities")
