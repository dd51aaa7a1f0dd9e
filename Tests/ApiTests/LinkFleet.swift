import Fleet
import Foundation
import Logging
import Meetings
import Synchronization
import TestSupport
import Testing

@testable import Api

/// A meeting of names with values.
struct LinkMeeting: MeetingBody, Equatable {
    var values: [String: Int] = [:]

    init() {}

    init?(bytes: [UInt8]) {
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            guard let change = Change(bytes: Array(line)) else { return nil }
            apply(change)
        }
    }

    var bytes: [UInt8] { values.sorted { $0.key < $1.key }.flatMap { Array("\($0.key)=\($0.value)\n".utf8) } }

    func refusal(of change: Change) -> String? { change.value < 0 ? "negative" : nil }

    mutating func apply(_ change: Change) { values[change.key] = change.value }

    struct Change: MeetingChange {
        let key: String
        let value: Int
        var isRemoval: Bool { value == 0 }

        init(_ key: String, _ value: Int) {
            self.key = key
            self.value = value
        }

        init?(bytes: [UInt8]) {
            guard let sign = bytes.firstIndex(of: UInt8(ascii: "=")),
                let value = Int(String(decoding: bytes[(sign + 1)...], as: UTF8.self))
            else { return nil }
            self.init(String(decoding: bytes[..<sign], as: UTF8.self), value)
        }

        var bytes: [UInt8] { Array("\(key)=\(value)".utf8) }
    }
}

/// What came so far, and those who wait for more of it.
final class Heard<Element: Sendable>: Sendable {
    private struct State {
        var all: [Element] = []
        var waiting: [(isEnough: @Sendable ([Element]) -> Bool, wake: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    var all: [Element] { state.withLock { $0.all } }

    func append(_ element: Element) {
        let woken = state.withLock { state in
            state.all.append(element)
            let all = state.all
            let woken = state.waiting.filter { $0.isEnough(all) }
            state.waiting.removeAll { $0.isEnough(all) }
            return woken
        }
        for one in woken { one.wake.resume() }
    }

    func until(_ isEnough: @escaping @Sendable ([Element]) -> Bool) async {
        await withCheckedContinuation { (wake: CheckedContinuation<Void, Never>) in
            let isThere = state.withLock { state in
                let isThere = isEnough(state.all)
                if !isThere { state.waiting.append((isEnough, wake)) }
                return isThere
            }
            if isThere { wake.resume() }
        }
    }
}

/// Keeps the lines of a log.
private struct HeardLog: LogHandler {
    let lines: Heard<String>
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let rest = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        lines.append(([event.message.description] + rest).joined(separator: " "))
    }
}

extension TestAuthority {
    /// - Parameter names: in the words of OpenSSL's x509v3_config(5).
    func store(_ names: String?) throws -> Api.CertificateStore {
        let files = try issue(names)
        return try Api.CertificateStore(certificate: files.certificate, key: files.key, authorities: path)
    }
}

/// Time that moves only when a test says so.
final class LinkClock: Sendable {
    private let now = Mutex(Duration.seconds(1))

    @Sendable func read() -> Duration { now.withLock { $0 } }

    func advance(by duration: Duration) { now.withLock { $0 += duration } }
}

/// Until it is so; what tells nobody of itself is asked for.
func eventually(_ isSo: () async throws -> Bool) async throws {
    while try await !isSo() { try await Task.sleep(for: .milliseconds(1)) }
}

/// A PoP on loopback.
final class LinkedPoP: Sendable {
    let name: PoPName
    let service: LinkService<LinkMeeting>
    let lines = Heard<String>()
    let events = Heard<LinkEvent>()
    let port: Int

    /// - Parameter reads: whether its events are read.
    init(
        _ text: String, _ certificates: Api.CertificateStore, registry: MemoryRegistry.Store?, fleet: String = "f",
        host: String = "127.0.0.1", reads: Bool = true, clock: LinkClock? = nil,
        _ change: (inout LinkPolicy) -> Void = { _ in }
    ) async throws {
        let name = try #require(PoPName(text))
        let pop = PoPInstance(name: name, instance: UInt64.random(in: 1 ... .max))
        var configuration = LinkConfiguration(
            fleet: fleet, listen: [.init(host: host, port: 0)], announced: [], certificates: certificates)
        // A machine that is busy with other tests is not silent.
        configuration.policy.silence = .seconds(30)
        change(&configuration.policy)
        let lines = lines
        let start = ContinuousClock.now
        let time: @Sendable () -> Duration = { clock?.read() ?? start.duration(to: .now) }
        service = LinkService(
            configuration, pop: pop, registry: registry.map { MemoryRegistry($0, as: pop) },
            logger: Logger(label: "test") { _ in HeardLog(lines: lines) }, clock: time)
        self.name = name
        port = try #require(try await service.start().first)
        guard reads else { return }
        Task { [service, events] in
            for await event in service.events { events.append(event) }
        }
    }

    var address: LinkAddress { LinkAddress(host: "127.0.0.1", port: port) }

    func linked(with others: LinkedPoP...) async {
        let names = Set(others.map(\.name))
        await events.until { names.isSubset(of: Self.open($0)) }
    }

    static func open(_ events: [LinkEvent]) -> Set<PoPName> {
        events.reduce(into: []) { open, event in
            switch event {
            case .opened(let pop): open.insert(pop.name)
            case .closed(let name): open.remove(name)
            default: break
            }
        }
    }

    /// Until its copy is so.
    func has(_ values: [String: Int], in meeting: MeetingID) async {
        var seen = 0
        while await service.replica(of: meeting)?.body.values != values {
            let count = seen
            await events.until { $0.count > count }
            seen = events.all.count
        }
    }
}

/// PoPs of one fleet and one authority.
struct LinkFleet {
    let authority: TestAuthority
    let store: MemoryRegistry.Store
    let pops: [LinkedPoP]

    init(
        _ names: [String], hasRegistry: Bool = true, links: Bool = true, _ change: (inout LinkPolicy) -> Void = { _ in }
    ) async throws {
        authority = try TestAuthority()
        let start = ContinuousClock.now
        store = MemoryRegistry.Store { start.duration(to: .now) }
        var pops: [LinkedPoP] = []
        for name in names {
            pops.append(
                try await LinkedPoP(
                    name, authority.store("DNS:\(name)"), registry: hasRegistry ? store : nil, change))
        }
        self.pops = pops
        guard links else { return }
        let addresses = Dictionary(uniqueKeysWithValues: pops.map { ($0.name, [$0.address]) })
        // Of two one dials: there is nothing to choose between.
        for pop in pops { await pop.service.want(addresses.filter { $0.key > pop.name }) }
        for pop in pops {
            let others = Set(addresses.keys).subtracting([pop.name])
            await pop.events.until { LinkedPoP.open($0) == others }
        }
    }

    func stop() async { for pop in pops { await pop.service.stop() } }
}
