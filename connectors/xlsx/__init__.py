"""Owners from a workbook of Excel or LibreOffice. The door is `connector.XlsxConnector`."""
