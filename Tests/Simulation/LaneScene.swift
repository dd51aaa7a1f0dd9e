import Mailbox
import Testing
import Wire

@testable import Dataplane

/// A camera in world 0 that viewers in world 1 see.
struct LaneScene {
    let trunk: Trunk
    var camera: Camera
    let far: TrackHandle
    private var sentFrames = 0
    var viewers: [(peer: Peer, slot: SlotHandle, ssrc: UInt32)] = []

    init(_ trunk: Trunk, layers: Int = 1, viewers count: Int = 1, maxHeight: UInt16 = 720) {
        self.trunk = trunk
        let publisher = Peer(trunk.worlds[0], worker: trunk.workers.0, index: 1)
        camera = Camera(publisher, index: 1, layers: layers)
        trunk.run(3)
        publisher.check()
        far = trunk.carry(camera.track, index: 5, layers: layers)
        for number in 0..<UInt32(count) {
            let viewer = Peer(trunk.worlds[1], worker: trunk.workers.1, index: 10 + number)
            let (slot, ssrc) = openSlot(viewer, index: 1 + number)
            trunk.run(2)
            viewer.check()
            trunk.worlds[1].command(
                trunk.workers.1, .mapSlot(MapSlot(slot: slot, track: far, maxHeight: maxHeight)))
            viewers.append((viewer, slot, ssrc))
        }
        trunk.run(5 + 2 * trunk.path.delay)
    }

    mutating func send(frames: Int, every milliseconds: Int = 33, packets: Int = 3) {
        for _ in 0..<frames {
            let isKeyframe = sentFrames == 0 || !camera.peer.keyframeRequests.isEmpty
            camera.peer.keyframeRequests = []
            camera.frame(keyframe: isKeyframe, packets: packets)
            sentFrames += 1
            trunk.run(milliseconds)
        }
    }

    /// Layers of the latest packets that a viewer got.
    func shown(_ number: Int = 0) -> Set<UInt8> {
        let viewer = viewers[number]
        guard let inbox = viewer.peer.inboxes[viewer.ssrc] else { return [] }
        return Set(inbox.sequences.suffix(6).compactMap { inbox.payloads[$0] }.map { $0[$0.count - 103] })
    }

    /// What a viewer got, in order.
    func got(_ number: Int = 0) -> [UInt64] {
        viewers[number].peer.inboxes[viewers[number].ssrc]?.sequences ?? []
    }

    /// Whether a viewer misses nothing.
    func isWhole(_ number: Int = 0, count: Int) -> Bool {
        let sequences = Set(got(number))
        guard let first = sequences.min(), let last = sequences.max() else { return count == 0 }
        return sequences.count == count && last - first + 1 == UInt64(count)
    }

    var copies: Int { trunk.sent[0].values.reduce(0, +) }
}
