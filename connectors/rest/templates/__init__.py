"""Texts and JSON with `{{ placeholders }}` in the configuration.

The doors are `template` and, for whole requests, `request.RequestTemplate`.
"""
