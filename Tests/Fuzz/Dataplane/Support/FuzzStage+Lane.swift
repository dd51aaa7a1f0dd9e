import Mailbox
import Wire

@testable import Dataplane

extension Ground {
    /// The far end of a Lane, which has its keys and may mean harm.
    static let farEnd = FuzzPeer(index: 50, profile: .aeadAes128Gcm)
}

/// A Lane: a Track of three layers comes over it, and the first publisher's goes.
extension FuzzStage {
    static let lane = LaneHandle(worker: 0, index: 0, generation: 1)
    static let crossing = CrossingHandle(worker: 0, index: 0, generation: 1)
    static let laneTrack = 4
    /// The far end's names.
    static let farLane = LaneName(part: LaneName.lanePart, worker: 2, index: 3, generation: 4)
    static let farTrack = LaneName(part: 0, worker: 2, index: 5, generation: 6)

    /// Our name for the Lane, and for a layer of the Track.
    static let laneName = LaneName(part: LaneName.lanePart, worker: 0, index: lane.index, generation: 1)
    static func laneTrackName(_ layer: UInt8) -> LaneName {
        LaneName(part: layer, worker: 0, index: laneTrack, generation: 1)
    }

    func openLane() {
        var frame = [UInt8](repeating: 0, count: ARPPacket.frameLength)
        frame.withUnsafeMutableBytes {
            ARPPacket(
                operation: .request, senderMAC: Ground.farEnd.mac, senderAddress: Ground.farEnd.endpoint.address,
                targetMAC: .zero, targetAddress: Ground.address
            ).write(to: $0.baseAddress!)
        }
        deliver(frame: frame)
        turn()
        let remote = Ground.farEnd.endpoint
        command([
            .openTrunk(remote),
            .openLane(
                OpenLane(
                    lane: Self.lane, peer: Self.farLane, remote: remote,
                    receive: LaneKey(master: Ground.farEnd.toWorker, phase: 0),
                    send: LaneKey(master: Ground.farEnd.toPeer, phase: 0))),
            .openTrack(
                OpenTrack(
                    track: Self.track(Self.laneTrack), source: .lane(Self.lane), mid: ShortText(), kind: .video,
                    codec: codec, payloadTypes: PayloadTypes(), layers: .init(repeating: LayerDescription()),
                    layerCount: 3)),
            .openCrossing(
                OpenCrossing(
                    crossing: Self.crossing, track: Self.track(0), lane: Self.lane, name: Self.farTrack)),
        ])
        turn()
    }

    /// The index that the worker will take for a packet of the Lane's Track.
    func laneIndex(_ layer: Int, sequence: UInt16) -> UInt64 {
        worker.pointee.cascade.rollover(track: Self.laneTrack, layer: layer).pointee.estimate(sequence: sequence)
    }

    /// The lists of Lanes, Tracks and Crossings name each other. How many Tracks come over Lanes.
    func checkLanes() -> Int {
        var (tracks, crossings) = (0, 0)
        for place in 0..<worker.pointee.cascade.lanes.capacity
        where !worker.pointee.cascade.lanes.handle(at: place).isNone {
            let lane = worker.pointee.cascade.lanes.element(at: place)
            var index = lane.pointee.firstTrack
            while index != Link.none {
                let track = worker.pointee.tracks.element(at: Int(index))
                require(track.pointee.source == .lane(lane.pointee.handle))
                tracks += 1
                require(tracks <= worker.pointee.tracks.capacity, "a Lane's Tracks are a ring")
                index = track.pointee.nextOfSession
            }
            index = lane.pointee.firstCrossing
            while index != Link.none {
                let crossing = worker.pointee.cascade.crossings.element(at: Int(index))
                require(crossing.pointee.lane == lane.pointee.handle)
                require(worker.pointee.tracks.find(crossing.pointee.track) != nil)
                crossings += 1
                require(crossings <= worker.pointee.cascade.crossings.capacity, "a Lane's Crossings are a ring")
                index = crossing.pointee.nextOfLane
            }
        }
        require(crossings == worker.pointee.cascade.crossings.count)
        return tracks
    }
}
