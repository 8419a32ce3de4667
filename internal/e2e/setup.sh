#!/usr/bin/env bash
# Installs what the end-to-end tests run beside the library: Debian's redis-server,
# prometheus and a Chromium, and a Jaeger built from the Go module proxy into bin. It says
# what it does, does nothing that is done, and needs no apt when all is there.
#
# The tests start their own processes with their own files on their own ports, so
# the packages' daemons are neither needed nor touched: those that come with a
# package that is installed here are neither started now nor enabled for later.
set -euo pipefail
cd "$(dirname "$0")/../.."

# A developer's workspace does not have the module of Jaeger.
export GOWORK=off

readonly policy=/usr/sbin/policy-rc.d
readonly chromium=chromium-headless-shell # Debian's; where there is none, set TIERCACHE_E2E_CHROMIUM

sudo=()
if [[ $(id -u) -ne 0 ]]; then sudo=(sudo); fi

# missing prints the packages of which a program is not in the path. A program
# stands for its package, so that one that came another way does as well.
missing() {
	command -v redis-server >/dev/null || echo redis-server
	if ! command -v prometheus >/dev/null || ! command -v promtool >/dev/null; then echo prometheus; fi
	if [[ -z ${TIERCACHE_E2E_CHROMIUM:-} ]] && ! command -v chromium-headless-shell chromium google-chrome >/dev/null; then
		echo "$chromium"
	fi
}

# forbid_start makes dpkg start no daemon until this script ends: Debian's way is
# a policy-rc.d that answers 101. One that is there, as in containers, is left.
forbid_start() {
	if [[ -e $policy ]]; then
		echo "$policy decides which daemons start; it is left as it is"
		return
	fi
	echo "no daemon may start while packages are installed ($policy)"
	trap '"${sudo[@]}" rm -f "$policy"' EXIT
	printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee "$policy" >/dev/null
	"${sudo[@]}" chmod 755 "$policy"
}

# installed tells whether dpkg has a package, in whatever path its programs are.
installed() {
	[[ $(dpkg-query --show --showformat '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# disable keeps systemd from starting the daemon of a new package at the next boot.
disable() {
	if [[ ! -d /run/systemd/system ]]; then return; fi
	echo "the daemon of $1 is disabled"
	"${sudo[@]}" systemctl disable "$1.service"
}

install_packages() {
	local packages=() new=() package
	mapfile -t packages < <(missing)
	if [[ ${#packages[@]} -eq 0 ]]; then
		echo "redis-server, prometheus and a Chromium are installed"
		return
	fi
	if ! command -v apt-get >/dev/null; then
		echo "there is no apt-get here; install ${packages[*]} by other means" >&2
		exit 1
	fi
	echo "installing ${packages[*]}"
	for package in "${packages[@]}"; do
		if ! installed "$package"; then new+=("$package"); fi
	done
	forbid_start
	"${sudo[@]}" apt-get update
	"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"
	for package in "${new[@]}"; do
		if [[ $package != "$chromium" ]]; then disable "$package"; fi # it has no daemon
	done
}

# build_jaeger builds again when the version in its go.mod may have changed.
build_jaeger() {
	if [[ -n ${TIERCACHE_E2E_JAEGER:-} ]]; then
		echo "TIERCACHE_E2E_JAEGER names the Jaeger to run: $TIERCACHE_E2E_JAEGER"
		return
	fi
	if [[ bin/all-in-one -nt internal/tools/jaeger/go.mod ]]; then
		echo "Jaeger is built: bin/all-in-one"
		return
	fi
	echo "building Jaeger into bin/all-in-one; the first time this takes some minutes"
	go build -C internal/tools/jaeger -buildvcs=false -o "$PWD/bin/" github.com/jaegertracing/jaeger/cmd/all-in-one
	touch bin/all-in-one # go build leaves one that is up to date as it is
}

install_packages
build_jaeger
