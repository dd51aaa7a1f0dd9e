import Fleet
import Logging
import Meetings

/// The Registry of a fleet, in Redis.
public final class RedisRegistry: Registry {
    private let client: RedisClient
    private let configuration: RedisConfiguration
    private let caller: PoPInstance
    private let garbage: GarbageLog

    /// - Parameters:
    ///   - generator: spreads the attempts to connect.
    ///   - onChange: called on the client's thread when Redis can be reached, and when it no longer can; it must not block.
    public init(
        _ configuration: RedisConfiguration, as caller: PoPInstance, logger: Logger,
        generator: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
        onChange: @escaping @Sendable (_ isUp: Bool) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.caller = caller
        garbage = GarbageLog(logger)
        client = RedisClient(configuration, logger: logger, generator: generator, onChange: onChange)
    }

    public var isUp: Bool { client.isUp }

    /// How often something was found under our keys that cannot be understood.
    public var garbageCount: UInt64 { garbage.count }

    /// Ends the connection; later calls fail.
    public func stop() { client.stop() }

    public func announce(_ record: PoPRecord) async throws(RegistryError) -> PoPInstance? {
        guard record.name == caller.name, let json = record.json, json.count <= PoPRecord.sizeLimit else {
            throw .invalid("record of \(record.name)")
        }
        let reply = try await run(.announce, [json, text(milliseconds(configuration.times.record))])
        guard let before = reply.first?.string.flatMap({ UInt64($0) }), before != caller.instance else { return nil }
        return PoPInstance(name: caller.name, instance: before)
    }

    public func withdraw() async throws(RegistryError) { _ = try await run(.withdraw, []) }

    public func pops() async throws(RegistryError) -> [PoPRecord] {
        var found: [PoPName: PoPRecord] = [:]
        var next = 0
        // What changes meanwhile may shift the index: a PoP may be missed once, or seen twice.
        for _ in 0..<Self.pageLimit where (0..<RegistryLimits.pops).contains(next) {
            let life = text(milliseconds(configuration.times.record))
            let reply = try await run(.pops, [text(next), text(256), text(1 << 20), text(PoPRecord.sizeLimit), life])
            guard let following = reply.first?.string.flatMap({ Int($0) }) else { throw .garbled("where to go on") }
            next = following
            var words = reply.dropFirst()
            while let name = words.popFirst()?.string, case .text(let json)? = words.popFirst() {
                if let record = PoPRecord(json: json), record.name.rawValue == name {
                    found[record.name] = record
                } else {
                    garbage.say("\(configuration.prefix)pop:\(name)")
                }
            }
        }
        return Array(found.values.sorted { $0.name < $1.name }.prefix(RegistryLimits.pops))
    }

    /// More than the longest records take.
    private static let pageLimit = 300

    public func claim(_ meeting: MeetingID, number: MeetingNumber) async throws(RegistryError) -> ClaimOutcome {
        try outcome(try await run(.claim, [text(meeting), text(number.value)]))
    }

    public func takeOver(
        _ meeting: MeetingID, number: MeetingNumber, seen: UInt64, homeIsDead: Bool
    ) async throws(RegistryError) -> ClaimOutcome {
        guard Home.epochs.contains(seen) else { throw .invalid("epoch \(seen)") }
        return try outcome(
            try await run(.takeOver, [text(meeting), text(number.value), text(seen), text(homeIsDead ? 1 : 0)]))
    }

    /// In parts of 500, so that Redis is not held up for long; a part that fails ends it, and what was lost in earlier parts
    /// is told at the next renewal.
    public func renew(_ leases: [Lease]) async throws(RegistryError) -> RenewalOutcome {
        for lease in leases where !Home.epochs.contains(lease.epoch) { throw .invalid("epoch \(lease.epoch)") }
        var outcome = RenewalOutcome()
        for start in stride(from: 0, to: leases.count, by: 500) {
            let part = leases[start..<min(leases.count, start + 500)]
            let words = part.flatMap { [text($0.meeting), text($0.number.value), text($0.epoch)] }
            for answer in try await run(.renew, words) { try add(answer, to: &outcome) }
        }
        return outcome
    }

    public func release(_ meeting: MeetingID, epoch: UInt64) async throws(RegistryError) {
        guard Home.epochs.contains(epoch) else { throw .invalid("epoch \(epoch)") }
        _ = try await run(.release, [text(meeting), text(epoch)])
    }

    public func find(_ meeting: MeetingID) async throws(RegistryError) -> Registration? {
        try registration(try await run(.find, [text("id"), text(meeting)]))
    }

    public func find(_ number: MeetingNumber) async throws(RegistryError) -> Registration? {
        try registration(try await run(.find, [text("number"), text(number.value)]))
    }
}

extension RedisRegistry {
    /// Runs a script.
    ///
    /// - Returns: its answer without what it says of garbage, which is said here.
    private func run(_ script: RegistryScript, _ words: [[UInt8]]) async throws(RegistryError) -> ArraySlice<RedisReply>
    {
        let times = configuration.times
        let common = [
            text("0"), text(configuration.prefix), text(caller.name), text(caller.instance),
            text(milliseconds(times.lease)), text(milliseconds(times.epoch)),
        ]
        let reply: RedisReply
        do {
            reply = try await client.call(RedisCommand([text("EVALSHA"), text(script.hash)] + common + words))
        } catch .refused(let text) where text.hasPrefix("NOSCRIPT") {
            reply = try await client.call(
                RedisCommand([Array("EVAL".utf8), Array(script.text.utf8)] + common + words))
        }
        guard let elements = reply.elements, let found = elements.first?.elements else { throw .garbled("\(reply)") }
        for key in found { garbage.say(key.string ?? "a name that is no text") }
        return elements.dropFirst()
    }

    private func outcome(_ answer: ArraySlice<RedisReply>) throws(RegistryError) -> ClaimOutcome {
        let words = answer.map(\.string)
        switch words.first {
        case "granted" where words.count == 2:
            if let epoch = words[1].flatMap(UInt64.init) { return .granted(epoch: epoch) }
        case "held" where words.count == 3:
            return .held(by: try home(words[1], words[2]))
        case "number" where words.count == 2:
            if let meeting = words[1].flatMap(MeetingID.init) { return .numberTaken(by: meeting) }
        default: break
        }
        throw .garbled("\(words)")
    }

    private func add(_ answer: RedisReply, to outcome: inout RenewalOutcome) throws(RegistryError) {
        let words = answer.elements?.map(\.string) ?? []
        guard words.count >= 3, let meeting = words[1].flatMap(MeetingID.init) else { throw .garbled("\(words)") }
        switch words[0] {
        case "lost" where words.count == 4: outcome.lost[meeting] = try home(words[2], words[3])
        case "number": outcome.numbersLost[meeting] = words[2].flatMap(MeetingID.init)
        default: throw .garbled("\(words)")
        }
    }

    private func registration(_ answer: ArraySlice<RedisReply>) throws(RegistryError) -> Registration? {
        let words = answer.map(\.string)
        if words.isEmpty { return nil }
        guard words.count == 4, let meeting = words[0].flatMap(MeetingID.init),
            let number = words[1].flatMap({ MeetingNumber($0) })
        else { throw .garbled("\(words)") }
        return Registration(meeting: meeting, number: number, home: try home(words[2], words[3]))
    }

    private func home(_ pop: String?, _ epoch: String?) throws(RegistryError) -> Home {
        guard let pop = pop.flatMap(PoPName.init), let epoch = epoch.flatMap({ UInt64($0) }) else {
            throw .garbled("\(pop ?? "") \(epoch ?? "")")
        }
        return Home(pop: pop, epoch: epoch)
    }

    private func text(_ value: some CustomStringConvertible) -> [UInt8] { Array(value.description.utf8) }

    private func milliseconds(_ duration: Duration) -> Int64 { Int64(duration / .milliseconds(1)) }
}
