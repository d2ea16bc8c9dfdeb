#!/bin/sh
# Makes sure that a Chromium is there for the browser tests: found, or installed as root on Debian, or a word on how.
# IOC_CHROMIUM names another one.
set -eu

for browser in "${IOC_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
    if [ -n "$browser" ] && command -v "$browser" >/dev/null 2>&1; then
        exit 0
    fi
done

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "make: installing chromium and fonts for the browser tests"
    apt-get update -qq
    if DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-core >/dev/null; then
        exit 0
    fi
fi

cat >&2 <<'WORD'
make: no Chromium was found, and it cannot be installed from here. The browser tests will be skipped. To run them, type
    sudo apt-get install --no-install-recommends chromium fonts-noto-core
or name one that you have: IOC_CHROMIUM=/path/to/chrome make test
WORD
