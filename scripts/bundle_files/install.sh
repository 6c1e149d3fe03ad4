#!/bin/sh
# Install facedouble from this folder, without a network.
#
#   sh install.sh FOLDER [HASH]
#
# FOLDER: where the program goes; it must not exist yet. HASH: the SHA-256 of the file SHA256SUMS, read from paper, all 64
# digits of it: then nothing is installed from a bundle that is not the one it was written down from.
# PYTHON=/path/to/python3.11 says which Python, if it is not the one called python3.11.
set -eu

say() { printf '%s\n' "install: $*" >&2; }
stop() { say "$*"; exit 1; }

[ $# -ge 1 ] && [ $# -le 2 ] && [ -n "$1" ] || stop "say where the program goes: sh install.sh FOLDER [HASH]"
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
case $1 in /*) target=$1 ;; *) target=$(pwd -P)/$1 ;; esac
paper=$(printf %s "${2-}" | tr -d ' -' | tr A-F a-f)
python=${PYTHON:-python3.11}

# 1. Is everything here, unaltered, and nothing besides? Before anything of it runs.
cd -- "$here"
[ -f SHA256SUMS ] || stop "$here: holds no SHA256SUMS, so it is no whole bundle; copy it again"
found=$(sha256sum SHA256SUMS | cut -d ' ' -f 1)
if [ -n "$paper" ]; then
    [ ${#paper} -eq 64 ] || stop "give all 64 digits of the hash"
    [ "$paper" = "$found" ] || stop "the hash of SHA256SUMS is $found, not the one given; this is another bundle: do not use it"
fi
sha256sum --check --strict --quiet SHA256SUMS >&2 || stop "a file is altered or missing; copy the bundle again: do not use this one"
listed=$(cut -c 67- SHA256SUMS | LC_ALL=C sort)
there=$(find . ! -type d ! -path ./SHA256SUMS | cut -c 3- | LC_ALL=C sort)
[ "$listed" = "$there" ] || stop "there are files that SHA256SUMS does not list; copy the bundle again: do not use this one"
say "every file is the one that SHA256SUMS lists; its own hash is"
say "    $found"
[ -n "$paper" ] || say "compare that with the one on paper"

# 2. Is this a machine that it runs on?
[ "$(uname -s) $(uname -m)" = "Linux x86_64" ] || stop "the bundle is for Linux on x86-64; this is $(uname -s) on $(uname -m)"
"$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null ||
    stop "$python is not Python 3.11 with venv; install it (Debian 12: python3 python3-venv), or say PYTHON=/path sh install.sh"
[ ! -e "$target" ] || stop "$target: exists already; choose another place, or delete it"

# 3. Into an environment of its own. pip sees no settings, no index, no cache, and takes only files with the pinned hash.
trap 'rm -rf -- "$target"; say "nothing was installed"' EXIT
trap 'exit 1' INT TERM HUP
mkdir -p -- "$(dirname -- "$target")"
"$python" -I -m venv -- "$target"
pip() {
    env -u PYTHONPATH -u PYTHONHOME PIP_CONFIG_FILE=/dev/null "$target/bin/python" -I -m pip --isolated --disable-pip-version-check \
        install --quiet --no-cache-dir --no-index --only-binary :all: --require-hashes --find-links "$here/wheels" "$@"
}
say "installing; this takes some minutes"
pip -r requirements/lock.txt
pip --no-deps -r requirements/lock-nodeps.txt
pip --no-deps -r requirements/facedouble.txt
env -u PYTHONPATH -u PYTHONHOME "$target/bin/facedouble" models install --from "$here/models" >/dev/null
trap - EXIT

# 4. Does it work here?
say "installed; what it finds here:"
if env -u PYTHONPATH -u PYTHONHOME "$target/bin/facedouble" doctor; then
    say "done: $target/bin/facedouble"
else
    code=$?
    say "installed at $target, but look at the lines above that say BAD"
    exit "$code"
fi
