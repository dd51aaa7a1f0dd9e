import Conference
import Fleet

/// A look at the Trunks to other PoPs.
struct TrunkReading: Sendable {
    /// By the PoP's name.
    var reports: [TrunkReport]
    var refusals: TrunkRefusals
}

/// A look at the fleet.
struct FleetReading: Sendable {
    struct Known: Sendable {
        var peer: PeerTable.Peer
        /// Since it was first seen to say what it said last.
        var age: Duration
    }

    var own: PoPRecord
    var isRegistryUp: Bool
    var peers: [Known]
    var epochChanges: UInt64
    /// Nil without links.
    var links: LinkReading?
    /// The same.
    var trunks: TrunkReading?

    func count(_ state: FleetJSON.State) -> Int { peers.count { FleetJSON.State($0.peer) == state } }
}

/// What `GET /api/v1/fleet` answers.
struct FleetJSON: Encodable {
    enum State: String, Encodable, CaseIterable {
        case serving, draining, lost

        init(_ peer: PeerTable.Peer) {
            self = peer.isLost ? .lost : peer.record.isDraining ? .draining : .serving
        }
    }

    struct PoP: Encodable {
        var name: String
        var region: String?
        var latitude: Double?
        var longitude: Double?
        var signalingUrl: String
        var state: State
        var load: Double
        var participants: Int
        var capacity: Int
        /// Seconds since it said so.
        var ageS: Int
        /// Whether there is a link to it; nil for the PoP that was asked, and without links.
        var linked: Bool?
        /// The link's round trip, milliseconds, once it was measured.
        var rttMs: Double?
        /// Where there is one to it.
        var trunk: TrunkJSON?

        init(_ record: PoPRecord, _ state: State, age: Duration) {
            name = record.name.rawValue
            region = record.region.isEmpty ? nil : record.region
            latitude = record.position?.latitude
            longitude = record.position?.longitude
            signalingUrl = record.signalingURL
            self.state = state
            load = record.load
            participants = record.participants
            capacity = record.capacity
            ageS = Int(age / .seconds(1))
        }
    }

    /// Of the PoP that was asked.
    var name: String
    var registryUp: Bool
    /// By name, the one that was asked among them.
    var pops: [PoP]

    init(_ reading: FleetReading) {
        name = reading.own.name.rawValue
        registryUp = reading.isRegistryUp
        let own = PoP(reading.own, reading.own.isDraining ? .draining : .serving, age: .zero)
        let trunks = Dictionary(reading.trunks?.reports.map { ($0.pop, $0) } ?? []) { first, _ in first }
        let others = reading.peers.map { known in
            var pop = PoP(known.peer.record, State(known.peer), age: known.age)
            pop.trunk = trunks[known.peer.record.name].map(TrunkJSON.init)
            guard let open = reading.links?.open else { return pop }
            let link = open[known.peer.record.name]
            pop.linked = link != nil
            pop.rttMs = (link ?? nil).map { ($0 / .microseconds(1)).rounded() / 1_000 }
            return pop
        }
        pops = others + [own]
        pops.sort { $0.name < $1.name }
    }
}
