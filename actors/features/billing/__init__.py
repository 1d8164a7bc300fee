"""Plans, what they allow, and what they cost: subscriptions, invoices and payment.

``plans`` reads ``config/plans.yaml`` and puts limits in force; ``money`` computes, purely; ``subscriptions``
and ``invoices`` keep the rows of the tenant ``system``; ``providers`` collect payments.
"""
