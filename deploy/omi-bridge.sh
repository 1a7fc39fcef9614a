#!/bin/sh
# The command omi-bridge as the service runs it: its user, its configuration, its secrets. For root, as
# /usr/local/sbin/omi-bridge. OMI_BRIDGE_PROGRAM names another version, to try it before it is put in force.
set -eu
export OMI_BRIDGE_CONFIG=/etc/omi-bridge/config.yaml
export STATE_DIRECTORY=/var/lib/omi-bridge
# NAME='value', one a line, as systemd reads it: a shell that sourced the file would take a `$` in a secret for its own.
if [ -e /etc/omi-bridge/environment ]; then
    while read -r line || [ -n "$line" ]; do
        case $line in
            '#'* | ';'*) continue ;;
            *=*) value=${line#*=} ;;
            *) continue ;;
        esac
        case $value in
            \'*\' | \"*\") value=${value#?} value=${value%?} ;;
        esac
        export "${line%%=*}=$value"
    done < /etc/omi-bridge/environment
fi
exec runuser -u omi-bridge -- "${OMI_BRIDGE_PROGRAM:-/opt/omi-bridge/current/bin/omi-bridge}" "$@"
