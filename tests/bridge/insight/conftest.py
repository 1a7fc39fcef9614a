import threading

import pytest

from tests.support.known_customers import KnownCrm


@pytest.fixture(autouse=True)
def crm(monkeypatch):
    monkeypatch.setattr(KnownCrm, "instead", "")
    monkeypatch.setattr(KnownCrm, "asked", [])
    monkeypatch.setattr(KnownCrm, "let_go", threading.Event())
    return KnownCrm
