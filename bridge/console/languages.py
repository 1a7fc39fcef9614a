"""In which language somebody reads: the one chosen here, else the browser's, else English."""

from flask import request, session

LANGUAGES = {"vi": "Tiếng Việt", "en": "English"}
"""Each with its own name for itself."""


def chosen_language() -> str:
    """Return the language of the request under way."""
    chosen = session.get("language")
    return chosen if chosen in LANGUAGES else request.accept_languages.best_match(LANGUAGES) or "en"
