#!/usr/bin/env python3
"""What the worker's loop can reach by direct calls in the machine code of a release executable.

    code.py EXECUTABLE [-v] [ROOT]

Starts at ROOT (a part of mangled names; `WorkerThread.loop` without it), into which the turn of a worker on DPDK's queues is specialised, and follows calls, tail
calls and the addresses of functions. Fails when it finds Swift's runtime (retain, release, exclusivity checks, once,
allocation, casts, metadata), the heap, locks or system calls. What a library does behind its own wall (DPDK's drivers,
ipsec-mb, OpenSSL) is not in this executable: Tests/PacketPath/run hooks watches that while it runs.
"""

import bisect
import re
import subprocess
import sys

ROOT = "9Dataplane12WorkerThreadC4loop"

# Functions that are left out, by what their name contains, and why.
LEFT_OUT = {
    "9Dataplane7OpensslO": "OpenSSL's ciphers: only on a CPU that ipsec-mb cannot use; `run hooks` watches them",
    "9Dataplane11OpensslKeysV": "OpenSSL's keys: only on a CPU that ipsec-mb cannot use; `run hooks` watches them",
    "9Dataplane7LibsrtpO": "libsrtp2's ciphers: the reference of tests and benchmarks, never chosen",
    "9Dataplane11LibsrtpKeysV": "libsrtp2's keys: the reference of tests and benchmarks, never chosen",
    "9Dataplane10IdlePolicyV5sleep": "the idle worker's sleep: only after many empty turns",
    "9Dataplane17PacketSocketQueueV7receive33": "the system call for a frame of several datagrams, which a kernel sent in one",
    "9Dataplane9FrameWaitV4wait": "the idle worker's wait for a packet socket: only after empty turns",
    "7Mailbox8DoorbellV4wake": "wakes control, once it waits",
    "9Dataplane17PacketSocketQueueV4send": "the one system call for a burst that leaves by a packet socket",
}

# External functions that a packet's way must not call.
FORBIDDEN = re.compile(
    r"^(_?swift_|_Block_|objc_|_Zn[wa]|_Zd[la]"
    r"|malloc|calloc|realloc|reallocarray|free|posix_memalign|aligned_alloc|memalign|valloc|strdup|rte_z?malloc|rte_free"
    r"|rte_calloc|rte_realloc|CRYPTO_(malloc|zalloc|realloc|free)|OPENSSL_(malloc|free)|\w+_new$|\w+_free$"
    r"|pthread_|sem_|mtx_|futex|syscall|mmap|munmap|mprotect|madvise|brk|sbrk|read$|write$|open|close$|ioctl"
    r"|send|recv|poll|epoll_|select$|nanosleep|clock_nanosleep|usleep|sched_yield|printf|fprintf|puts|rte_log)"
)
# Of Swift's own library only what ends the process may be reached.
SWIFT = re.compile(r"^\$s")
ENDS = re.compile(r"^\$ss\d+(_assertionFailure|_fatalErrorMessage|_unimplementedInitializer|_precondition)")

CHUNK = 1 << 19
NAMELESS = "a function without a symbol at"

CALL = re.compile(r"^(?:notrack |bnd |data16 |rex\.W )*(call|jmp|j\w+)q?\s+([0-9a-f]+) <([^>]+)>")
INDIRECT = re.compile(r"^(?:notrack |bnd )*(call|jmp)q?\s+\*(.*)")
ADDRESS = re.compile(r"^lea\s.*# ([0-9a-f]+) <([^>]+)>")
STOP = re.compile(r"^(?:notrack |bnd |repz )*(ret|jmp|ud2|hlt)")


class Code:
    """The functions of an executable, disassembled as they are asked for."""

    def __init__(self, path):
        self.path = path
        self.names = {}
        self.sizes = {}
        # Instructions by address, and the address of the one behind each.
        self.text = {}
        self.next = {}
        for line in self.run("nm", "--defined-only", "--print-size", path):
            parts = line.split()
            if len(parts) == 4 and parts[2] in "tTwWiV":
                self.names.setdefault(int(parts[0], 16), parts[3])
                self.sizes.setdefault(int(parts[0], 16), int(parts[1], 16))
        self.starts = sorted(self.names)
        if not self.starts:
            sys.exit(f"FAIL {path} has no symbols: it must not be stripped")

    @staticmethod
    def run(*command):
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        return result.stdout.splitlines()

    def end(self, start):
        """Of the function at `start`."""
        return start + self.sizes[start]

    def start(self, address):
        """Of the function that an address lies in. A function without a symbol reaches to the next that has one."""
        place = bisect.bisect_right(self.starts, address)
        start = self.starts[max(place - 1, 0)]
        if start <= address < self.end(start):
            return start
        self.names[address] = f"{NAMELESS} {address:x}"
        self.sizes[address] = self.starts[place] - address if place < len(self.starts) else 256
        self.starts.insert(place, address)
        return address

    def instruction(self, at, end):
        if at not in self.text:
            # Its neighbours are asked for soon.
            place = bisect.bisect_left(self.starts, max(at + CHUNK, end))
            self.disassemble(at, self.starts[place] if place < len(self.starts) else end)
        return self.text[at]

    def body(self, start):
        """The instructions of the function at `start`. Without a symbol its end is not known, and the way through it is
        followed."""
        end = self.end(start)
        has_symbol = not self.names[start].startswith(NAMELESS)
        ways, seen = [start], set()
        while ways:
            at = ways.pop()
            while at is not None and start <= at < end and at not in seen:
                seen.add(at)
                text = self.instruction(at, end)
                yield text
                if not has_symbol:
                    if (match := CALL.match(text)) and match[1] != "call":
                        ways.append(int(match[2], 16))
                    if STOP.match(text):
                        break
                at = self.next[at]

    def disassemble(self, start, end):
        last = None
        for line in self.run(
            "objdump", "-d", "--no-show-raw-insn", f"--start-address={start}", f"--stop-address={end}", self.path
        ):
            if match := re.match(r"^ *([0-9a-f]+):\t(.*)", line):
                at = int(match[1], 16)
                self.text[at] = match[2].strip()
                if last is not None:
                    self.next[last] = at
                last = at
        if last is not None:
            self.next.setdefault(last, None)


def targets(code, start):
    """(address, name) of what a function calls directly, tail calls included, and how many calls are indirect."""
    found, indirect = [], 0
    end = code.end(start)
    for text in code.body(start):
        if match := CALL.match(text):
            address = int(match[2], 16)
            if match[1] == "call" or not start <= address < end:
                found.append((address, match[3]))
        elif match := INDIRECT.match(text):
            if name := re.search(r"# [0-9a-f]+ <([^>]+)>", text):
                found.append((None, name[1]))
            elif match[1] == "call":
                indirect += 1
        elif match := ADDRESS.match(text):
            address = int(match[1], 16)
            if address in code.names and "+" not in match[2]:
                found.append((address, match[2]))
    return found, indirect


def external(name):
    """The name of a function of a library, as a call shows it; None for one of ours."""
    if "@plt" in name:
        return name.split("@")[0]
    return name.split("@")[0].split("+")[0] if "@" in name else None


def walk(code, roots):
    """All functions that the roots reach, with who reached them first; offenders; other external calls; indirect calls."""
    reached = {root: None for root in roots}
    offenders, others, indirect, left_out = [], {}, 0, {}
    waiting = list(roots)
    while waiting:
        start = waiting.pop()
        found, count = targets(code, start)
        indirect += count
        for address, name in found:
            outside = external(name)
            if outside is not None:
                if FORBIDDEN.match(outside) or (SWIFT.match(outside) and not ENDS.match(outside)):
                    offenders.append((start, outside))
                else:
                    others[outside] = others.get(outside, 0) + 1
                continue
            if address is None:
                continue
            address = code.start(address)
            own = code.names[address]
            why = next((text for part, text in LEFT_OUT.items() if part in own), None)
            if why is not None:
                left_out[why] = left_out.get(why, 0) + 1
            elif address not in reached:
                reached[address] = start
                waiting.append(address)
    return reached, offenders, others, indirect, left_out


def demangled(names):
    """Readable names, where the toolchain is at hand."""
    try:
        text = subprocess.run(
            ["swift-demangle", "--simplified", "--compact"], input="\n".join(names), capture_output=True, text=True
        ).stdout.splitlines()
    except FileNotFoundError:
        return list(names)
    return text if len(text) == len(names) else list(names)


def way(code, reached, start):
    """From the root to a function."""
    names = []
    while start is not None:
        names.append(code.names[start])
        start = reached[start]
    return " > ".join(name[:90] for name in demangled(names[::-1]))


def main():
    code = Code(sys.argv[1])
    root = next((argument for argument in sys.argv[2:] if argument != "-v"), ROOT)
    roots = [at for at, name in code.names.items() if root in name]
    if not roots:
        print(f"FAIL {sys.argv[1]} has no function named {root}: the worker's loop is not found")
        return 1
    reached, offenders, others, indirect, left_out = walk(code, roots)
    for why, count in sorted(left_out.items()):
        print(f"left out, {count} calls: {why}")
    print(f"calls of libraries: {', '.join(f'{name} ({count})' for name, count in sorted(others.items()))}")
    print(f"calls by pointer (drivers, mempool, ipsec-mb), not followed: {indirect}")
    if "-v" in sys.argv:
        print("\n".join(demangled([code.names[at] for at in sorted(reached)])))
    # Fewer would mean that the worker was not found, or is not specialised.
    if len(reached) < 100:
        print(f"FAIL only {len(reached)} functions are reached: calls are not followed")
        return 1
    print(f"ok {len(reached)} functions are reached from the worker's loop")
    for start, name in sorted(set(offenders)):
        print(f"FAIL {name} is called: {way(code, reached, start)}")
    if not offenders:
        print("ok none of them calls Swift's runtime, the heap, a lock or the system")
    return 1 if offenders else 0


if __name__ == "__main__":
    sys.exit(main())
