@_spi(Benchmark) import Dataplane
import Wire

/// What the packets of meetings take where nothing is done but to seal and open them: by the C prototype and ipsec-mb, and by
/// the worker's engine alone.
struct BarePackets {
    enum Side {
        case limit, engine
    }

    /// ns a packet, by size: three of video, then sounds.
    struct Cost {
        var seal: [Side: [Double]] = [:]
        var open: [Side: [Double]] = [:]

        /// Of all that was sent and got. What is repeated is mostly of the middle size, and RTCP opens like sounds.
        func nanoseconds(_ tally: MeetingsTally, _ side: Side) -> Double {
            guard let seal = seal[side], let open = open[side] else { return 0 }
            let sealed = [tally.video[0], tally.video[1] + tally.repeated, tally.video[2], tally.audio + tally.rtcp]
            let opened = [
                tally.sentVideo[0], tally.sentVideo[1], tally.sentVideo[2], tally.sentAudio + tally.sentRTCP,
            ]
            return zip(seal, sealed).map { $0 * Double($1) }.reduce(0, +)
                + zip(open, opened).map { $0 * Double($1) }.reduce(0, +)
        }
    }

    private final class Samplers {
        var all: [(contender: Contender, samples: Samples)] = []
    }

    private static let sizes = MeetingsTally.payloads
    private let samplers = Samplers()

    /// `people`: keys.
    init(people: Int, port: DPDKPort) throws {
        let profile = SRTPProfile.aeadAes128Gcm
        for (place, size) in Self.sizes.enumerated() {
            let load = ForwardingCost.Load(
                media: place < 3 ? .camera : .microphone, profile: profile, receivers: people, payloadLength: size)
            // Short, as only rounds count that nothing disturbs.
            let rounds = max(1, 1_024 / people)
            for contender in [
                try Contender.prototype(load, port, packets: rounds),
                try .transform("ipsec-mb", load, keys: people, rounds: rounds, opens: true),
                try .sealing("engine seals", .ipsecMB, load, rounds: rounds),
                try .opening("engine opens", profile, payloadLength: size),
            ] { samplers.all.append((contender, Samples())) }
        }
    }

    func round() throws {
        for _ in 0..<8 {
            for place in samplers.all.indices {
                let contender = samplers.all[place].contender
                try samplers.all[place].samples.take(contender.round)
            }
        }
    }

    var cost: Cost {
        let frequency = Double(CycleClock().frequency)
        let costs = samplers.all.map { $0.samples.quiet * 1e9 / frequency }
        func every(_ first: Int) -> [Double] { Self.sizes.indices.map { costs[$0 * 4 + first] } }
        return Cost(seal: [.limit: every(0), .engine: every(2)], open: [.limit: every(1), .engine: every(3)])
    }
}
