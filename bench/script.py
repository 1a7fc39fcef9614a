"""What somebody writes in an hour instead of omi-bridge: Flask, requests, and a dictionary that forgets.

It asks the CRM at $CRM. One key, one spelling of a number, no log, no limit to waiting but that of each socket.
"""

import os

import requests
from cachetools import TTLCache
from flask import Flask, Response, request

app = Flask(__name__)
crm = os.environ["CRM"]
session = requests.Session()
known: TTLCache[str, str] = TTLCache(maxsize=100_000, ttl=300)


@app.get("/get_owner_contact_by_phone")
def answer() -> Response:
    if request.headers.get("X-API-KEY") != "change-me":
        return Response(status=401)
    phone = request.args.get("phoneNumber", "")
    if phone not in known:
        try:
            reply = session.get(f"{crm}/owner", params={"phone": phone}, timeout=1.5)
            reply.raise_for_status()
            owners = {str(record["owner"]) for record in reply.json()["records"]}
        except (requests.RequestException, ValueError, KeyError):
            return Response(content_type="text/plain")
        known[phone] = "101" if "7" in owners else ""
    return Response(known[phone], content_type="text/plain")
