#!/bin/sh
# prepare.sh drivers|machine ROOT: hooks of mmdebstrap, which make Debian's packages in ROOT the second machine.
set -eu
what=$1 root=$2

case $what in
drivers) # before the kernel is installed, which makes its initrd
    mkdir -p "$root/etc/initramfs-tools/conf.d"
    printf 'MODULES=list\nCOMPRESS=zstd\n' >"$root/etc/initramfs-tools/conf.d/slinger"
    printf 'virtio_pci\nvirtio_blk\next4\n' >"$root/etc/initramfs-tools/modules"
    ;;
machine)
    cp -R "$(dirname "$0")/root/." "$root/"
    chmod 0755 "$root/usr/local/lib/slinger-vm/job"
    echo second >"$root/etc/hostname"
    printf '127.0.0.1 localhost second\n' >"$root/etc/hosts"
    # A plain user, whose service manager runs without a login.
    chroot "$root" useradd --create-home --uid 1000 --shell /bin/bash plain
    mkdir -p "$root/var/lib/systemd/linger"
    : >"$root/var/lib/systemd/linger/plain"
    chroot "$root" systemctl --quiet enable slinger-job.service
    # What takes time and serves nobody; podman's socket would hold a podman that is not under test.
    chroot "$root" systemctl --quiet mask \
        dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer getty@.service serial-getty@.service \
        podman.service podman.socket podman-auto-update.service podman-auto-update.timer podman-restart.service \
        systemd-pstore.service systemd-update-utmp.service systemd-binfmt.service
    chroot "$root" systemctl --quiet --global mask podman.service podman.socket podman-restart.service \
        podman-auto-update.service podman-auto-update.timer
    # Where packages come from is this machine's affair.
    rm -f "$root/etc/apt/sources.list" "$root"/etc/apt/sources.list.d/* "$root/etc/apt/apt.conf.d/99mmdebstrap"
    ;;
esac
