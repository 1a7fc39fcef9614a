"""The tests that every connector and every list of extensions has to pass.

The doors are `suite.Conformance` and `extensions.ExtensionsConformance`.
"""
