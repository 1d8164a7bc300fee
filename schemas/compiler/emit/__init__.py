"""Descriptions generated from the model."""
