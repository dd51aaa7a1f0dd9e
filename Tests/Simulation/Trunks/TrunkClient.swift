import Conference
import Fleet
import Meetings

/// A simulated participant of a meeting of several PoPs: its transport, and what it was told of its Slots.
final class TrunkClient {
    struct Tile {
        var source: SlotSource
        var occupant: ParticipantID?
        /// Who was told to be in it before, and until when, ns.
        var former: [(occupant: ParticipantID?, until: UInt64)] = []
        /// Who was seen or heard in it last, and when.
        var shown: (publisher: UInt8, time: UInt64)?
        var packets = 0
    }

    let number: UInt8
    var pop: Int
    let offer: PoPOffer
    let serial: UInt64
    var state: PublishedMedia
    /// Speaks at this level, -dBov.
    var level: UInt8 = 127
    var publication = Publication()
    var transport: PoPTransport?
    var tiles: [String: Tile] = [:]

    var id: ParticipantID { Self.id(number) }

    static func id(_ number: UInt8) -> ParticipantID { ParticipantID("p_\(number)")! }

    init(number: UInt8, pop: Int, offer: PoPOffer, serial: UInt64, state: PublishedMedia) {
        self.number = number
        self.pop = pop
        self.offer = offer
        self.serial = serial
        self.state = state
    }

    func take(_ slot: SlotAssignment, at now: UInt64) {
        var tile = tiles[slot.mid] ?? Tile(source: slot.source)
        if tile.occupant != slot.participant { tile.former.append((tile.occupant, now)) }
        tile.occupant = slot.participant
        tiles[slot.mid] = tile
    }

    func occupants(_ source: SlotSource) -> Set<ParticipantID> {
        Set(tiles.values.filter { $0.source == source }.compactMap(\.occupant))
    }
}
