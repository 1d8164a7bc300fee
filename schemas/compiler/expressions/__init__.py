"""CEL: parse, check, compile to SQL and to Python.

One expression has one meaning, whichever back end runs it (a property test holds both against each other):

* ``null`` means absent. Arithmetic, conversions and string functions of an absent operand are absent.
* Comparisons, ``in``, string tests and ``has()`` are always true or false. An ordering, a string test or
  ``in`` with an absent operand is false. Two absent values are equal, except where one of them comes from
  ``user`` or ``request``: an anonymous caller's id equals nothing, not even an empty owner.
  ``a != b`` is exactly ``!(a == b)``.
* Where a truth value is wanted (``&&``, ``||``, ``!``, ``?:``, a predicate as a whole), absent counts as
  false.
* Integers, decimals and doubles mix. Arithmetic is exact and decimal; ``int / int`` truncates, any other
  division keeps 16 decimal places; dividing by zero, or converting a text that does not fit, gives absent.
* An absent list behaves as an empty one in ``size``, ``in`` and the macros. Aggregates skip absent elements;
  ``sum`` of nothing is 0, ``avg``, ``min`` and ``max`` of nothing are absent.
* Soft-deleted rows do not exist for relations, in either direction.
* Text is ordered by code point. ``today()`` and ``x.date()`` are days in the tenant's time zone.
"""
