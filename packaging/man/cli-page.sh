#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Prints the man page of quantoscope-cli, made from what the program itself says in its help.
# Usage: cli-page.sh QUANTOSCOPE_CLI
set -eu
cli=$1
here=$(cd "$(dirname "$0")" && pwd)
commands=$("$cli" --help | awk '/^Subcommands:/ { on = 1; next } on && /^  [a-z]/ { print $1 }')
{
    "$cli" --version | sed 's/^/@version /'
    "$cli" --help | sed -n 's/^/@main /p'
    for command in $commands; do
        echo "@command $command"
        "$cli" "$command" --help
    done
} | awk -f "$here/cli-page.awk"
