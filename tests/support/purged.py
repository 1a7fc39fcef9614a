"""A CRM whose records have ids, before which tests purge what was learnt of it."""

STEPS = """
extensions: {{inline: {{"7": 101, "8": 102}}}}
connectors:
  crm:
    type: rest
    base_url: {url}
    auth: {{type: bearer, token: planted-token}}
    steps:
      - path: search
        query: {{phone: "{{{{ caller.e164 }}}}"}}
        records: items
        record: id
        match: phone
        take: {{owner_id: owner}}
"""
