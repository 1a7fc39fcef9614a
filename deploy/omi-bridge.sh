#!/bin/sh
# The command omi-bridge as the service runs it: its user, its configuration, its secrets. For root, as
# /usr/local/sbin/omi-bridge. OMI_BRIDGE_PROGRAM names another version, to try it before it is put in force.
set -eu
set -a
OMI_BRIDGE_CONFIG=/etc/omi-bridge/config.yaml
STATE_DIRECTORY=/var/lib/omi-bridge
if [ -e /etc/omi-bridge/environment ]; then . /etc/omi-bridge/environment; fi
set +a
exec runuser -u omi-bridge -- "${OMI_BRIDGE_PROGRAM:-/opt/omi-bridge/current/bin/omi-bridge}" "$@"
