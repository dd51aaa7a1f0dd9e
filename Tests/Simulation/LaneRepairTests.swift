import Foundation
import Mailbox
import Testing
import Wire

@testable import Dataplane

/// A Trunk that loses packets.
@Suite(.serialized)
struct LaneRepairTests {
    /// Cameras in world 0 that one viewer in world 1 sees.
    private final class Scene {
        let trunk: Trunk
        var cameras: [Camera] = []
        let viewer: Peer
        /// Of each packet that was sent and has not come: when, ns of the virtual clock.
        private var sentAt: [[UInt8]: UInt64] = [:]
        /// What came how long after it was sent, ms.
        private(set) var delays: [Int: Int] = [:]
        private(set) var sentPackets = 0

        init(_ trunk: Trunk, cameras count: UInt32) {
            self.trunk = trunk
            viewer = Peer(trunk.worlds[1], worker: 0, index: 20)
            // What the Lane did not repair in time is not made up for here.
            viewer.asksAgain = false
            for number in 1...count {
                let publisher = Peer(trunk.worlds[0], worker: 0, index: number)
                let camera = Camera(publisher, index: number)
                cameras.append(camera)
                let (slot, _) = openSlot(viewer, index: number)
                trunk.run(3)
                publisher.check()
                let far = trunk.carry(camera.track, index: number)
                trunk.worlds[1].command(0, .mapSlot(MapSlot(slot: slot, track: far, maxHeight: 720)))
            }
            viewer.check()
            trunk.run(5 + 4 * trunk.path.delay)
            viewer.takes = { [unowned self] ssrc, _, _, payload in
                note(ssrc, payload)
                return true
            }
        }

        private func note(_ ssrc: UInt32, _ payload: [UInt8]) {
            guard let sent = sentAt.removeValue(forKey: key(UInt8((ssrc - 500_000) / 10), payload)) else { return }
            delays[Int((trunk.worlds[1].now - sent) / 1_000_000), default: 0] += 1
        }

        private func key(_ camera: UInt8, _ payload: [UInt8]) -> [UInt8] {
            [camera] + payload.suffix(102).prefix(2)
        }

        /// One camera after the other, so that something is sent all the time.
        func run(frames: Int, packets: UInt8 = 4) {
            let pause = 32 / cameras.count
            for frame in 0..<frames {
                // Consent (RFC 7675).
                if frame % 150 == 0 { for peer in [viewer] + cameras.map(\.peer) { peer.check() } }
                for number in cameras.indices {
                    let isKeyframe = frame == 0 || !cameras[number].peer.keyframeRequests.isEmpty
                    cameras[number].peer.keyframeRequests = []
                    cameras[number].frame(keyframe: isKeyframe, packets: Int(packets))
                    trunk.run(pause)
                }
            }
        }

        func count(_ payload: [UInt8], camera: UInt8) {
            sentPackets += 1
            sentAt[key(camera, payload)] = trunk.worlds[0].now
        }
    }

    @Test func onePercentOfLossIsRepairedInARoundTripAndTenMilliseconds() throws {
        let seconds = Int(ProcessInfo.processInfo.environment["LANE_SECONDS"] ?? "") ?? 60
        let trunk = try Trunk(seed: 7, path: .init(delay: 50, loss: 0.01))
        let scene = Scene(trunk, cameras: 8)
        for number in scene.cameras.indices {
            scene.cameras[number].peer.onSent = { scene.count($0, camera: UInt8(number + 1)) }
        }
        scene.run(frames: seconds * 1_000 / 32)
        trunk.run(1_000)

        let inTime = scene.delays.filter { $0.key <= 50 + 100 + 10 }.values.reduce(0, +)
        let share = Double(inTime) / Double(scene.sentPackets)
        let copies = trunk.sent[0].values.reduce(0, +)
        let more = Double(copies) / Double(scene.sentPackets) - 1
        let found = trunk.worlds[1].worker().pointee.cascade.lanes.find(trunk.lanes[1])
        let reception = try #require(found).pointee.reception
        print(
            "    of \(scene.sentPackets) packets \(trunk.lost) lost in \(seconds) s at 1%; "
                + "\(String(format: "%.4f", share * 100))% came within 160 ms, one way 50; "
                + "\(String(format: "%.2f", more * 100))% more packets; \(reception.lost) given up")
        #expect(share >= 0.9999)
        #expect(more <= 0.02)
        #expect(reception.lost == 0)
    }
}
