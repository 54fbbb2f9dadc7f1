#!/usr/bin/env bash
# Builds the binary of one target as a release ships it: dist/brightstaff-exporter-TAG-TARGET.tar.gz, and its
# checksum beside it.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${TARGET:?the target triple}" "${TAG:?the version, as v0.1.0}"

stated=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
[ "$TAG" = "v$stated" ] || {
    echo "the tag is $TAG, and Cargo.toml states $stated" >&2
    exit 1
}
if ! command -v musl-gcc >/dev/null; then
    sudo apt-get update -qq
    sudo apt-get install -qq -y --no-install-recommends musl-tools
fi
rustup target add "$TARGET"
GIT_SHA=$(git rev-parse HEAD) CC=musl-gcc \
    cargo build --profile dist --locked --target "$TARGET" --package brightstaff-exporter

name=brightstaff-exporter-$TAG-$TARGET
rm -rf "dist/$name"
mkdir -p "dist/$name/completions" "dist/$name/man"
cp "target/$TARGET/dist/brightstaff-exporter" README.md CHANGELOG.md METRICS.md LICENSE-APACHE LICENSE-MIT \
    brightstaff-exporter/gateway.toml config/systemd/brightstaff-exporter.service "dist/$name/"
# Each by the name under which its shell looks for it.
program=target/$TARGET/dist/brightstaff-exporter
"$program" completions bash >"dist/$name/completions/brightstaff-exporter"
"$program" completions fish >"dist/$name/completions/brightstaff-exporter.fish"
"$program" completions zsh >"dist/$name/completions/_brightstaff-exporter"
"$program" man "dist/$name/man"
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(git log -1 --format=%ct)" \
    -C dist -cf - "$name" | gzip -n >"dist/$name.tar.gz"
(cd dist && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
