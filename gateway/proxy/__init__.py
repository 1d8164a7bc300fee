"""Requests passed on to other servers: rules whose target is a URL."""
