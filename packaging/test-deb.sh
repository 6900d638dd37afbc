#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Installs a package that deb.sh made on a clean Debian 12 in a folder of its own, runs both programs there and starts the window under
# Xvfb. Needs root and debootstrap. Usage: test-deb.sh PACKAGE.deb [MIRROR]
set -euo pipefail
package=${1:?usage: test-deb.sh PACKAGE.deb [MIRROR]}
mirror=${2:-}
system=$(mktemp -d)
leave() {
    for mounted in dev/shm dev proc; do
        mountpoint -q "$system/$mounted" && umount -l "$system/$mounted"
    done
    rm -rf --one-file-system "$system"
}
trap leave EXIT

debootstrap --variant=minbase bookworm "$system" ${mirror:+"$mirror"} >/dev/null
[ -z "$mirror" ] || echo "deb $mirror bookworm main" >"$system/etc/apt/sources.list"
for file in resolv.conf apt/apt.conf.d; do # how this machine reaches its packages
    [ ! -e "/etc/$file" ] || cp -rL "/etc/$file" "$system/etc/$(dirname "$file")/"
done
mount -t proc proc "$system/proc"
mount --bind /dev "$system/dev"
mkdir -p "$system/dev/shm"
cp "$package" "$system/root/quantoscope.deb"
inside() { chroot "$system" env -u DISPLAY -u QT_QPA_PLATFORM -u XDG_RUNTIME_DIR HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
inside apt-get update -qq
inside apt-get install -y -qq --no-install-recommends /root/quantoscope.deb >/dev/null
inside quantoscope-cli --version
inside env QT_QPA_PLATFORM=offscreen quantoscope --version
for file in bin/quantoscope bin/quantoscope-cli share/applications/org.quantoscope.Quantoscope.desktop \
    share/icons/hicolor/48x48/apps/org.quantoscope.Quantoscope.png share/man/man1/quantoscope-cli.1.gz; do
    [ -e "$system/usr/$file" ] || { echo "error: /usr/$file is not in the package" >&2; exit 1; }
done

inside apt-get install -y -qq --no-install-recommends xvfb xauth x11-utils dataset-fashion-mnist >/dev/null
fashion=/usr/share/datasets/fashion-mnist
inside quantoscope-cli evaluate /usr/share/quantoscope/samples/fashion_resnet20.onnx --limit 500 \
    --data $fashion/t10k-images-idx3-ubyte.gz --calib $fashion/train-images-idx3-ubyte.gz \
    --classes /usr/share/quantoscope/samples/fashion_mnist_classes.txt
inside timeout 60 xvfb-run -a sh -c '
    quantoscope --sample & window=$!
    for second in $(seq 30); do
        sleep 1
        kill -0 $window || { echo "error: the window ended" >&2; exit 1; }
        title=$(xwininfo -root -tree | grep -o "\"[^\"]*Quantoscope\"" | head -n 1)
        [ -z "$title" ] || { echo "window: $title"; sleep 5; kill -0 $window && kill $window; exit 0; }
    done
    echo "error: no window within 30 s" >&2
    exit 1'
echo "The package installs and starts on a clean system."
