"""What a CRM has had forgotten, wherever it is remembered: `purges.Purges` is the door."""
