import Fleet

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
        pops = reading.peers.map { PoP($0.peer.record, State($0.peer), age: $0.age) } + [own]
        pops.sort { $0.name < $1.name }
    }
}
