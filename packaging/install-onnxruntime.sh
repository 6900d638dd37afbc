#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# install-onnxruntime.sh FOLDER: puts ONNX Runtime for Node.js there, with which tests compare exported models. It is a tool of
# the tests only and comes from npm as the user has it configured; nothing is installed outside FOLDER.
set -euo pipefail
folder="${1:?usage: install-onnxruntime.sh FOLDER}"
source="$(cd "$(dirname "${BASH_SOURCE[0]}")/../tests/support/onnxruntime" && pwd)"

mkdir -p "$folder"
if cmp -s "$source/package.json" "$folder/package.json" && [ -d "$folder/node_modules/onnxruntime-node" ]; then
    exit 0
fi
command -v npm >/dev/null || { echo "npm is not installed" >&2; exit 1; }
cp "$source/package.json" "$folder/"
# The package brings its CPU library along; its install script would only fetch GPU ones.
npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error
