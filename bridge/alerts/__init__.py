"""Whom to tell that something is wrong, when, and how. The door is `watch`; `trial` sends a message for a trial.

What is wrong is not judged here: whoever starts the watch says it, in the words of `/healthz`.
"""
