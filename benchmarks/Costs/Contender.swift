@_spi(Benchmark) import Dataplane
import Wire

/// One way to spend cycles on a packet.
struct Contender {
    let name: String
    /// Runs a round: the cycles of the time stamp counter, and for how many packets.
    let round: () throws -> (cycles: UInt64, packets: Int)

    /// What the others are compared with.
    static let bareName = "ipsec-mb alone"
    private static let payloadLength = 1_100

    /// The worker as it is used, then what it is compared with.
    static func all(_ profile: SrtpProfile, receivers: Int, port: DPDKPort) throws -> [Contender] {
        let load = ForwardingCost.Load(profile: profile, receivers: receivers, payloadLength: payloadLength)
        var single = load
        single.burst = 1
        var switched = load
        switched.changesSource = true
        var software = load
        software.offloadsChecksum = false
        return [
            try forwarding("forward", load, port), try forwarding("forward, one packet a turn", single, port),
            try forwarding("forward, after a change of source", switched, port),
            try forwarding("forward, UDP checksum in software", software, port),
            try sealing(bareName, .ipsecMB, profile, receivers, rounds: 32),
            try sealing("libsrtp2 srtp_protect", .libsrtpSession, profile, receivers, rounds: 4),
        ]
    }

    private static func forwarding(_ name: String, _ load: ForwardingCost.Load, _ port: DPDKPort) throws -> Contender {
        let cost = Shared(try ForwardingCost.prepare(load, port: port))
        return Contender(name: name) {
            let round = try cost.value.round()
            return (round.cycles, round.packets)
        }
    }

    /// `rounds`: packets for each key in one of our rounds.
    private static func sealing(
        _ name: String, _ way: SrtpCost.Way, _ profile: SrtpProfile, _ receivers: Int, rounds: Int
    ) throws -> Contender {
        guard let cost = SrtpCost(way, profile: profile, keyCount: receivers, payloadLength: payloadLength) else {
            throw Options.Failure(description: "this CPU cannot do \(name)")
        }
        let shared = Shared(cost)
        let clock = CycleClock()
        var first = 1
        return Contender(name: name) {
            let began = clock.cycles()
            let packets = shared.value.seal(rounds: rounds, first: first)
            let cycles = clock.cycles() &- began
            first += rounds
            return (cycles, packets)
        }
    }

    /// A closure cannot capture what cannot be copied.
    private final class Shared<Value: ~Copyable> {
        var value: Value

        init(_ value: consuming Value) { self.value = value }
    }
}
