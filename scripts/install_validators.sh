#!/bin/sh
# Install what the tests check reports with, into .oracle/validators: Microsoft's SARIF validator
# (105 MB) and readers of reviewdog's and Checkstyle's formats. Needs npm.
set -eu
folder=$(dirname "$0")/../.oracle/validators
mkdir -p "$folder"
cd "$folder"
[ -e package.json ] || echo '{"private": true}' >package.json
npm install --no-audit --no-fund --save-exact --ignore-scripts \
    @microsoft/sarif-multitool-linux@5.7.0 \
    @umbrelladocs/rdformat-validator@1.0.1 \
    danger-plugin-lint-report@1.8.1
# its own script would do this, but npm doesn't run scripts that nobody has allowed
chmod u+x node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool
