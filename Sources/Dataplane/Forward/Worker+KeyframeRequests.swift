import Mailbox
import Wire

/// Keyframe requests: those of all Sinks of a Track are merged, throttled, and sent to the publisher or its worker.
extension Worker where Queue: ~Copyable {
    /// Somebody needs a keyframe of a layer: asks at once if the last request is long enough ago, else later. `isOwn`: no
    /// viewer asked, the worker itself found that one is needed.
    mutating func requestKeyframe(_ handle: TrackHandle, layer: Int, isOwn: Bool = false, now: UInt64) {
        guard let track = tracks.find(handle), layer < track.pointee.layerCount, track.pointee.kind.isVideo else {
            return
        }
        needKeyframe(of: track, layer: layer, isOwn: isOwn, now: now)
        askForKeyframes(track, now: now)
    }

    /// Likewise for the next `askForKeyframes`.
    mutating func needKeyframe(of track: UnsafeMutablePointer<Track>, layer: Int, isOwn: Bool, now: UInt64) {
        guard track.pointee.kind.isVideo, !track.pointee.layers[layer].needsKeyframe else { return }
        guard !isOwn || track.pointee.keyframes.takeOwn(now: now) else { return }
        track.pointee.layers[layer].needsKeyframe = true
    }

    /// Asks for the keyframes that are needed if the time has come.
    mutating func askForKeyframes(_ track: UnsafeMutablePointer<Track>, now: UInt64) {
        var needed = LayerSet()
        for layer in 0..<track.pointee.layerCount where track.pointee.layers[layer].needsKeyframe {
            needed = needed.union(LayerSet(UInt8(truncatingIfNeeded: layer)))
        }
        guard !needed.isEmpty, track.pointee.keyframes.isDue(now: now) else { return }
        switch track.pointee.source {
        case .sibling(let origin):
            for layer in 0..<UInt8(truncatingIfNeeded: track.pointee.layerCount) where needed.contains(layer) {
                guard siblings.hand(.keyframe(origin, layer: layer), to: origin.worker) else {
                    return counters.drop(.handoverFull)
                }
            }
        case .lane(let handle):
            guard let lane = cascade.lanes.find(handle), sendKeyframeRequests(lane, needed, of: track) else { return }
        case .session(let handle):
            guard let session = sessions.find(handle), sendKeyframeRequests(session, needed, of: track) else { return }
        }
        track.pointee.keyframes.noteRequest(now: now)
    }

    /// Whether a keyframe of the layer may still come. libwebrtc answers a request for a layer that it does not send with
    /// keyframes on all the others.
    func mayHopeForKeyframe(of track: UnsafeMutablePointer<Track>, layer: Int, now: UInt64) -> Bool {
        if track.pointee.layerCount > 1 && !track.isActive(layer) { return false }
        // Nothing comes at all: a camera that was turned off, or a screen whose encoder does not repeat a still picture.
        let isStill = now &- track.pointee.latestArrival > track.pointee.layers[layer].activity.silence
        return !isStill || track.pointee.keyframes.unanswered < KeyframeThrottle.vainRequests
    }
}
