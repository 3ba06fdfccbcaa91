#!/usr/bin/env bash
# Runs `muster plan` and leaves its markdown in a file. Never fails because of what the plan says: a later step judges.
set -euo pipefail

muster=${PLAN_COMMAND:-$ACTION_PATH/../../../bin/muster}
revision=${PLAN_REVISION:-}
if [ -z "$revision" ] && [ -n "${PLAN_PULL:-}" ]; then revision=refs/pull/$PLAN_PULL/merge; fi

args=(plan -o markdown --comment-id "${PLAN_COMMENT_ID:-default}")
if [ -n "$revision" ] && [ "$revision" != none ]; then
  args+=(--repo "$PLAN_REPO" --revision "$revision")
  if [ -n "${PLAN_BASE:-}" ]; then args+=(--base "$PLAN_BASE"); fi
fi
while IFS= read -r file; do
  if [ -n "$file" ]; then args+=(-R -f "$file"); fi
done <<<"${PLAN_FILES:-}"

folder=$(mktemp -d "${RUNNER_TEMP:-/tmp}/muster-plan.XXXXXX")
code=0
"$muster" "${args[@]}" >"$folder/plan.md" || code=$?
if [ ! -s "$folder/plan.md" ]; then
  code=1
  printf '<!-- muster-plan: %s -->\n\n### ❌ Muster plan failed\n\nThe log of the job says why.\n' \
    "${PLAN_COMMENT_ID//[^a-zA-Z0-9_.-]/-}" >"$folder/plan.md"
fi
cat "$folder/plan.md" >>"${GITHUB_STEP_SUMMARY:-/dev/stdout}"
printf 'code=%s\nmarkdown=%s\n' "$code" "$folder/plan.md" >>"$GITHUB_OUTPUT"
