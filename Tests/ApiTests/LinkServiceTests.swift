import Fleet
import Foundation
import Meetings
import TestSupport
import Testing

@testable import Api

/// PoPs over loopback with TLS: what they share, and what becomes of it when one goes.
@Suite(.timeLimit(.minutes(5))) struct LinkServiceTests {
    private let meeting = MeetingID("m_1")!
    private let number = MeetingNumber("100000001")!

    @Test(arguments: [true, false]) func twoPoPsShareAMeeting(hasRegistry: Bool) async throws {
        let fleet = try await LinkFleet(["a", "b"], hasRegistry: hasRegistry)
        let (a, b) = (fleet.pops[0], fleet.pops[1])
        for pop in [a, b] { await pop.service.open(meeting, number: number) }
        let requests = [
            try #require(await a.service.request(.init("x", 1), in: meeting)),
            try #require(await b.service.request(.init("y", 2), in: meeting)),
        ]
        for pop in [a, b] { await pop.has(["x": 1, "y": 2], in: meeting) }
        await a.events.until { [meeting] in $0.contains(.done(meeting, request: requests[0])) }
        await b.events.until { [meeting] in $0.contains(.done(meeting, request: requests[1])) }
        let refused = try #require(await b.service.request(.init("z", -1), in: meeting))
        await b.events.until { [meeting] in
            $0.contains(.refused(meeting, request: refused, reason: "negative"))
        }
        let homes = [await a.service.isHome(of: meeting), await b.service.isHome(of: meeting)]
        #expect(homes.count { $0 } == 1)
        #expect(await a.service.leases.count + b.service.leases.count == 1)
        #expect(await Set(a.service.reading.open.keys) == [b.name])
        await fleet.stop()
    }

    @Test func aMeetingOutlivesItsHome() async throws {
        let fleet = try await LinkFleet(["a", "b", "c"])
        let (a, b, c) = (fleet.pops[0], fleet.pops[1], fleet.pops[2])
        for pop in fleet.pops {
            await pop.service.open(meeting, number: number)
            _ = try #require(await pop.service.request(.init(pop.name.rawValue, 1), in: meeting))
            let names = fleet.pops.map(\.name).filter { $0 <= pop.name }
            await pop.has(Dictionary(uniqueKeysWithValues: names.map { ($0.rawValue, 1) }), in: meeting)
        }
        #expect(await a.service.isHome(of: meeting))
        await a.service.stop()
        _ = await b.service.request(.init("more", 2), in: meeting)
        for pop in [b, c] { await pop.has(["a": 1, "b": 1, "c": 1, "more": 2], in: meeting) }
        #expect(b.events.all.contains(.closed(a.name)))
        #expect(await b.service.reading.ended["parted"] == 1)
        await fleet.stop()
    }

    @Test func theLeaseEndsWhenNobodyNeedsTheMeeting() async throws {
        let fleet = try await LinkFleet(["a", "b"])
        let (a, b) = (fleet.pops[0], fleet.pops[1])
        await a.service.open(meeting, number: number)
        await a.events.until { [meeting] in $0.contains(.leads(meeting, epoch: 1)) }
        await b.service.open(meeting, number: number)
        _ = await b.service.request(.init("x", 1), in: meeting)
        await b.has(["x": 1], in: meeting)
        // The other is a Branch of it.
        await a.service.close(meeting)
        #expect(await a.service.isHome(of: meeting))
        await b.service.close(meeting)
        let registry = MemoryRegistry(fleet.store, as: PoPInstance(name: a.name, instance: 1))
        try await eventually { try await registry.find(meeting) == nil }
        #expect(await a.service.leases.isEmpty)
        await fleet.stop()
    }

    @Test func whatTheRegistryGrantedIsLedAtOnce() async throws {
        let fleet = try await LinkFleet(["a"])
        await fleet.pops[0].service.open(meeting, number: number, granted: 7)
        #expect(await fleet.pops[0].service.leases == [Lease(meeting: meeting, number: number, epoch: 7)])
        let thief = Home(pop: PoPName("b")!, epoch: 9)
        await fleet.pops[0].service.leaseLost(meeting, to: thief)
        #expect(await fleet.pops[0].service.leases.isEmpty)
        await fleet.stop()
    }

    @Test func messagesOfTrunksComeInOrder() async throws {
        let fleet = try await LinkFleet(["a", "b"])
        let (a, b) = (fleet.pops[0], fleet.pops[1])
        let longest = [UInt8](repeating: 7, count: LinkPolicy.trunkLimit)
        let sent = (0..<200).map { [UInt8($0)] } + [longest]
        for message in sent { #expect(await a.service.send(trunk: message, to: b.name)) }
        #expect(await b.service.send(trunk: [1], to: a.name))
        #expect(await !a.service.send(trunk: longest + [1], to: b.name))
        #expect(await !a.service.send(trunk: [1], to: PoPName("c")!))
        await b.events.until { $0.contains(.trunk(a.name, longest)) }
        await a.events.until { $0.contains(.trunk(b.name, [1])) }
        let came = b.events.all.compactMap { if case .trunk(_, let bytes) = $0 { bytes } else { nil } }
        #expect(came == sent)
        await fleet.stop()
    }

    @Test func aPoPIsFoundAtTheNextOfItsAddresses() async throws {
        let fleet = try await LinkFleet(["a", "b", "c"], links: false)
        let (a, b, c) = (fleet.pops[0], fleet.pops[1], fleet.pops[2])
        // Nobody listens on the first; the second is another PoP's.
        await a.service.want([b.name: [LinkAddress(host: "127.0.0.1", port: 1), c.address, b.address]])
        await a.linked(with: b)
        #expect(await a.service.reading.refused.isEmpty && c.events.all.isEmpty)
        await fleet.stop()
    }

    @Test func whereBothDialOneLinkIsLeft() async throws {
        let fleet = try await LinkFleet(["a", "b"], links: false)
        let (a, b) = (fleet.pops[0], fleet.pops[1])
        await a.service.want([b.name: [b.address]])
        await b.service.want([a.name: [a.address]])
        for pop in [a, b] { await pop.service.open(meeting, number: number) }
        _ = await b.service.request(.init("x", 1), in: meeting)
        for pop in [a, b] { await pop.has(["x": 1], in: meeting) }
        try await eventually { await a.service.connectionCount == 1 }
        await fleet.stop()
    }

    @Test func aPoPThatComesBackIsLinkedAgain() async throws {
        let fleet = try await LinkFleet(["a", "b"])
        let (a, b) = (fleet.pops[0], fleet.pops[1])
        await b.service.stop()
        await a.events.until { $0.contains(.closed(b.name)) }
        let again = try await LinkedPoP("b", fleet.authority.store("DNS:b"), registry: fleet.store)
        await a.service.want([b.name: [again.address]])
        await a.linked(with: again)
        #expect(a.events.all.count { if case .opened = $0 { true } else { false } } == 2)
        await again.service.stop()
        await fleet.stop()
    }

    @Test func whatWasRenewedIsShownToWhoComesNext() async throws {
        let authority = try TestAuthority()
        let files = try authority.issue("DNS:a", file: "a")
        let store = try Api.CertificateStore(
            certificate: files.certificate, key: files.key, authorities: authority.path)
        let a = try await LinkedPoP("a", store, registry: nil)
        let b = try await LinkedPoP("b", authority.store("DNS:b"), registry: nil)
        await b.service.want([a.name: [a.address]])
        await b.linked(with: a)
        #expect(try !store.reload())
        _ = try authority.issue("DNS:z", file: "a")
        #expect(try store.reload() && store.names == ["z"])
        let c = try await LinkedPoP("c", authority.store("DNS:c"), registry: nil)
        await c.service.want([a.name: [a.address]])
        await c.lines.until { $0.contains("no link peer=a reason=another PoP than expected: z") }
        // What nobody would take leaves the former.
        try FileManager.default.removeItem(atPath: authority.path)
        #expect(throws: Api.CertificateStore.Refusal(description: "\(authority.path) does not exist")) {
            try store.reload()
        }
        #expect(store.names == ["z"])
        #expect(!b.events.all.contains(.closed(a.name)))
        for pop in [a, b, c] { await pop.service.stop() }
    }

    @Test func whoReadsNoEventsReadsNoPeers() async throws {
        let (authority, clock) = (try TestAuthority(), LinkClock())
        let a = try await LinkedPoP("a", authority.store("DNS:a"), registry: nil, clock: clock) {
            $0.silence = .seconds(1_000_000)
            $0.trunkBytes = 64 << 20
        }
        let b = try await LinkedPoP("b", authority.store("DNS:b"), registry: nil, reads: false) {
            $0.silence = .seconds(600)
        }
        await a.service.want([b.name: [b.address]])
        await a.linked(with: b)
        let message = [UInt8](repeating: 3, count: LinkPolicy.trunkLimit)
        // More than the network holds beside it.
        let count = 8 * LinkEvents.limit / message.count
        for _ in 0..<count { #expect(await a.service.send(trunk: message, to: b.name)) }
        try await eventually {
            clock.advance(by: .milliseconds(5))
            return a.events.all.contains(.closed(b.name)) || b.service.events.waiting >= count * message.count
        }
        #expect(b.service.events.waiting < LinkEvents.limit + 512 << 10)
        for pop in [a, b] { await pop.service.stop() }
    }

    @Test func whoReadsNoEventsHoldsItsPeersUpAndLosesNothing() async throws {
        let fleet = try await LinkFleet(["a"], links: false) {
            $0.stall = .seconds(60)
            $0.silence = .seconds(60)
            $0.trunkBytes = 64 << 20
        }
        let a = fleet.pops[0]
        let b = try await LinkedPoP("b", fleet.authority.store("DNS:b"), registry: nil, reads: false) {
            $0.silence = .seconds(60)
        }
        await a.service.want([b.name: [b.address]])
        await a.linked(with: b)
        let message = [UInt8](repeating: 3, count: LinkPolicy.trunkLimit)
        let count = 3 * LinkEvents.limit / message.count
        for _ in 0..<count { #expect(await a.service.send(trunk: message, to: b.name)) }
        try await eventually { b.service.events.isFull }
        var came = 0
        for await event in b.service.events {
            if case .trunk = event { came += 1 }
            if came == count { break }
        }
        #expect(came == count)
        await b.service.stop()
        await fleet.stop()
    }
}
