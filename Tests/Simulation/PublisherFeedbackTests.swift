import Testing
import Wire

@testable import Dataplane

/// A publisher is asked only for what it agreed to be asked for (RFC 4585 section 4.2).
@Suite struct PublisherFeedbackTests {
    /// Shows a camera, loses one packet of it, and goes on; the publisher's peer tells what it was asked.
    private func peer(with feedback: PublisherFeedback) throws -> Peer {
        let world = try World(seed: 7)
        var (camera, _, _, _) = pair(world, feedback: feedback)
        camera.frame(keyframe: true)
        world.run(400)
        camera.peer.keyframeRequests = []
        camera.peer.intraRequests = []
        camera.frame(loses: { $0 == 1 })
        for _ in 0..<10 {
            camera.frame()
            world.run(33)
        }
        return camera.peer
    }

    @Test func whoRepeatsIsAskedForThePacket() throws {
        let peer = try peer(with: .all)
        #expect(peer.nacksReceived > 0 && peer.keyframeRequests.isEmpty && peer.intraRequests.isEmpty)
    }

    @Test func whoRepeatsNothingIsAskedForAKeyframeInstead() throws {
        let peer = try peer(with: [.pli, .fir])
        #expect(peer.nacksReceived == 0 && !peer.keyframeRequests.isEmpty && peer.intraRequests.isEmpty)
    }

    @Test func fullIntraRequestsCountUp() throws {
        let peer = try peer(with: .fir)
        #expect(peer.nacksReceived == 0 && peer.keyframeRequests.isEmpty)
        #expect(peer.intraRequests.count >= 2)
        #expect(zip(peer.intraRequests, peer.intraRequests.dropFirst()).allSatisfy { $1 == $0 &+ 1 })
    }

    @Test func whoAgreedToNothingIsAskedForNothing() throws {
        let peer = try peer(with: [])
        #expect(peer.nacksReceived == 0 && peer.keyframeRequests.isEmpty && peer.intraRequests.isEmpty)
    }
}
