"""The tests that every connector to an HTTP source has to pass. The door is `suite.HttpConformance`."""
