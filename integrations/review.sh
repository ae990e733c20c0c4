#!/usr/bin/env bash
# Reviews a change in continuous integration: checks, tests, and what changes in meaning. Everything comes in by the
# environment, and nothing of it is ever read as a program:
#   EGRESSC_PATHS      files or folders of policies, one a line (default: .)
#   EGRESSC_BASE       the revision to compare with; empty: nothing is compared
#   EGRESSC_HEAD       the revision that is reviewed (default: HEAD)
#   EGRESSC_INVENTORY  the inventory, if it does not stand beside the policies
#   EGRESSC_FAIL_ON    as for `egressc diff --fail-on` (default: nothing)
#   EGRESSC_STRICT     true: warnings that are not accepted are errors
#   EGRESSC_OUT        the folder for egressc.sarif, tests.xml, review.md, review.html (default: egressc-review)
#   EGRESSC            the program (default: egressc)
# Exit status: 0, else the worst of check, test and diff.
set -euo pipefail

egressc=${EGRESSC:-egressc}
out=${EGRESSC_OUT:-egressc-review}
mkdir -p -- "$out"

paths=()
while IFS= read -r line; do
    # A path that begins with a hyphen is a path all the same.
    case $line in
        '') ;;
        -*) paths+=("./$line") ;;
        *) paths+=("$line") ;;
    esac
done <<<"${EGRESSC_PATHS:-.}"
options=()
if [ -n "${EGRESSC_INVENTORY:-}" ]; then options+=("--inventory=$EGRESSC_INVENTORY"); fi
strict=()
if [ "${EGRESSC_STRICT:-false}" = true ]; then strict+=(--strict); fi

worst=0
note() { # WHAT STATUS: remember the worst
    echo "egressc $1: exit status $2"
    if [ "$2" -gt "$worst" ]; then worst=$2; fi
}

status=0
"$egressc" check "${options[@]}" "${strict[@]}" --format sarif "${paths[@]}" >"$out/egressc.sarif" || status=$?
if [ "$status" -ne 0 ]; then "$egressc" check "${options[@]}" "${strict[@]}" "${paths[@]}" || true; fi
note check "$status"

if [ -n "$(find -L "${paths[@]}" -name '*.test.yaml' -print -quit 2>/dev/null)" ]; then
    status=0
    "$egressc" test "${options[@]}" --junit "$out/tests.xml" "${paths[@]}" || status=$?
    note test "$status"
fi

rm -f -- "$out/review.md" "$out/review.html" "$out/review.log"
if [ -n "${EGRESSC_BASE:-}" ]; then
    range=$EGRESSC_BASE...${EGRESSC_HEAD:-HEAD}
    status=0
    # The revision stands in one word with its dots: `egressc diff` refuses one that begins with a hyphen.
    case $range in -*) echo "egressc diff: no revision begins with a hyphen" >"$out/review.log"; status=2 ;; esac
    if [ "$status" -eq 0 ]; then
        fail=()
        if [ -n "${EGRESSC_FAIL_ON:-}" ]; then fail+=("--fail-on=$EGRESSC_FAIL_ON"); fi
        "$egressc" diff "${options[@]}" --format html -o "$out/review.html" "$range" -- "${paths[@]}" \
            2>"$out/review.log" || status=$?
        if [ "$status" -eq 0 ]; then
            "$egressc" diff "${options[@]}" "${fail[@]}" --format markdown -o "$out/review.md" "$range" \
                -- "${paths[@]}" 2>"$out/review.log" || status=$?
        fi
    fi
    cat -- "$out/review.log" >&2
    note diff "$status"
fi
exit "$worst"
