"""The tests that every connector has to pass, whatever it asks."""

from bridge.testing.conformance.answering import Answering
from bridge.testing.conformance.discretion import Discretion
from bridge.testing.conformance.listing import Listing
from bridge.testing.conformance.releasing import Releasing


class Conformance(Answering, Discretion, Listing, Releasing):
    """Subclass it in a test file under a name that starts with `Test`, and fill in what `Subject` asks for.

    The source of these tests lives in a folder: a file, a database. For one that is asked over HTTP there is
    `HttpConformance`. A test that cannot hold for your source is left out by `test_its_name = None`.
    """
