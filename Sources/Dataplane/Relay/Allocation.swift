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
