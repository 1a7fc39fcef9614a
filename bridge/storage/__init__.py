"""What is remembered of the answers: in memory (`cache.AnswerCache`), and in a file (`cache_file`)."""
