#!/bin/sh
# Runs every fuzz target of the given modules, one after the other, because go
# test fuzzes one target at a time. Goes on after a failure, and fails at the
# end with the names of the targets that failed.
#
# FUZZTIME is a number of inputs (50000x), or a duration. A duration can fail a
# target that found nothing, with "context deadline exceeded": before Go 1.27
# the end of the time races with its workers (https://go.dev/issue/75804). The
# search for a smaller input is counted for the same reason.
#
# Usage: fuzz.sh FUZZTIME MODULE...
set -eu

fuzztime=$1
shift
count=0
failed=

for module in "$@"; do
	# For each package, go test -list prints its targets, then "ok PACKAGE".
	list=$(cd "$module" && go test -list '^Fuzz' ./...) || {
		printf '%s\n' "$list"
		failed="$failed $module"
		continue
	}
	targets=
	# A here-document keeps the loop in this shell; a pipe would not.
	while read -r word package _; do
		case $word in
		Fuzz*) targets="$targets $word" ;;
		ok)
			for target in $targets; do
				echo "== $package $target"
				count=$((count + 1))
				(cd "$module" && go test -run '^$' -fuzz "^$target\$" -fuzztime "$fuzztime" -fuzzminimizetime 100x -timeout 10m "$package") </dev/null ||
					failed="$failed $package:$target"
			done
			targets=
			;;
		esac
	done <<-LIST
		$list
	LIST
done

if [ -n "$failed" ]; then
	echo "fuzz: FAILED in$failed" >&2
	exit 1
fi
echo "fuzz: $count targets ran for $fuzztime each"
