"""Threads that end and let others go first: work in the background, what all wait for, who cuts off what hangs."""
