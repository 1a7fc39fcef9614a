"""Owners and extensions from a database. The doors are `connector.SqlConnector` and `extensions.SqlExtensions`."""
