#!/usr/bin/env bash
# Lays out what the container image is built from, out of the archives in dist/: dist/image.
set -euo pipefail
cd "$(dirname "$0")/../.."
tag=${1:?the version, as v0.1.0}

rm -rf dist/image
mkdir -p dist/image
cp Dockerfile dist/image/
for pair in amd64:x86_64 arm64:aarch64; do
    archive=brightstaff-exporter-$tag-${pair#*:}-unknown-linux-musl
    (cd dist && sha256sum --check --quiet "$archive.tar.gz.sha256")
    mkdir -p "dist/image/${pair%%:*}"
    tar -xzf "dist/$archive.tar.gz" -C "dist/image/${pair%%:*}" --strip-components=1 "$archive/brightstaff-exporter"
done
