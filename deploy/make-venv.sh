#!/bin/sh
# Makes the virtual environment: make-venv.sh PYTHON FOLDER. Needs python3 >= 3.11 with the venv module; as root on
# Debian and Ubuntu it installs that module itself.
set -eu
python=$1
venv=$2

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

can_make_venv() { "$python" -c 'import ensurepip, venv' 2>/dev/null; }

command -v "$python" >/dev/null 2>&1 ||
    fail "make: $python was not found. Install Python 3.11 or newer (Debian, Ubuntu: apt-get install python3 python3-venv)," \
        "or name another one: make PYTHON=/path/to/python3"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "make: $python is $("$python" --version 2>&1), and 3.11 or newer is needed; name another one: make PYTHON=python3.12"

# an environment that works is kept: only the packages in it are brought up to date
if [ -x "$venv/bin/python" ] && "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    exit 0
fi

if ! can_make_venv; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "make: installing python3-venv"
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
    fi
    can_make_venv ||
        fail "make: $python cannot make virtual environments (the modules venv and ensurepip are not there). Type:" \
            "    sudo apt-get install python3-venv" \
            "and start again, or name a Python that has them: make PYTHON=/path/to/python3"
fi
echo "make: making the virtual environment $venv with $("$python" --version 2>&1); the packages take a minute or two"
"$python" -m venv --clear "$venv"
