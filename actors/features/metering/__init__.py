"""What tenants used: written in batches, measured now and then, shown as series.

``store`` writes and measures, ``actor`` says when, ``series`` answers charts. What is counted where is in
``actors.tenant.usage``; what it costs in ``features.billing``.
"""
