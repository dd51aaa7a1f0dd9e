import Mailbox
import Testing
import Wire

@testable import Dataplane

/// A publisher of VP8 in layers of real bitrates with three temporal ones each, as browsers encode: 40, 20 and 40% of a layer.
final class LayeredCamera {
    /// A frame's place in the stream.
    struct Step {
        var temporalID: UInt8
        /// RFC 7741 section 4.2.
        var isSync: Bool
        /// The distances of the frames that it refers to.
        var references: [Int]
        /// Of L1T3's structure (AV1's RTP payload format, appendix A.10).
        var template: UInt8
    }

    static let framesPerSecond = 30
    /// libwebrtc's, where VP8's own descriptor tells of the layers.
    static let pattern = [
        Step(temporalID: 0, isSync: false, references: [4], template: 1),
        Step(temporalID: 2, isSync: true, references: [1], template: 3),
        Step(temporalID: 1, isSync: true, references: [2], template: 2),
        Step(temporalID: 2, isSync: false, references: [3, 1], template: 4),
        Step(temporalID: 0, isSync: false, references: [4], template: 1),
        Step(temporalID: 2, isSync: false, references: [1, 3], template: 3),
        Step(temporalID: 1, isSync: false, references: [2, 4], template: 2),
        Step(temporalID: 2, isSync: false, references: [3, 1], template: 4),
    ]
    /// L1T3, as its structure has it: no frame of an upper layer refers to one from before the latest frame of the lowest.
    static let describedPattern = [
        Step(temporalID: 0, isSync: false, references: [4], template: 1),
        Step(temporalID: 2, isSync: false, references: [1], template: 3),
        Step(temporalID: 1, isSync: false, references: [2], template: 2),
        Step(temporalID: 2, isSync: false, references: [1], template: 4),
    ]

    let peer: Peer
    let track: TrackHandle
    let ssrcs: [UInt32]
    let describes: Bool
    private let kind: MediaKind
    /// Of each layer, Mbit/s.
    private let megabits: [Double]
    private var next: [UInt64]
    /// Frames since the last keyframe of each layer.
    private var places: [Int]
    private var numbers: [UInt16]
    private var picture: UInt16 = 0x7f80
    private var temporal: [UInt8]
    private var timestamp: UInt32 = 0xffff_0000
    private var due: UInt64 = 0
    private var random: RandomSource

    /// With a dependency descriptor VP8's own fields are left out.
    init(_ world: World, index: UInt32, megabits: [Double], describes: Bool, kind: MediaKind = .video) {
        let layers = megabits.count
        self.megabits = megabits
        var ids = Peer.numberedExtensions
        ids.dependencyDescriptor = 12
        peer = Peer(world, index: index, extensions: ids)
        self.describes = describes
        self.kind = kind
        random = RandomSource(seed: UInt64(index))
        track = TrackHandle(worker: 0, index: index, generation: world.nextGeneration())
        let base = 10_000 + index * 100
        ssrcs = (0..<layers).map { base + UInt32($0) }
        next = (0..<layers).map { UInt64(65_000 + $0 * 7) }
        places = (0..<layers).map { _ in -1 }
        numbers = (0..<layers).map { UInt16(65_500 + $0) }
        temporal = (0..<layers).map { UInt8(200 + $0) }
        var descriptions = InlineArray<3, LayerDescription>(repeating: LayerDescription())
        for layer in 0..<layers {
            descriptions[layer] = LayerDescription(ssrc: ssrcs[layer], rtxSsrc: ssrcs[layer] + 50)
            peer.retransmission[ssrcs[layer]] = (ssrcs[layer] + 50, Camera.rtxType)
        }
        world.command(
            0,
            .openTrack(
                OpenTrack(
                    track: track, source: .session(peer.session), mid: ShortText("v\(index)")!, kind: kind,
                    codec: .vp8, payloadTypes: PayloadTypes(media: Camera.payloadType, rtx: Camera.rtxType),
                    layers: descriptions, layerCount: UInt8(layers))))
    }

    private var pattern: [Step] { describes ? Self.describedPattern : Self.pattern }

    func turn(_ now: UInt64) {
        guard now >= due else { return }
        due = now + 1_000_000_000 / UInt64(Self.framesPerSecond)
        let asked = Set(peer.keyframeRequests)
        peer.keyframeRequests = []
        picture = (picture + 1) & 0x7fff
        timestamp &+= 3_000
        for layer in ssrcs.indices {
            let isKeyframe = places[layer] < 0 || asked.contains(ssrcs[layer])
            places[layer] = isKeyframe ? 0 : places[layer] + 1
            send(layer, isKeyframe: isKeyframe)
        }
    }

    private func send(_ layer: Int, isKeyframe: Bool) {
        var step = pattern[places[layer] % pattern.count]
        if isKeyframe { (step.references, step.template) = ([], 0) }
        // Of 30 frames a second 7.5, 7.5 and 15 are of the three.
        let share = [1.6, 0.8, 0.8][Int(step.temporalID)]
        let spread = 0.8 + 0.4 * Double(random.next() >> 11) * 0x1p-53
        let mean = megabits[layer] * 1e6 / 8 / Double(Self.framesPerSecond)
        var bytes = Int(mean * share * spread * (isKeyframe ? 4 : 1))
        numbers[layer] &+= 1
        if step.temporalID == 0 { temporal[layer] &+= 1 }
        var isFirst = true
        while bytes > 0 {
            let count = min(bytes, 1_100)
            bytes -= count
            var payload = header(layer, step, isKeyframe: isKeyframe, isFirst: isFirst)
            let content = LayeredContent(
                layer: UInt8(layer), place: UInt32(places[layer]), timestamp: timestamp,
                references: step.references.map { UInt8($0) })
            payload += [UInt8](repeating: 0xaa, count: max(count - payload.count - LayeredContent.length, 0))
            payload += content.bytes
            peer.sendRTP(
                ssrc: ssrcs[layer], payloadType: Camera.payloadType, index: next[layer], timestamp: timestamp,
                marker: bytes == 0, payload: payload,
                descriptor: describes
                    ? descriptor(layer, step, isKeyframe: isKeyframe, isFirst: isFirst, isLast: bytes == 0) : nil)
            next[layer] += 1
            isFirst = false
        }
    }

    private func header(_ layer: Int, _ step: Step, isKeyframe: Bool, isFirst: Bool) -> [UInt8] {
        let start: UInt8 = isFirst ? 0x10 : 0
        var header: [UInt8] = [start]
        if !describes {
            header = [
                0x80 | start, 0xe0, 0x80 | UInt8(picture >> 8), UInt8(picture & 0xff), temporal[layer],
                step.temporalID << 6 | (step.isSync && !isKeyframe ? 0x20 : 0),
            ]
        }
        guard isFirst else { return header }
        let height = Camera.heights[3 - ssrcs.count + layer]
        return header
            + [isKeyframe ? 0 : 1, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, UInt8(height & 0xff), UInt8(height >> 8)]
    }

    private func descriptor(_ layer: Int, _ step: Step, isKeyframe: Bool, isFirst: Bool, isLast: Bool) -> [UInt8] {
        let flags: UInt8 = (isFirst ? 0x80 : 0) | (isLast ? 0x40 : 0)
        let mandatory = [flags | step.template, UInt8(numbers[layer] >> 8), UInt8(numbers[layer] & 0xff)]
        guard isKeyframe && isFirst else { return mandatory }
        return mandatory + [
            0x80, 0x02, 0x14, 0xea, 0xa8, 0x60, 0x41, 0x4d, 0x14, 0x10, 0x20, 0x84, 0x27, 0x04, 0xff, 0x02, 0xcf,
        ]
    }
}

/// What the packets of a `LayeredCamera` end with.
struct LayeredContent {
    static let length = 12

    var layer: UInt8
    /// Frames since the keyframe.
    var place: UInt32
    /// The publisher's, as a name of the frame.
    var timestamp: UInt32
    /// Distances.
    var references: [UInt8]

    var bytes: [UInt8] {
        [layer]
            + withUnsafeBytes(of: place.bigEndian) { Array($0) }
            + withUnsafeBytes(of: timestamp.bigEndian) { Array($0) }
            + [UInt8(references.count)] + references + [UInt8](repeating: 0, count: 2 - references.count)
    }

    init(layer: UInt8, place: UInt32, timestamp: UInt32, references: [UInt8]) {
        (self.layer, self.place, self.timestamp, self.references) = (layer, place, timestamp, references)
    }

    init?(_ payload: [UInt8]) {
        guard payload.count >= Self.length else { return nil }
        let end = Array(payload.suffix(Self.length))
        let words = end[1..<9].reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        layer = end[0]
        place = UInt32(truncatingIfNeeded: words >> 32)
        timestamp = UInt32(truncatingIfNeeded: words)
        references = Array(end[10..<(10 + min(Int(end[9]), 2))])
    }
}
