"""Observations of the runtime as lines of the log. Called by the actors' kernel through ``serve``."""

import dataclasses

import structlog

from runtime.observe import Observation

log = structlog.get_logger("server")


def observe(observation: Observation) -> None:
    """Log one observation."""
    fields = {field.name: getattr(observation, field.name) for field in dataclasses.fields(observation)}
    error = fields.pop("error", None)
    if isinstance(error, BaseException):
        fields["reason"] = f"{type(error).__name__}: {error}"
    if "message" in fields:
        fields["refused_message"] = fields.pop("message")
    getattr(log, observation.level)(observation.event, **fields)
