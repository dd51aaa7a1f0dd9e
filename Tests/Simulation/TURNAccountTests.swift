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
}
