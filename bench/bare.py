"""The least that Flask can do: a view without any work, for comparison."""

from flask import Flask

app = Flask(__name__)


@app.get("/get_owner_contact_by_phone")
def answer() -> str:
    return "101"
