import Mailbox
import Wire

/// One published source, or the replica of one that lives on another worker.
struct Track: BitwiseCopyable {
    /// Layers of a Track.
    static let maximumLayers = 3
    /// Of `firstGathered`.
    static let nothingGathered: UInt8 = 0xff

    let handle: TrackHandle
    let source: TrackSource
    let mid: ShortText
    let kind: MediaKind
    let codec: Codec
    let payloadTypes: PayloadTypes
    let feedback: PublisherFeedback
    let layerCount: Int
    /// In the order of the offer; their heights tell which is the best.
    var layers: InlineArray<3, Layer>
    /// The smallest of the layers that are sent.
    var lowestLayer: UInt8 = 0
    var loudness = Loudness()
    var keyframes = KeyframeThrottle()
    /// Of the last full intra request, which each one counts up (RFC 5104 section 4.3.1.1).
    var intraRequest: UInt8 = 0
    var sinks: Sinks
    /// Its packets that wait in the worker's `FanOut`: the places of the first and the last.
    var firstGathered = Track.nothingGathered
    var lastGathered = Track.nothingGathered
    /// Their layers, by bits.
    var gatheredLayers: UInt8 = 0
    /// What its Slots' layers were chosen by (`choices`), and when they are chosen anew in any case, ns.
    var chosenBy: UInt64 = 0
    var choiceDue: UInt64 = 0
    /// The `choices` that sibling workers were told last.
    var choicesTold: UInt64 = 0
    /// Some receiver is sent each sound with those before it: they are kept until then, ns.
    var repeatedUntil: UInt64 = 0
    /// The next Track of the same Session.
    var nextOfSession = Link.none
    /// Of a replica with several Layers: those that the source is sent at present, as its worker said; nil before that.
    private(set) var announced: LayerSet?

    init(_ open: OpenTrack, caches: UnsafeMutablePointer<RetransmissionCache.Entry>) {
        handle = open.track
        source = open.source
        mid = open.mid
        kind = open.kind
        codec = open.codec
        payloadTypes = open.payloadTypes
        feedback = open.feedback
        layerCount = min(max(Int(open.layerCount), 1), Self.maximumLayers)
        let count = layerCount
        sinks = Sinks(shared: open.source.origin == nil ? LayerSet() : .below(count))
        layers = InlineArray { index in
            Layer(
                description: open.layers[index],
                height: open.nominalHeight >> UInt16(max(count - 1 - index, 0)),
                cache: RetransmissionCache(entries: caches + index * RetransmissionCache.depth))
        }
    }

    /// Another worker has its publisher.
    var isReplica: Bool { source.origin != nil }

    /// All that it has.
    var allLayers: LayerSet { .below(layerCount) }

    /// The layers that are sent at present. A source that is still as a whole (a screen) has the layers that it had last.
    /// A replica gets those alone that somebody wants, so its source's worker says which there are.
    var sentLayers: LayerSet {
        if let announced { return announced }
        let latest = latestArrival
        var sent = LayerSet()
        for index in 0..<layerCount
        where layers[index].isStarted && !layers[index].activity.isSilent(latest: latest) {
            sent = sent.union(LayerSet(UInt8(truncatingIfNeeded: index)))
        }
        return sent
    }

    /// The layers that are sent, and those that may be as soon as somebody wants them.
    func availableLayers(now: UInt64) -> LayerSet {
        var available = sentLayers
        for index in 0..<layerCount {
            let since = layers[index].wantedSince
            guard since == 0 || now &- since < CongestionConstants.layerPatience else { continue }
            available = available.union(LayerSet(UInt8(truncatingIfNeeded: index)))
        }
        return available
    }

    /// When the latest packet of any layer's pictures came, ns.
    var latestArrival: UInt64 {
        var latest: UInt64 = 0
        for index in 0..<layerCount where layers[index].isStarted {
            latest = max(latest, layers[index].activity.lastPacket)
        }
        return latest
    }

    /// The layer for a tile of `maxHeight` pixels: the highest of `candidates` that fits, else the lowest of them; nil
    /// when there are none.
    func layer(fitting maxHeight: UInt16, among candidates: LayerSet) -> Int? {
        var best: Int?
        for index in 0..<layerCount where candidates.contains(UInt8(truncatingIfNeeded: index)) {
            guard let present = best else {
                best = index
                continue
            }
            let (old, new) = (layers[present].height, layers[index].height)
            let isBetter = new <= maxHeight ? new >= old || old > maxHeight : new < old
            if isBetter { best = index }
        }
        return best
    }

    /// Which layers are sent and how high they are: while it stays the same, so does what every Slot should show.
    var choices: UInt64 {
        let sent = sentLayers
        var choices: UInt64 = 0
        for index in 0..<layerCount where sent.contains(UInt8(truncatingIfNeeded: index)) {
            choices |= (UInt64(layers[index].height) << 1 | 1) << UInt64(17 * index)
        }
        return choices
    }

    /// A packet of a layer came that was not sent before, as far as is known.
    mutating func noteSent(_ layer: Int) {
        if let announced { self.announced = announced.union(LayerSet(UInt8(truncatingIfNeeded: layer))) }
    }

    /// A replica takes over what its source's worker says of its layers: that one's `choices`.
    mutating func take(choices: UInt64) {
        // The only layer of a Track can be told by its packets, and a microphone is not spoken of again.
        guard layerCount > 1 else { return }
        var sent = LayerSet()
        for index in 0..<layerCount where choices >> UInt64(17 * index) & 1 != 0 {
            sent = sent.union(LayerSet(UInt8(truncatingIfNeeded: index)))
        }
        announced = sent
        for index in 0..<layerCount where sent.contains(UInt8(truncatingIfNeeded: index)) {
            note(height: UInt16(truncatingIfNeeded: choices >> UInt64(17 * index + 1)), of: index)
        }
    }

    /// A layer's pictures are so high. Encoders that lack time or bandwidth shrink the camera as a whole: by as much as the
    /// highest layer that is sent do those change that are not, and whose keyframes do not tell.
    mutating func note(height: UInt16, of layer: Int) {
        let before = UInt32(layers[layer].height)
        layers[layer].height = height
        guard height != before, before > 0 else { return }
        let sent = sentLayers
        guard sent.bits >> UInt8(truncatingIfNeeded: layer) == 1 else { return }
        for other in 0..<layerCount where !sent.contains(UInt8(truncatingIfNeeded: other)) {
            // Rounded down, so that it goes on fitting the tiles that it did.
            let scaled = UInt32(layers[other].height) &* UInt32(height) / before
            layers[other].height = UInt16(truncatingIfNeeded: min(scaled, UInt32(UInt16.max)))
        }
    }
}

extension UnsafeMutablePointer<Track> {
    /// Whether a layer is sent, so that a keyframe of it can be awaited. Of the pointer, as a method of the Track would copy
    /// its layers for each packet.
    @inline(__always)
    func isActive(_ layer: Int) -> Bool {
        if let announced = pointee.announced { return announced.contains(UInt8(truncatingIfNeeded: layer)) }
        guard pointee.layers[layer].isStarted else { return false }
        if pointee.layers[layer].activity.overtaken < LayerActivity.silentPictures { return true }
        return pointee.sentLayers.contains(UInt8(truncatingIfNeeded: layer))
    }

    /// Whether a packet that is not kept is one that did not come so far, and may.
    func mayStillCome(_ sequence: UInt64, layer: Int) -> Bool {
        if pointee.layers[layer].cache.hasSeen(sequence) { return false }
        // The worker of a replica's source has the list.
        return pointee.isReplica || pointee.layers[layer].missing.contains(sequence)
    }

    /// A packet of a layer's picture came. Whether the whole Track was still before it.
    @inline(__always)
    func notePicture(_ layer: Int, timestamp: UInt32, now: UInt64) -> Bool {
        let before = pointee.layers[layer].activity
        guard pointee.layers[layer].activity.note(timestamp: timestamp, now: now) else { return false }
        for other in 0..<pointee.layerCount where other != layer { pointee.layers[other].activity.noteOther() }
        guard before.lastPacket != 0, now &- before.lastPacket > before.silence else { return false }
        for other in 0..<pointee.layerCount where other != layer {
            let latest = pointee.layers[other].activity.lastPacket
            if latest != 0, now &- latest <= before.silence { return false }
        }
        return true
    }
}
