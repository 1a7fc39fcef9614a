"""omi-bridge: answers OMICall's question "who looks after this caller?" from the CRM that a company already has."""
