"""Threads that end: work in the background, one that makes what all wait for, and who cuts off what hangs."""
