import Mailbox
import Wire

/// A mobility ticket (RFC 8016 section 3.1): the allocation's handle and a keyed hash. It is text, as some clients keep it as
/// a C string.
struct TURNTicket: BitwiseCopyable {
    /// Characters.
    static let length = 48

    let allocation: AllocationHandle
    private let secret: (UInt64, UInt64)

    /// Nil when it is not one of ours by its form.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.length, let base = bytes.baseAddress,
            let raw = HexText.read(base, digits: 16), let first = HexText.read(base + 16, digits: 16),
            let second = HexText.read(base + 32, digits: 16)
        else { return nil }
        allocation = AllocationHandle(raw: raw)
        secret = (first, second)
    }

    /// The allocation's present one.
    init(_ content: Allocation, _ relay: borrowing Relay) {
        allocation = content.handle
        secret = relay.ticket(content.handle, count: content.tickets)
    }

    func add(to writer: inout STUNWriter) {
        guard let room = writer.reserve(STUNAttributeType.mobilityTicket, count: Self.length) else { return }
        HexText.write(allocation.raw, digits: 16, to: room)
        HexText.write(secret.0, digits: 16, to: room + 16)
        HexText.write(secret.1, digits: 16, to: room + 32)
    }

    /// In constant time.
    func matches(_ other: TURNTicket) -> Bool {
        (secret.0 ^ other.secret.0) | (secret.1 ^ other.secret.1) | (allocation.raw ^ other.allocation.raw) == 0
    }
}
