#!/usr/bin/env bash
# The acceptance test of a stage that was just deployed, with the configuration that it was planned with.
#   scripts/ci/smoke.sh <folder of the plan's artifact>
set -euo pipefail
settings=$(npm run --silent ci -- settings --artifact "$1")
while IFS= read -r setting; do export "${setting?}"; done <<<"$settings"
npm run smoke
