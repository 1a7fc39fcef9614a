#!/bin/sh
# The command omi-bridge as the service runs it: its user, its configuration, its secrets. For root, as
# /usr/local/sbin/omi-bridge. OMI_BRIDGE_PROGRAM names another version, to try it before it is put in force, and
# OMI_BRIDGE_ENVIRONMENT another file of secrets.
set -eu
export OMI_BRIDGE_CONFIG=/etc/omi-bridge/config.yaml
export STATE_DIRECTORY=/var/lib/omi-bridge

file=${OMI_BRIDGE_ENVIRONMENT:-/etc/omi-bridge/environment}
number=0
wrong=0
mark=$(printf '\357\273\277')
return=$(printf '\r')

# Says what is wrong with the line that was read, never what its value is; systemd would pass over the line.
refuse() {
    wrong=1
    echo "$file:$number: $1" >&2
}

# Puts NAME='value' into the environment.
take() {
    name=${1%%=*} value=${1#*=}
    case $name in
        export' '*) refuse "write ${name#export } without export: NAME='value'" && return ;;
        *' ') refuse "write ${name%% *} without a blank before the =: NAME='value'" && return ;;
        '' | [0-9]* | *[!A-Za-z0-9_]*) refuse "a name has letters, digits and _: $name" && return ;;
    esac
    case $value in
        ' '*) refuse "write $name without a blank behind the =: NAME='value'" && return ;;
        \'*\' | \"*\")
            [ ${#value} -gt 1 ] || { refuse "$name: the quote is not closed in this line" && return; }
            value=${value#?} value=${value%?}
            ;;
        \'* | \"*) refuse "$name: the quote is not closed in this line" && return ;;
    esac
    export "$name=$value"
}

# NAME='value', one a line, as systemd reads it: a shell that sourced the file would take a `$` in a secret for its own.
if [ -e "$file" ]; then
    while read -r line || [ -n "$line" ]; do
        number=$((number + 1))
        case $line in
            "$mark"*) refuse "begins with a byte-order mark: save it as UTF-8 without one" ;;
            *"$return") refuse "ends as lines do in Windows: save it with the line ends of Linux" ;;
            '' | '#'* | ';'*) ;;
            *=*) take "$line" ;;
            *) refuse "has no =: write NAME='value'" ;;
        esac
    done < "$file"
fi
[ "$wrong" = 0 ] || exit 2
exec runuser -u omi-bridge -- "${OMI_BRIDGE_PROGRAM:-/opt/omi-bridge/current/bin/omi-bridge}" "$@"
