"""What is found out about a configuration ahead of any call.

The doors are `sources.check_service`; `judgement.judge` for a reload, and `expectation_watch` for what that left open;
`expectations`, which reads what a rehearsal and a check have to find.
"""
