import Mailbox
import Testing
import Wire

@testable import Dataplane

/// What control counts by the worker's events.
@Suite struct TURNAccountTests {
    /// Control counts allocations by the address that they were granted to: a move must not take one from another's.
    @Test func whoMovedIsGivenBackUnderTheAddressThatWasGranted() throws {
        let stage = try TURNStage()
        let user = TURNUser(stage, "10.0.0.20:4000")
        user.learnNonce()
        let answer = user.allocate { $0.addFlag(STUNAttributeType.mobilityTicket) }
        let ticket = try #require(answer?.value(STUNAttributeType.mobilityTicket))
        user.endpoint = Endpoint("10.0.0.21:4000")!
        user.learnNonce()
        #expect(user.refresh(600) { $0.add(STUNAttributeType.mobilityTicket, bytes: ticket) }?.isSuccess == true)
        #expect(user.refresh(0)?.isSuccess == true)
        stage.run(4)
        var opened: [Endpoint] = []
        var closed: [Endpoint] = []
        for event in stage.events {
            switch event {
            case .allocationOpened(_, _, let client): opened.append(client.remote)
            case .allocationClosed(_, _, let client, _): closed.append(client.remote)
            case .allocationFailed: break
            }
        }
        #expect(opened == [Endpoint("10.0.0.20:4000")!] && closed == opened)
        stage.expectNothingHeld()
    }

    /// Control counts an allocation when it grants it; what the worker says of a grant must reach it.
    @Test func aFullRingOfEventsDelaysGrantsAndLosesNone() throws {
        let stage = try TURNStage()
        let world = stage.world
        let turn = world.mailboxes[0].turn
        let client = TURNClient(
            transport: .udp, endpoint: Endpoint("10.0.0.20:4000")!, remote: Endpoint("10.0.0.20:4000")!,
            local: Endpoint(address: World.address, port: World.mediaPort))
        while turn.events.push(.allocationFailed(user: 1, client: client, code: 508)) {}
        // Nobody waits for it any more: it fails.
        let request = TURNRequest(client: client, transaction: STUNTransactionID(high: 1, low: 2))
        let grant = GrantAllocation(request, key: [UInt8](repeating: 7, count: 16), usesSHA256: false, user: 77)
        #expect(turn.commands.push(.grant(grant)))
        world.run(5)
        var failed: [UInt64] = []
        while let event = turn.events.pop() {
            if case .allocationFailed(let user, _, _) = event, user != 1 { failed.append(user) }
        }
        #expect(failed.isEmpty)
        world.run(5)
        while let event = turn.events.pop() {
            if case .allocationFailed(let user, _, _) = event { failed.append(user) }
        }
        #expect(failed == [77])
        #expect(world.worker().pointee.counters[.eventFull] == 0)
        stage.expectNothingHeld()
    }
}
