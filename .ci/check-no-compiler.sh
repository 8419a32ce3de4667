#!/usr/bin/env bash
# Checks that make test runs with the race detector where there is a C compiler, and
# without it, and says so, where there is none. It looks at the commands alone.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# All commands of this machine but the compilers.
IFS=: read -ra folders <<<"$PATH"
for folder in "${folders[@]}"; do
	for command in "$folder"/*; do
		name=${command##*/}
		case $name in cc | c++ | c89* | c99* | *gcc* | *g++* | *clang*) continue ;; esac
		[[ -x $command && ! -e $work/$name ]] && ln -s "$command" "$work/$name"
	done
done

with=$(env -u CC make -n test)
without=$(env -u CC PATH="$work" make -n test)

status=0
expect() { # TEXT of OUTPUT, by grep's exit status WANT
	local found=0
	grep -qF -- "$1" <<<"$2" || found=1
	if [[ $found -ne $3 ]]; then
		echo "no-compiler: make test $([[ $3 -eq 0 ]] && echo lacks || echo has): $1" >&2
		status=1
	fi
}
expect 'go test -race ' "$with" 0
expect 'race detector is off' "$with" 1
expect 'go test -race ' "$without" 1
expect 'go test  -timeout' "$without" 0
expect 'race detector is off' "$without" 0
[[ $status -eq 0 ]] && echo "no-compiler: make test runs with and without a C compiler"
exit "$status"
