import Mailbox

/// A packet that waits until its Session's pacer lets it go: not sealed yet, but with all that it will be sent with apart
/// from the transport-wide number.
struct PacedPacket: BitwiseCopyable {
    /// In the order in which they go.
    enum Class: Int, CaseIterable, BitwiseCopyable {
        case retransmission, screen, video
    }

    /// With a reference of its own.
    var packet: Mbuf
    var slot: SlotHandle
    var heading: PacketHeading
    var patch: UInt64
    /// The number that it had where it is a retransmission on a stream of its own (RFC 4588).
    var original: UInt64?
    /// As the pacer counts it.
    var bytes: Int
    /// Since when it waits, ns.
    var since: UInt64
    /// The next that waits; an index.
    var next = Link.none
}

/// The packets of one Session that wait, in a list for each class.
struct PacedLists: BitwiseCopyable {
    private struct List: BitwiseCopyable {
        var first = Link.none
        var last = Link.none
    }

    private var lists = InlineArray<3, List>(repeating: List())
    private(set) var bytes = 0

    var isEmpty: Bool { bytes == 0 }

    /// False where there is no room.
    mutating func add(
        _ packet: PacedPacket, to pool: inout IndexPool<PacedPacket>, as class: PacedPacket.Class
    ) -> Bool {
        guard let index = pool.take() else { return false }
        pool[index].initialize(to: packet)
        append(index, to: `class`.rawValue, in: &pool)
        bytes &+= packet.bytes
        return true
    }

    /// Takes out the one that goes first; nil when none waits.
    mutating func take(from pool: inout IndexPool<PacedPacket>) -> PacedPacket? {
        for place in lists.indices where lists[place].first != Link.none {
            let index = lists[place].first
            let packet = pool[index].pointee
            lists[place].first = packet.next
            pool.giveBack(index)
            bytes &-= packet.bytes
            return packet
        }
        return nil
    }

    /// Takes all packets of a Slot's pictures out: the first of them, whose `next` are the others; they still have their places.
    mutating func unlinkPictures(of slot: SlotHandle, in pool: inout IndexPool<PacedPacket>) -> UInt32 {
        var taken = Link.none
        for place in PacedPacket.Class.screen.rawValue...PacedPacket.Class.video.rawValue {
            var index = lists[place].first
            lists[place] = List()
            while index != Link.none {
                let waiting = pool[index]
                let next = waiting.pointee.next
                if waiting.pointee.slot == slot {
                    waiting.pointee.next = taken
                    taken = index
                    bytes &-= waiting.pointee.bytes
                } else {
                    append(index, to: place, in: &pool)
                }
                index = next
            }
        }
        return taken
    }

    private mutating func append(_ index: UInt32, to place: Int, in pool: inout IndexPool<PacedPacket>) {
        pool[index].pointee.next = Link.none
        if lists[place].first == Link.none {
            lists[place].first = index
        } else {
            pool[lists[place].last].pointee.next = index
        }
        lists[place].last = index
    }
}
