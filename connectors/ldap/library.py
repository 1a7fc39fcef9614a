"""The library that speaks LDAP, as it is used here; it need not be there before a directory is configured."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it uses names of pyasn1 that have others now
    import ldap3
    from ldap3.core import exceptions
    from ldap3.operation.search import parse_filter

__all__ = ["exceptions", "is_filter", "ldap3"]


def is_filter(text: str) -> bool:
    """Tell whether a text is a filter (RFC 4515)."""
    try:
        parse_filter(text, None, auto_escape=False, auto_encode=False, validator=None, check_names=False)
    except (exceptions.LDAPException, ValueError):
        return False
    return True
