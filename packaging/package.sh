#!/bin/sh
# Builds what a release ships, without a network once the dependencies are fetched:
#   target/package/outcrop-VERSION-MACHINE.tar.gz    and, where dpkg-deb is,
#   target/package/outcrop_VERSION_ARCH.deb
set -eu
cd "$(dirname "$0")/.."

cargo=${CARGO:-cargo}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
machine=$(uname -m)
out=target/package
tree=$out/tree

"$cargo" build --profile dist --locked

rm -rf "$tree"
mkdir -p "$tree"
install -Dm755 target/dist/outcrop "$tree/usr/bin/outcrop"
install -Dm644 packaging/outcrop.desktop "$tree/usr/share/applications/outcrop.desktop"
install -Dm644 packaging/outcrop.svg "$tree/usr/share/icons/hicolor/scalable/apps/outcrop.svg"
install -Dm644 packaging/outcrop-mime.xml "$tree/usr/share/mime/packages/outcrop.xml"
install -Dm644 packaging/io.github.outcrop.Outcrop.metainfo.xml \
    "$tree/usr/share/metainfo/io.github.outcrop.Outcrop.metainfo.xml"
for file in README.md LICENSE-MIT LICENSE-APACHE; do
    install -Dm644 "$file" "$tree/usr/share/doc/outcrop/$file"
done
for file in sample-data/*.arrow sample-data/*.arrows sample-data/*.hdf5 sample-data/*.outcrop sample-data/README.md; do
    if [ -e "$file" ]; then
        install -Dm644 "$file" "$tree/usr/share/outcrop/$file"
    fi
done

archive=$out/outcrop-$version-$machine.tar.gz
tar -C "$tree" --sort=name --owner=0 --group=0 --numeric-owner --transform "s,^\./usr,outcrop-$version," \
    -czf "$archive" ./usr
echo "$archive"

if command -v dpkg-deb >/dev/null 2>&1; then
    architecture=$(dpkg --print-architecture)
    mkdir -p "$tree/DEBIAN"
    cat >"$tree/DEBIAN/control" <<CONTROL
Package: outcrop
Version: $version
Architecture: $architecture
Maintainer: The Outcrop authors <outcrop@users.noreply.github.com>
Section: science
Priority: optional
Installed-Size: $(du -sk "$tree/usr" | cut -f1)
Depends: libc6, libgcc-s1, libgl1, libx11-6, libx11-xcb1, libxcursor1, libxi6, libxkbcommon0, libxkbcommon-x11-0
Recommends: libgl1-mesa-dri, xdg-desktop-portal | zenity
Description: explore tables far larger than memory
 Outcrop maps HDF5 and Arrow files of up to a billion rows, shows their columns
 as histograms, heatmaps and rows, and lets every view follow a dragged brush.
 The same questions are answered without a window by its command line.
CONTROL
    package=$out/outcrop_${version}_$architecture.deb
    dpkg-deb --root-owner-group --build "$tree" "$package" >/dev/null
    rm -r "$tree/DEBIAN"
    echo "$package"
fi
