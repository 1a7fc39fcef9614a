"""Extensions from an LDAP directory, such as Active Directory. The door is `extensions.LdapExtensions`."""
