"""A database, asked within the deadline. The door is `database.SqlDatabase`."""
