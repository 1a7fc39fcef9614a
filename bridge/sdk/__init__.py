"""Everything that a connector may use of omi-bridge: the contract, and the kinds of values in it.

Import from here: `from bridge.sdk import Connector, Owner`; `bridge.sdk.http`, `bridge.sdk.files` and
`bridge.sdk.tables` have what only some connectors need. Nothing in here knows the rest of omi-bridge.
"""

from bridge.sdk.connector import (
    AnyConnector,
    Attention,
    Call,
    Connector,
    ConnectorConfig,
    Customer,
    CustomerPage,
    Owner,
    Owners,
    SnapshotSettings,
)
from bridge.sdk.deadline import Clock, Deadline
from bridge.sdk.disk.last_good import LastGood
from bridge.sdk.disk.list_state import ListState
from bridge.sdk.disk.own_file import Beginning
from bridge.sdk.errors import (
    InvalidNumber,
    SourceBusy,
    SourceError,
    SourceRejected,
    SourceUnavailable,
    UnexpectedAnswer,
)
from bridge.sdk.extension_source import (
    KEPT_LIST_BEGINS,
    AnyExtensionSource,
    ExtensionEntry,
    ExtensionSource,
    ExtensionSourceConfig,
)
from bridge.sdk.namesakes import shared_names, told_apart
from bridge.sdk.phone import PhoneNumber, holds, holds_any
from bridge.sdk.records import each_once, named_records
from bridge.sdk.resolver import Resolver
from bridge.sdk.secrets import (
    MASK,
    REPEATED,
    Credential,
    HeaderCredential,
    Password,
    Prefix,
    Redaction,
    remember_derived,
    repeats,
    secrets_in,
)
from bridge.sdk.settings import (
    Duration,
    LocalPath,
    OneOrMore,
    Region,
    Size,
    SourceRegion,
    Switch,
    Text,
    Written,
    located,
    refuse_unfilled,
    state_file,
)
from bridge.sdk.shared import Shared, SharedValue, Turns, newer_than_seen
from bridge.sdk.suggestion import did_you_mean
from bridge.sdk.threads.background import BackgroundLoop, Wait
from bridge.sdk.threads.lane import Lane, give_way
from bridge.sdk.threads.watchdog import Watchdog, current_watchdog, cut_off_at, hang_up
from bridge.sdk.tokens import AccessToken, TokenSupply
from bridge.sdk.translation import told_as
from bridge.sdk.words import canonical, is_no_value, is_nothing, visible

__all__ = [
    "KEPT_LIST_BEGINS",
    "MASK",
    "REPEATED",
    "AccessToken",
    "AnyConnector",
    "AnyExtensionSource",
    "Attention",
    "BackgroundLoop",
    "Beginning",
    "Call",
    "Clock",
    "Connector",
    "ConnectorConfig",
    "Credential",
    "Customer",
    "CustomerPage",
    "Deadline",
    "Duration",
    "ExtensionEntry",
    "ExtensionSource",
    "ExtensionSourceConfig",
    "HeaderCredential",
    "InvalidNumber",
    "Lane",
    "LastGood",
    "ListState",
    "LocalPath",
    "OneOrMore",
    "Owner",
    "Owners",
    "Password",
    "PhoneNumber",
    "Prefix",
    "Redaction",
    "Region",
    "Resolver",
    "Shared",
    "SharedValue",
    "Size",
    "SnapshotSettings",
    "SourceBusy",
    "SourceError",
    "SourceRegion",
    "SourceRejected",
    "SourceUnavailable",
    "Switch",
    "Text",
    "TokenSupply",
    "Turns",
    "UnexpectedAnswer",
    "Wait",
    "Watchdog",
    "Written",
    "canonical",
    "current_watchdog",
    "cut_off_at",
    "did_you_mean",
    "each_once",
    "give_way",
    "hang_up",
    "holds",
    "holds_any",
    "is_no_value",
    "is_nothing",
    "located",
    "named_records",
    "newer_than_seen",
    "refuse_unfilled",
    "remember_derived",
    "repeats",
    "secrets_in",
    "shared_names",
    "state_file",
    "told_apart",
    "told_as",
    "visible",
]
