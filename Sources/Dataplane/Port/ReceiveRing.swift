import CPacketSocket
import Glibc
import Synchronization

/// A packet socket's receive ring (PACKET_RX_RING, TPACKET_V2): memory that the kernel fills with frames, each behind a
/// `tpacket2_hdr` and a `virtio_net_hdr`. The worker copies each frame into a buffer of its pool and releases its slot.
struct ReceiveRing: ~Copyable {
    /// Bytes of a frame with its headers; the kernel's take less than 128.
    static let slotSize = 2_048
    /// Bytes that the kernel allocates in one piece.
    static let blockSize = 65_536
    static let virtioLength = MemoryLayout<virtio_net_hdr>.size
    /// What the kernel puts before a frame.
    static let longestFrame = slotSize - 128

    /// The socket, readable when a frame has come.
    let handle: Int32
    private let base: UnsafeMutableRawPointer
    private let slots: Int
    private var next = 0

    /// Owns the socket, and its memory, which the caller has mapped.
    init(handle: Int32, base: UnsafeMutableRawPointer, slots: Int) {
        self.handle = handle
        self.base = base
        self.slots = slots
    }

    deinit {
        munmap(base, slots * Self.slotSize)
        close(handle)
    }

    /// The next frame, until it is given back with `release`; nil when none has come.
    @inline(__always)
    func peek() -> ReceivedFrame? {
        let slot = base + next &* Self.slotSize
        let status = slot.assumingMemoryBound(to: Atomic<UInt32>.self).pointee.load(ordering: .acquiring)
        guard status & UInt32(TP_STATUS_USER) != 0 else { return nil }
        return ReceivedFrame(slot: slot, status: status)
    }

    /// Gives the place of the frame that `peek` showed back to the kernel.
    @inline(__always)
    mutating func release() {
        let slot = base + next &* Self.slotSize
        slot.assumingMemoryBound(to: Atomic<UInt32>.self).pointee.store(UInt32(TP_STATUS_KERNEL), ordering: .releasing)
        next &+= 1
        if next == slots { next = 0 }
    }
}

/// A frame in its place of the ring.
struct ReceivedFrame {
    let slot: UnsafeMutableRawPointer
    let status: UInt32

    @inline(__always)
    private var header: UnsafeMutablePointer<tpacket2_hdr> { slot.assumingMemoryBound(to: tpacket2_hdr.self) }

    /// Bytes that are here.
    @inline(__always)
    var length: Int { Int(header.pointee.tp_snaplen) }
    /// Whether the frame was longer; and whether all of it is in the socket's queue.
    @inline(__always)
    var isPart: Bool { header.pointee.tp_len != header.pointee.tp_snaplen }
    @inline(__always)
    var isCopied: Bool { status & UInt32(TP_STATUS_COPY) != 0 }
    @inline(__always)
    var data: UnsafeRawPointer { UnsafeRawPointer(slot) + Int(header.pointee.tp_mac) }

    /// Whether this host sent it: groups of sockets are shown these by kernels that do not know the flag against it. It
    /// stands in the `sockaddr_ll` (packet(7): `sll_pkttype`, its byte 10) behind the header, which takes 32 bytes.
    @inline(__always)
    var isOutgoing: Bool {
        slot.load(fromByteOffset: 32 + 10, as: UInt8.self) == UInt8(PACKET_OUTGOING)
    }

    /// Whether it came with a VLAN's tag, which the kernel took off.
    @inline(__always)
    var isTagged: Bool { status & UInt32(TP_STATUS_VLAN_VALID) != 0 }

    @inline(__always)
    var offload: virtio_net_hdr {
        (data - ReceiveRing.virtioLength).loadUnaligned(as: virtio_net_hdr.self)
    }
}
