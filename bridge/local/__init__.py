"""How processes of one machine talk to each other, and know that they are the same user's."""
