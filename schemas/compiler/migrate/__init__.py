"""Difference of catalogs to ordered, reversible steps."""
