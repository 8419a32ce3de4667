#!/usr/bin/env bash
# Checks that the quickstart does what the README promises: it prints the
# telemetry of the cache as plain text when its output is no terminal, refuses
# a wrong flag, and does not hang when there is no collector.
set -euo pipefail
cd "$(dirname "$0")/.."

expected=$PWD/.ci/quickstart.expect
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

failures=0
fail() {
	echo "quickstart: $*" >&2
	failures=$((failures + 1))
}

# The command of the README. Piped through cat, so that it meets no terminal;
# pipefail keeps its exit status.
echo "quickstart: go run -C examples ./quickstart"
if ! timeout 300 go run -C examples ./quickstart 2>"$work/err" | cat >"$work/out"; then
	fail "the run failed"
fi
cat "$work/out"
cat "$work/err" >&2
[[ $(wc -l <"$work/out") -lt 24 ]] || fail "a first look has more lines than a terminal"
[[ $(LC_ALL=C.UTF-8 wc -L <"$work/out") -le 80 ]] || fail "a first look is wider than a terminal"
grep -qF -- "they differ" "$work/out" || fail "a first look does not make the point"

echo "quickstart: go run -C examples ./quickstart -all"
if ! timeout 300 go run -C examples ./quickstart -all 2>"$work/err" | cat >"$work/out"; then
	fail "the run failed"
fi
cat "$work/out"
cat "$work/err" >&2

while IFS= read -r line || [[ -n $line ]]; do
	[[ -z $line || $line == '#'* ]] && continue
	grep -qF -- "$line" "$work/out" || fail "the output lacks: $line"
done <"$expected"

if grep -q $'\033' "$work/out" "$work/err"; then
	fail "the output has ANSI escapes although it is piped"
fi

# go run replaces the exit status of the program by its own, so the rest needs
# the program itself.
go build -C examples -o "$work/quickstart" ./quickstart

status=0
timeout 30 "$work/quickstart" -nonsense >"$work/out" 2>"$work/err" || status=$?
[[ $status -eq 2 ]] || fail "a wrong flag ends with status $status, not 2"
grep -qF -- nonsense "$work/err" || fail "standard error does not name the wrong flag"

# Nothing listens on port 1.
status=0
OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1 timeout --kill-after=5 30 \
	"$work/quickstart" -exporter otlp >"$work/out" 2>"$work/err" || status=$?
case $status in
124 | 137) fail "without a collector it hangs: no end after 30 s" ;;
0) fail "without a collector it ends with status 0" ;;
esac
if ! grep -qiE 'otlp|collector|endpoint|connection refused' "$work/err"; then
	fail "without a collector standard error does not say what is wrong:"
	cat "$work/err" >&2
fi
if grep -qE '^(panic:|goroutine [0-9]+ \[)' "$work/err"; then
	fail "without a collector it panics"
fi

if [[ $failures -gt 0 ]]; then
	echo "quickstart: $failures checks failed" >&2
	exit 1
fi
echo "quickstart: all checks passed"
