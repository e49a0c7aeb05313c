#!/bin/sh
# SPDX-License-Identifier: MIT
# soak.sh MINUTES - what is too long for ./test: each fuzz target for its share of the time, beginning with the corpora of
# the tree (what is found lands in build/found/TARGET and stays for the next time), then the tests of suite "soak".
cd "$(dirname "$0")/.." || exit 1
minutes=${1:-10}
CC=clang tools/build.sh build/fuzz -- -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false \
    -Dc_args=-fno-sanitize=pointer-overflow || exit 1
set -- build/fuzz/tests/fuzz/fuzz_*[!.]?
targets=
for f; do
    [ -x "$f" ] && [ -f "$f" ] && targets="$targets $f"
done
set -- $targets
seconds=$((minutes * 60 / $# + 1)) # 0 would be without end
failed=
for f; do
    name=${f##*/fuzz_}
    echo "fuzzing $name for $seconds s" >&2
    mkdir -p "build/found/$name"
    "$f" -max_total_time="$seconds" -max_len=4096 -timeout=10 -print_final_stats=0 -verbosity=0 \
        -artifact_prefix="build/found/$name-" "build/found/$name" "tests/fuzz/corpus/$name" >"build/found/$name.log" 2>&1 || {
        tail -n 40 "build/found/$name.log"
        failed="$failed $name"
    }
done
if meson introspect build --tests | grep -q '"[^"]*:soak"\|"soak"'; then
    SOAK=$minutes meson test -C build --suite soak --no-rebuild --verbose --timeout-multiplier 0 || failed="$failed tests"
fi
[ -z "$failed" ] || echo "failed:$failed" >&2
[ -z "$failed" ]
