"""Mechanisms against sources that fail, hang or lie.

Circuit breaker, single-flight and bulkhead, judging what strangers return. Each module stands for itself, and none
knows the configuration or Flask.
"""
