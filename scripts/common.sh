# Sourced by the scripts beside it.
# shellcheck shell=bash

# The folder of the PostgreSQL server's programs, or nothing. Debian keeps them out of PATH, one folder for each version.
postgres_programs() {
    local found
    if found=$(command -v initdb); then
        dirname "$(readlink -f "$found")"
        return
    fi
    for found in $(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -rV); do
        if [ -x "$found" ]; then
            dirname "$found"
            return
        fi
    done
}

# The path of a browser of the Chromium family, or nothing.
browser() {
    local name
    for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do
        if command -v "$name"; then
            return
        fi
    done
}
