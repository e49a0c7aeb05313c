#!/bin/sh
# SPDX-License-Identifier: MIT
# build.sh FOLDER [TARGET...] [-- MESON-OPTION...] - sets the build folder up once, then builds in it. Quiet but
# for what goes wrong.
cd "$(dirname "$0")/.." || exit 1
folder=$1
shift
targets=
while [ $# -gt 0 ]; do
    [ "$1" = -- ] && shift && break
    targets="$targets $1"
    shift
done
if [ ! -f "$folder/build.ninja" ]; then
    echo "setting up $folder" >&2
    said=$(meson setup "$folder" "$@" 2>&1) || {
        printf '%s\n' "$said" >&2
        rm -rf "$folder"
        exit 1
    }
fi
# What ninja says comes on stdout, and stdout belongs to whoever runs next.
ninja -C "$folder" -n $targets 2>/dev/null | grep -q 'no work to do' && exit 0
echo "building $folder" >&2
exec ninja -C "$folder" -k 20 --quiet $targets >&2
