@_spi(Benchmark) import Dataplane
import Wire

/// Contenders that take their rounds in turn, so that a change of the machine's pace meets all of them, and the rows
/// that come of it.
struct Contest {
    /// A row: what `contender` costs beside what `limit` costs.
    struct Line {
        let row: String
        let contender: String
        let limit: String
        let goal: Row.Goal
    }

    let lines: [Line]
    /// Made when it is this contest's turn, and gone after it.
    let contenders: () throws -> [Contender]

    func measure(_ options: Options) throws -> [Row] {
        let contenders = try contenders()
        var samples = contenders.map { _ in Samples() }
        let clock = CycleClock()
        for _ in 0..<options.warmUps { for contender in contenders { _ = try contender.round() } }
        let end = clock.now() + options.contestTime
        while samples[0].count < options.leastRounds || clock.now() < end {
            for (index, contender) in contenders.enumerated() { try samples[index].take(contender.round) }
        }
        let byName = Dictionary(uniqueKeysWithValues: zip(contenders.map(\.name), samples))
        func nanoseconds(_ cycles: Double) -> Double { cycles * 1e9 / Double(clock.frequency) }
        return lines.compactMap { line in
            guard let own = byName[line.contender], let limit = byName[line.limit] else { return nil }
            return Row(
                name: line.row, unit: "ns/packet", value: nanoseconds(own.quiet), limit: nanoseconds(limit.quiet),
                goal: line.goal,
                note: "beside \(line.limit); medians \(Report.fixed(nanoseconds(own.median), 1)) and "
                    + "\(Report.fixed(nanoseconds(limit.median), 1)); \(own.count) rounds, \(own.disturbed) disturbed")
        }
    }
}

extension Contest {
    /// Forwarding: GCM beside the prototype, CM_SHA1_80 beside ipsec-mb alone.
    static func forwarding(_ load: ForwardingCost.Load, port: DPDKPort) -> Contest {
        let isGcm = load.profile != .aes128CmHmacSha1
        let what = load.media == .camera ? "forward" : "audio"
        let name = "\(what) \(load.profile.name) \(load.receivers)"
        let limit = isGcm ? "C prototype" : "ipsec-mb alone"
        let goal = load.media == .microphone ? 1.5 : isGcm ? 1.3 : 1.4
        return Contest(lines: [Line(row: name, contender: "worker", limit: limit, goal: .atMost(goal))]) {
            [
                try .forwarding("worker", load, port),
                isGcm
                    ? try .prototype(load, port)
                    : try .transform(limit, load, keys: load.receivers, rounds: load.packetsPerRound),
            ]
        }
    }

    /// Sealing AES-GCM alone: the engine as the worker uses it beside ipsec-mb, from one payload for 64 receivers.
    static func sealing(payloadLength: Int, row: String, goal: Double) -> Contest {
        let load = ForwardingCost.Load(profile: .aeadAes128Gcm, payloadLength: payloadLength)
        let (own, limit) = ("engine", "ipsec-mb alone")
        let goal = SRTPSupport.hasOwnGcm ? goal : 1.3
        return Contest(lines: [Line(row: row, contender: own, limit: limit, goal: .atMost(goal))]) {
            [
                try .sealing(own, .ipsecMB, load, rounds: 16), try .transform(limit, load, keys: 64, rounds: 16),
            ]
        }
    }

    /// Opening: the transform as the worker uses it, and all of its receive side, beside ipsec-mb alone.
    static func opening(_ profile: SRTPProfile, port: DPDKPort) -> Contest {
        let (stage, side, limit) = ("open \(profile.name)", "receive \(profile.name)", "ipsec-mb alone")
        let isOwn = profile != .aes128CmHmacSha1 && SRTPSupport.hasOwnGcm
        let lines = [
            Line(row: stage, contender: stage, limit: limit, goal: .atMost(isOwn ? 0.72 : 1.3)),
            Line(row: side, contender: side, limit: limit, goal: .none),
        ]
        return Contest(lines: lines) {
            [
                try .opening(stage, profile), try .receiving(side, profile, port),
                try .transform(limit, ForwardingCost.Load(profile: profile), keys: 64, rounds: 16, opens: true),
            ]
        }
    }

    /// A packet into a Lane beside one to a Slot, and one out of a Lane up to the Track beside one of a publisher.
    static func lanes(port: DPDKPort) -> [Contest] {
        let seal = Line(row: "lane seal GCM", contender: "lanes", limit: "Slots", goal: .atMost(1.1))
        let open = Line(row: "lane open GCM", contender: "lanes", limit: "publishers", goal: .atMost(1.1))
        return [
            Contest(lines: [seal]) {
                [
                    try .lanes("lanes", .seal, count: 64, port),
                    try .forwarding("Slots", ForwardingCost.Load(profile: .aeadAes128Gcm), port),
                ]
            },
            Contest(lines: [open]) {
                [
                    try .lanes("lanes", .open, count: 16, port),
                    try .receiving("publishers", .aeadAes128Gcm, port),
                ]
            },
        ]
    }

    /// What else the worker may have to do, and what it stands on, for comparison.
    static func variants(_ load: ForwardingCost.Load, port: DPDKPort) -> Contest {
        let base = "\(load.profile.name) \(load.receivers)"
        let plain = "the row forward \(base)"
        let names = ["one packet a turn", "after a change of source", "UDP checksum in software"]
        let transforms = ["ipsec-mb alone", "libsrtp2 srtp_protect"]
        let lines = (names + transforms).map { name in
            Line(row: "\(base): \(name)", contender: name, limit: plain, goal: .none)
        }
        return Contest(lines: lines) {
            var single = load
            single.burst = 1
            var switched = load
            switched.changesSource = true
            var software = load
            software.offloadsChecksum = false
            return [
                try .forwarding(plain, load, port), try .forwarding(names[0], single, port),
                try .forwarding(names[1], switched, port), try .forwarding(names[2], software, port),
                try .transform(transforms[0], load, keys: load.receivers, rounds: 32),
                try .sealing(transforms[1], .libsrtpSession, load, rounds: 4),
            ]
        }
    }
}
