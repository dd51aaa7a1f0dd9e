import Mailbox
import Wire

/// Keyframe requests: those of all Sinks of a Layer are merged, throttled, and sent to the publisher or its worker.
extension Worker where Queue: ~Copyable {
    /// Somebody needs a keyframe of a layer: asks at once if the last request is long enough ago, else later.
    mutating func requestKeyframe(_ handle: TrackHandle, layer: Int, now: UInt64) {
        guard let track = tracks.find(handle), layer < track.pointee.layerCount, track.pointee.kind.isVideo else {
            return
        }
        track.pointee.layers[layer].needsKeyframe = true
        askForKeyframe(track, layer: layer, now: now)
    }

    /// Asks if a keyframe is needed and the time has come.
    mutating func askForKeyframe(_ track: UnsafeMutablePointer<Track>, layer: Int, now: UInt64) {
        let asked = track.pointee.layers[layer].keyframeRequestedAt
        guard track.pointee.layers[layer].needsKeyframe, asked == 0 || now &- asked >= Layer.keyframeInterval else {
            return
        }
        switch track.pointee.source {
        case .sibling(let origin):
            guard siblings.hand(.keyframe(origin, layer: UInt8(layer)), to: origin.worker) else {
                return counters.drop(.handoverFull)
            }
        case .session(let session):
            guard track.pointee.layers[layer].ssrc != 0, let session = sessions.find(session) else {
                return
            }
            sendPictureLoss(session, ssrc: track.pointee.layers[layer].ssrc)
        }
        track.pointee.layers[layer].keyframeRequestedAt = max(now, 1)
    }
}
