# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced by run.sh and test.sh: the repository's root, and what both need installed and built.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# packages_of SECTION...: the packages listed under these headings.
packages_of() {
    local section
    for section in "$@"; do
        awk -v want="[$section]" '/^#/ || NF == 0 { next } /^\[/ { on = ($1 == want); next } on { print $1 }' \
            "$root/packaging/dependencies-debian.txt"
    done
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# A program of that name from elsewhere (a newer node, say) does as well as Debian's package.
is_provided() {
    case $1 in
        nodejs) command -v node >/dev/null ;;
        npm) command -v npm >/dev/null ;;
        *) false ;;
    esac
}

# install_missing SECTION...: installs what is missing with apt-get; nothing to do, nothing asked.
install_missing() {
    local missing=() package
    while read -r package; do
        is_installed "$package" || is_provided "$package" || missing+=("$package")
    done < <(packages_of "$@")
    [ ${#missing[@]} -eq 0 ] && return
    echo "Installing ${#missing[@]} Debian packages: ${missing[*]}"
    local sudo=()
    [ "$(id -u)" -eq 0 ] || sudo=(sudo)
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# build PRESET [CMAKE OPTION...]: a compiler cache, if there is one, also serves other checkouts.
build() {
    local preset=$1 log
    log=$(mktemp)
    shift
    (cd "$root" && cmake --preset "$preset" "$@" >"$log" 2>&1) || {
        cat "$log"
        return 1
    }
    rm -f "$log"
    CCACHE_BASEDIR="$root" cmake --build "$root/build/$preset" -j "$(nproc)"
}
