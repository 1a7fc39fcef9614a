"""From a call to a decision: the route's connectors in order, each behind its guard.

The doors are `lookup.Lookup` and `guard.Guard`.
"""
