import COpenSSL
import Fleet
import Foundation
import Meetings
import TestSupport
import Testing

@testable import Api

/// Peers that may not be linked, or may not stay: each is counted and said once, and the others notice nothing.
@Suite(.timeLimit(.minutes(5))) struct LinkRefusalTests {
    /// What a peer shows and says.
    struct Stranger: Sendable, CustomStringConvertible {
        var kind: String
        /// Of its certificate; nil: it shows none.
        var names: String? = "DNS:c"
        /// By another authority.
        var isForeign = false
        var usage: String?
        var end = 2_200_000_000
        var isSecure = true
        var version = TLS1_3_VERSION
        var says: [UInt8]

        var description: String { "\(kind) \(names ?? "-") \(says.count)" }
    }

    static func hello(
        _ name: String, fleet: String = "f", instance: UInt64 = 9, _ versions: ClosedRange<Int> = 1...1
    ) -> [UInt8] {
        LinkHello(fleet: fleet, pop: PoPInstance(name: PoPName(name)!, instance: instance), versions: versions).frame
            .bytes
    }

    static let strangers: [Stranger] = [
        Stranger(kind: "tls", isForeign: true, says: hello("c")),
        Stranger(kind: "tls", names: nil, says: hello("c")),
        Stranger(kind: "tls", names: "DNS:*.example.org", says: hello("c")),
        Stranger(kind: "tls", names: "IP:127.0.0.1", says: hello("c")),
        Stranger(kind: "tls", usage: "serverAuth", says: hello("c")),
        Stranger(kind: "tls", end: 1_700_000_000, says: hello("c")),
        Stranger(kind: "tls", version: TLS1_2_VERSION, says: hello("c")),
        Stranger(kind: "tls", isSecure: false, says: Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)),
        Stranger(kind: "tls", isSecure: false, says: hello("c")),
        Stranger(kind: "other_name", says: hello("d")),
        Stranger(kind: "other_name", names: "DNS:x,DNS:c", says: hello("c")),
        Stranger(kind: "other_name", names: "DNS:C", says: hello("c")),
        Stranger(kind: "own_name", names: "DNS:a", says: hello("a")),
        Stranger(kind: "second_instance", names: "DNS:b", says: hello("b")),
        Stranger(kind: "other_fleet", says: hello("c", fleet: "g")),
        Stranger(kind: "version", says: hello("c", 2...3)),
        Stranger(kind: "malformed", says: Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)),
        Stranger(kind: "malformed", says: LinkMessage.ping(1).frame.bytes),
    ]

    @Test(arguments: strangers) func aStrangerIsRefused(_ stranger: Stranger) async throws {
        let fleet = try await LinkFleet(["a", "b"], hasRegistry: false)
        let (a, b) = (fleet.pops[0], fleet.pops[1])
        let authority = stranger.isForeign ? try TestAuthority() : fleet.authority
        let files = try stranger.names.map { try authority.issue($0, usage: stranger.usage, until: stranger.end) }
        let peer = try await LinkPeer(
            to: a.port, files, isSecure: stranger.isSecure, version: stranger.version)
        peer.say(stranger.says)
        await peer.closed()
        await a.lines.until { $0.contains { $0.hasPrefix("no link ") } }
        #expect(await a.service.reading.refused == [stranger.kind: 1])
        // The others go on.
        #expect(await a.service.send(trunk: [5], to: b.name))
        await b.events.until { $0.contains(.trunk(a.name, [5])) }
        #expect(a.lines.all.count { $0.hasPrefix("no link ") } == 1, "\(a.lines.all)")
        #expect(await a.service.reading.ended.isEmpty)
        await fleet.stop()
    }

    @Test func anotherPoPAtTheAddressIsNotLinked() async throws {
        let fleet = try await LinkFleet(["a", "b", "c"], hasRegistry: false, links: false)
        let (a, b, c) = (fleet.pops[0], fleet.pops[1], fleet.pops[2])
        await a.service.want([b.name: [c.address]])
        await a.lines.until { $0.contains("no link peer=b reason=another PoP than expected: c") }
        #expect(await a.service.reading.refused == ["other_name": 1])
        #expect(await a.service.reading.open.isEmpty && c.events.all.isEmpty)
        await fleet.stop()
    }

    @Test func aPoPOfAnotherAuthorityIsNotDialledInto() async throws {
        let fleet = try await LinkFleet(["a"], hasRegistry: false, links: false)
        let other = try TestAuthority()
        let b = try await LinkedPoP("b", other.store("DNS:b"), registry: nil)
        await fleet.pops[0].service.want([b.name: [b.address]])
        await fleet.pops[0].lines.until { $0.contains { $0.hasPrefix("no link peer=b reason=TLS: ") } }
        #expect(await fleet.pops[0].service.reading.refused == ["tls": 1])
        #expect(fleet.pops[0].lines.all.joined().contains("certificate verify failed"))
        await b.lines.until { $0.contains { $0.hasPrefix("no link peer=127.0.0.1 reason=TLS: ") } }
        await b.service.stop()
        await fleet.stop()
    }

    @Test func repeatedStrangersAreOneLine() async throws {
        let fleet = try await LinkFleet(["a"], hasRegistry: false, links: false)
        let a = fleet.pops[0]
        for _ in 0..<5 {
            let peer = try await LinkPeer(to: a.port, nil, isSecure: false)
            peer.say([1, 2, 3, 4, 5, 6, 7, 8])
            await peer.closed()
        }
        try await eventually { await a.service.reading.refused["tls"] == 5 }
        #expect(a.lines.all.count == 1)
        await fleet.stop()
    }

    @Test func strangersInTheirHandshakeAreFew() async throws {
        let fleet = try await LinkFleet(["a"], hasRegistry: false, links: false) { $0.silence = .seconds(600) }
        let a = fleet.pops[0]
        var strangers: [LinkPeer] = []
        for _ in 0...32 { strangers.append(try await LinkPeer(to: a.port, nil, isSecure: false)) }
        await strangers[32].closed()
        #expect(await a.service.reading.refused == ["full": 1])
        // The place of one who leaves is free again.
        await strangers[0].close()
        try await eventually { await a.service.reading.refused["lost"] == 1 }
        let c = try await LinkPeer(to: a.port, fleet.authority.issue("DNS:c"))
        c.say(Self.hello("c"))
        await a.events.until { LinkedPoP.open($0).contains(PoPName("c")!) }
        for stranger in strangers { await stranger.close() }
        await c.close()
        await fleet.stop()
    }

    @Test func whoSaysNothingIsLetGo() async throws {
        let (authority, clock) = (try TestAuthority(), LinkClock())
        let a = try await LinkedPoP("a", authority.store("DNS:a"), registry: nil, clock: clock)
        let peer = try await LinkPeer(to: a.port, authority.issue("DNS:c"))
        // Half a hello.
        peer.say(Array(Self.hello("c").prefix(20)))
        try await eventually { await a.service.connectionCount > 0 }
        clock.advance(by: .seconds(30))
        await peer.closed()
        await a.lines.until { $0.contains("no link peer=c reason=silent") }
        #expect(await a.service.reading.refused == ["silent": 1])
        await a.service.stop()
    }

    // MARK: Links that may not stay

    /// A PoP with a link to another, and one to a peer of whom anything may come.
    private func guest(_ change: (inout LinkPolicy) -> Void = { _ in }) async throws -> (LinkFleet, LinkPeer) {
        let fleet = try await LinkFleet(["a", "b"], hasRegistry: false, change)
        let peer = try await LinkPeer(to: fleet.pops[0].port, fleet.authority.issue("DNS:c"))
        peer.say(Self.hello("c"))
        await fleet.pops[0].events.until { LinkedPoP.open($0).contains(PoPName("c")!) }
        return (fleet, peer)
    }

    private func isAsItWas(_ fleet: LinkFleet, _ kind: String) async {
        let (a, b) = (fleet.pops[0], fleet.pops[1])
        #expect(await a.service.reading.ended == [kind: 1])
        #expect(a.lines.all.count { $0.hasPrefix("the link with a PoP ended ") } == 1, "\(a.lines.all)")
        #expect(await a.service.send(trunk: [5], to: b.name))
        await b.events.until { $0.contains(.trunk(a.name, [5])) }
        #expect(!a.events.all.contains(.closed(b.name)))
        await fleet.stop()
    }

    @Test func garbageEndsALink() async throws {
        let (fleet, peer) = try await guest()
        peer.say([0, 0, 0, 2, 12, 255, 1, 2, 3])
        await peer.closed()
        await fleet.pops[0].events.until { $0.contains(.closed(PoPName("c")!)) }
        await isAsItWas(fleet, "malformed")
    }

    @Test func aFloodEndsALink() async throws {
        let (fleet, peer) = try await guest { $0.notices = 16 }
        peer.say((0..<20_000).flatMap { LinkMessage.subscribe(MeetingID("m_\($0)")!, last: nil).frame.bytes })
        await fleet.pops[0].events.until { $0.contains(.closed(PoPName("c")!)) }
        await peer.closed()
        await isAsItWas(fleet, "flood")
    }

    @Test func whoNeverReadsIsLetGoWhenTooMuchWaits() async throws {
        let (fleet, peer) = try await guest { $0.silence = .seconds(60) }
        try await peer.stopReading()
        let message = [UInt8](repeating: 1, count: LinkPolicy.trunkLimit)
        while await fleet.pops[0].service.send(trunk: message, to: PoPName("c")!) {}
        await fleet.pops[0].events.until { $0.contains(.closed(PoPName("c")!)) }
        await isAsItWas(fleet, "stalled")
        await peer.close()
    }

    @Test func whoNeverReadsIsLetGoInTime() async throws {
        let (authority, clock) = (try TestAuthority(), LinkClock())
        let a = try await LinkedPoP("a", authority.store("DNS:a"), registry: nil, clock: clock) {
            $0.silence = .seconds(1_000_000)
            $0.trunkBytes = 64 << 20
        }
        let peer = try await LinkPeer(to: a.port, authority.issue("DNS:c"))
        peer.say(Self.hello("c"))
        let c = PoPName("c")!
        await a.events.until { LinkedPoP.open($0).contains(c) }
        try await peer.stopReading()
        let message = [UInt8](repeating: 1, count: LinkPolicy.trunkLimit)
        for _ in 0..<256 { #expect(await a.service.send(trunk: message, to: c)) }
        try await eventually {
            clock.advance(by: .milliseconds(50))
            return a.events.all.contains(.closed(c))
        }
        #expect(await a.service.reading.ended == ["stalled": 1])
        await peer.close()
        await a.service.stop()
    }

    @Test func aSilentLinkEnds() async throws {
        let (authority, clock) = (try TestAuthority(), LinkClock())
        let a = try await LinkedPoP("a", authority.store("DNS:a"), registry: nil, clock: clock)
        let peer = try await LinkPeer(to: a.port, authority.issue("DNS:c"))
        peer.say(Self.hello("c"))
        await a.events.until { LinkedPoP.open($0).contains(PoPName("c")!) }
        _ = await peer.hears { $0.contains { if case .ping = $0 { true } else { false } } }
        clock.advance(by: .seconds(30))
        await a.events.until { $0.contains(.closed(PoPName("c")!)) }
        _ = await peer.hears { $0.contains(.goodbye("silent")) }
        await peer.closed()
        await a.service.stop()
    }
}
