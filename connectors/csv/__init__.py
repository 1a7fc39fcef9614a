"""Owners from a CSV file. The door is `connector.CsvConnector`."""
