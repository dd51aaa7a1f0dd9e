import Mailbox
import Wire

/// One TURN allocation on its worker (RFC 8656 section 3.2). What each packet needs comes first.
struct Allocation: BitwiseCopyable {
    /// Channels that are found without a search, by the low bits of their numbers: browsers count from 0x4000.
    static let nearChannels = 4

    /// The headers toward the client (unused for streams). First, so that a pointer to the Allocation points to them.
    var toClient: FrameTemplate
    /// What checksums owe to the client's side: addresses, and ports.
    var clientAddressSum: UInt32
    var clientPortSum: UInt32
    /// Its user's RelayAccount.
    let account: UInt32
    /// Places of Channels, or `Link.none`.
    var near = InlineArray<4, UInt32>(repeating: Link.none)
    var isStream: Bool

    let handle: AllocationHandle
    var client: TURNClient
    /// The client's 5-tuple in the table.
    var key: FlowKey
    /// The other workers know the client's 5-tuple, as its hash does not lead here.
    var isAnnounced: Bool
    let user: UInt64
    /// The client's address that control granted it to, by which it counts: a move does not change it.
    let granted: Endpoint
    /// A hash of USERNAME, which must be the same in all its requests (RFC 8656 section 5).
    let username: UInt64
    var integrity: TURNIntegrityKey
    /// Of the Allocate request, which the client may repeat.
    let transaction: STUNTransactionID
    /// The token that came with the answer to it; 0: none.
    var reservation: UInt64 = 0
    let maximumLifetime: UInt32
    /// When it ends, ns.
    var expiry: UInt64 = 0
    /// Relayed ports; 0: none of that family.
    var portV4: UInt16 = 0
    var portV6: UInt16 = 0
    /// The family that could not be had: 0, or the code of ADDRESS-ERROR-CODE and the family.
    var missingCode: UInt16 = 0
    var missingFamily: UInt8 = 0
    /// Whether mobility tickets are given out, and how many were: each is another.
    var isMobile: Bool
    var tickets: UInt32 = 0
    /// It has ended and waits for the events' ring to take the news.
    var closing: TURNCloseReason?

    /// The first of its Permissions and Channels.
    var firstPermission = Link.none
    var firstChannel = Link.none
    var permissionCount = 0
    var channelCount = 0

    /// The relayed port toward peers of a family.
    func port(isV4: Bool) -> UInt16 { isV4 ? portV4 : portV6 }
}

/// The key of an allocation's requests and responses, and which integrity attribute it goes with.
struct TURNIntegrityKey: BitwiseCopyable {
    let usesSHA256: Bool
    let sha1: MessageIntegrity
    let sha256: MessageIntegritySHA256

    init(key: UnsafeRawBufferPointer, usesSHA256: Bool) {
        self.usesSHA256 = usesSHA256
        sha1 = MessageIntegrity(key: key)
        sha256 = MessageIntegritySHA256(key: key)
    }

    /// Whether the message carries the attribute, and rightly.
    func verify(_ message: STUNMessage) -> Bool {
        guard let base = message.bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return false }
        if usesSHA256 {
            guard let covered = message.integritySHA256Offset, message.integritySHA256?.count == 32 else {
                return false
            }
            return sha256.verify(message: base, covered: covered)
        }
        guard let covered = message.integrityOffset else { return false }
        return sha1.verify(message: base, covered: covered)
    }

    /// Adds the attribute to a response.
    func sign(_ writer: inout STUNWriter) {
        if usesSHA256 {
            guard let covered = writer.beginIntegritySHA256(), let base = covered.baseAddress else { return }
            var tag = sha256.digest(message: base.assumingMemoryBound(to: UInt8.self), covered: covered.count)
            withUnsafeBytes(of: &tag) { writer.endIntegritySHA256($0.baseAddress.unsafelyUnwrapped) }
        } else {
            guard let covered = writer.beginIntegrity(), let base = covered.baseAddress else { return }
            var tag = sha1.digest(message: base.assumingMemoryBound(to: UInt8.self), covered: covered.count)
            withUnsafeBytes(of: &tag) { writer.endIntegrity($0.baseAddress.unsafelyUnwrapped) }
        }
    }
}

/// A limit in bytes a second by virtual scheduling: each packet is paid for with time, up to a tenth of a second ahead.
struct ByteMeter: BitwiseCopyable {
    private static let tolerance: UInt64 = 100_000_000

    /// Until when is paid, ns.
    private var until: UInt64 = 0
    /// Of a byte, ns times 1,024; 0: no limit.
    private let cost: UInt64

    init(bytesPerSecond: UInt64) {
        cost = bytesPerSecond == 0 ? 0 : max(1_024_000_000_000 / bytesPerSecond, 1)
    }

    /// Whether `bytes` may pass at `now`.
    @inline(__always)
    mutating func admits(_ bytes: Int, now: UInt64) -> Bool {
        guard cost != 0 else { return true }
        let start = max(until, now)
        guard start &- now <= Self.tolerance else { return false }
        until = start &+ (UInt64(truncatingIfNeeded: bytes) &* cost) >> 10
        return true
    }
}

/// Whether packets to and from an IP address are relayed (RFC 8656 section 3.3).
struct Permission: BitwiseCopyable {
    static let lifetime: UInt64 = 300_000_000_000

    /// As it is on our wire, and as the client names it.
    var address: IPAddress
    var named: IPAddress
    var expiry: UInt64
    var allocation: UInt32
    /// Of the allocation's, or in the list of free places.
    var next: UInt32
}

/// A channel to a peer (RFC 8656 section 3.5): 128 bytes, two cache lines.
struct Channel: BitwiseCopyable {
    static let lifetime: UInt64 = 600_000_000_000
    /// How often the way to the peer is looked at again, ns.
    static let routeInterval: UInt64 = 5_000_000_000

    /// The headers toward the peer. First, so that a pointer to the Channel points to them.
    var toPeer: FrameTemplate
    /// What checksums owe to the peer's side: addresses, and ports.
    var peerAddressSum: UInt32
    var peerPortSum: UInt32
    var number: UInt16
    /// The peer's address is one of ours: its packets stay inside.
    var isOwn: Bool
    /// The next hop's link address is in `toPeer`.
    var hasRoute: Bool
    var allocation: UInt32
    /// Of the allocation's, or in the list of free places.
    var next: UInt32
    /// As it is on our wire.
    var peerPort: UInt16
    var peerAddress: IPAddress
    var expiry: UInt64
    /// Of the Permission for the peer's address.
    var permissionExpiry: UInt64
    /// When `hasRoute` is to be looked at again.
    var routeDue: UInt64

    var peer: Endpoint { Endpoint(address: peerAddress, port: peerPort) }
}

/// Places of a fixed number of elements, linked by index where they are free.
struct IndexPool<Element: BitwiseCopyable>: ~Copyable {
    private let base: UnsafeMutableRawPointer
    private let free: UnsafeMutablePointer<UInt32>
    private(set) var freeCount: Int
    let capacity: Int

    static var stride: Int { (MemoryLayout<Element>.stride + 63) & ~63 }

    init(capacity: Int) {
        self.capacity = capacity
        base = LargeMemory.allocate(byteCount: max(capacity, 1) * Self.stride)
        free = .allocate(capacity: max(capacity, 1))
        // The first places are taken first.
        for index in 0..<capacity { free[index] = UInt32(capacity - 1 - index) }
        freeCount = capacity
    }

    deinit {
        base.deallocate()
        free.deallocate()
    }

    @inline(__always)
    subscript(index: UInt32) -> UnsafeMutablePointer<Element> {
        (base + Int(index) &* Self.stride).assumingMemoryBound(to: Element.self)
    }

    mutating func take() -> UInt32? {
        guard freeCount > 0 else { return nil }
        freeCount &-= 1
        return free[freeCount]
    }

    mutating func giveBack(_ index: UInt32) {
        free[freeCount] = index
        freeCount &+= 1
    }
}
