#!/bin/bash
# DPDK 22.11 rounds the frequency of the time stamp counter to 10 MHz, and its delays are as far off.
#
# rte_get_tsc_hz() is what clocks are made of that count rte_rdtsc(). Where the processor does not tell the frequency (CPUID leaf
# 0x15; AMD's do not), EAL measures it for 100 ms, to some millionths, and then rounds it to the nearest multiple of 10 MHz.
# Between 2 and 3 GHz that is up to 2,500 millionths: more than 2 ms a second. EAL's own rte_delay_us_block() is off by it too.
# Whoever compares such a clock with another machine's, as congestion control does with feedback, sees a queue that grows
# or shrinks for ever. Measure the frequency oneself, against CLOCK_MONOTONIC.
#
# Seen (2026-11-29, Debian 12, amd64, a processor that does not tell it):
#   EAL says 2600000000 Hz
#   a delay of 100.000 ms takes 100.191 ms
# The second line is of the processor: what is left of its frequency by 10 MHz. The script wants the first to be rounded.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
packages=(
    librte-eal23=22.11.11-0+deb12u1 librte-kvargs23=22.11.11-0+deb12u1 librte-telemetry23=22.11.11-0+deb12u1
    libbsd0 libfdt1 libmd0 libnuma1
)
mkdir "$folder/packages"
(cd "$folder/packages" && apt-get download -qq -o APT::Sandbox::User=root "${packages[@]}")
for package in "$folder"/packages/*.deb; do dpkg-deb -x "$package" "$folder/root"; done
cat >"$folder/try.py" <<'PYTHON'
import ctypes
import sys
import time

eal = ctypes.CDLL("librte_eal.so.23")
words = [b"try", b"--no-huge", b"--no-pci", b"--no-shconf", b"--no-telemetry", b"-m", b"16", b"--log-level", b"error"]
if eal.rte_eal_init(len(words), (ctypes.c_char_p * len(words))(*words)) < 0:
    sys.exit("EAL did not start")
eal.rte_get_tsc_hz.restype = ctypes.c_uint64
frequency = eal.rte_get_tsc_hz()
print(f"EAL says {frequency} Hz")
taken = []
for _ in range(10):
    before = time.clock_gettime(time.CLOCK_MONOTONIC_RAW)
    eal.rte_delay_us_block(100_000)
    taken.append(time.clock_gettime(time.CLOCK_MONOTONIC_RAW) - before)
# Other programs can but lengthen it.
print(f"a delay of 100.000 ms takes {min(taken) * 1000:.3f} ms")
sys.exit(frequency % 10_000_000 != 0)
PYTHON
RUNTIME_DIRECTORY=$folder LD_LIBRARY_PATH=$(dirname "$(find "$folder/root" -name librte_eal.so.23)"):$folder/root/lib/x86_64-linux-gnu \
    python3 "$folder/try.py"
