#!/bin/sh
# Make monitor/static/vendor/echarts anew, from the versions that package.json names. Needs npm.
# The same versions give the same bytes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
into=$here/../../monitor/static/vendor/echarts
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/package.json" "$here/entry.js" "$work"
cd "$work"
npm install --no-package-lock --no-audit --no-fund --loglevel=error
version=$(node -p 'JSON.parse(require("fs").readFileSync("node_modules/echarts/package.json")).version')
node_modules/.bin/esbuild entry.js --bundle --minify --format=iife --global-name=echarts \
	--target=es2018 --legal-comments=none --define:process.env.NODE_ENV='"production"' \
	--banner:js="/*! Apache ECharts $version, Apache-2.0: parts of it, bundled by tools/charts/build.sh */" \
	--log-level=error --outfile=echarts.min.js
mkdir -p "$into"
cp echarts.min.js node_modules/echarts/LICENSE node_modules/echarts/NOTICE \
	node_modules/echarts/licenses/LICENSE-d3 "$into"
cp node_modules/zrender/LICENSE "$into/LICENSE-zrender"
