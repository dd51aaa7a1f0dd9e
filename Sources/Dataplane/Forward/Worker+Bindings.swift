import Mailbox
import Wire

/// Which Track and Layer an SSRC belongs to that was not seen before (RFC 9143 section 9.2, RFC 8852).
extension Worker where Queue: ~Copyable {
    /// Finds it out and opens a stream for it: its place; nil when it is of no Track, or nothing but padding came of it, which
    /// tells too little.
    mutating func bind(_ rtp: RTPPacket, of session: UnsafeMutablePointer<Session>, now: UInt64) -> Int? {
        guard let found = owner(of: rtp, session) else { return nil }
        let track = tracks.element(at: Int(found.track))
        if !found.binding.isRetransmission {
            guard rtp.payloadLength > 0,
                restart(track, layer: found.binding.layer, ssrc: rtp.ssrc, of: session, now: now)
            else { return nil }
        }
        if let victim = session.pointee.streams.victim { closeStream(at: victim, of: session) }
        noteSource(rtp.ssrc, of: session.pointee.handle)
        slabs.sessionsDue[session.pointee.handle.index] = now
        counters.drop(.handoverFull, UInt64(siblings.tellAll(.sourceOpened(rtp.ssrc, session.pointee.handle))))
        return session.pointee.streams.insert(
            ReceiveStream(
                ssrc: rtp.ssrc, track: found.track, layer: UInt8(truncatingIfNeeded: found.binding.layer),
                isRetransmission: found.binding.isRetransmission, lastArrival: now))
    }

    /// By the MID; without one by the SSRCs of the offer, which are but a hint beside it; else by a payload type (and stream
    /// id) that only one Track has.
    private func owner(
        of rtp: RTPPacket, _ session: UnsafeMutablePointer<Session>
    ) -> (track: UInt32, binding: StreamBinding)? {
        let ids = session.pointee.extensions
        let names = StreamBinding.Names(
            mid: rtp.element(ids.mid), rid: rtp.element(ids.rid), repairedRid: rtp.element(ids.repairedRid))
        var found: (UInt32, StreamBinding)?
        var isUnique = true
        var index = session.pointee.firstTrack
        while index != Link.none {
            let track = tracks.element(at: Int(index))
            if let binding = track.pointee.binding(of: rtp, names) {
                if binding.isCertain { return (index, binding) }
                isUnique = found == nil
                found = (index, binding)
            }
            index = track.pointee.nextOfSession
        }
        return isUnique ? found : nil
    }

    /// A layer has a new SSRC: its numbers start anew, and what showed it waits for a keyframe. False when it had
    /// another just before: a publisher's churn must not keep the worker busy.
    private mutating func restart(
        _ track: UnsafeMutablePointer<Track>, layer: Int, ssrc: UInt32, of session: UnsafeMutablePointer<Session>,
        now: UInt64
    ) -> Bool {
        let old = track.pointee.layers[layer].ssrc
        guard old == 0 || now &- track.pointee.layers[layer].boundAt >= Layer.bindingInterval else { return false }
        track.pointee.layers[layer].ssrc = ssrc
        track.pointee.layers[layer].boundAt = now
        guard old != 0 else { return true }
        if let stream = session.pointee.streams.find(old) { closeStream(at: stream, of: session) }
        flush()
        emptyCache(track, layer: layer)
        track.pointee.layers[layer].sequenceBase = (track.pointee.layers[layer].highest >> 48 &+ 1) << 48
        track.pointee.layers[layer].isStarted = false
        track.pointee.layers[layer].activity = LayerActivity()
        track.pointee.layers[layer].clock = nil
        track.pointee.layers[layer].missing.clear()
        track.pointee.layers[layer].reception = ReceptionReport()
        awaitKeyframe(track, layer: layer)
        return true
    }

    /// What shows a layer waits for its next keyframe.
    mutating func awaitKeyframe(_ track: UnsafeMutablePointer<Track>, layer: Int) {
        // Not what came before.
        distribute()
        track.pointee.choiceDue = 0
        var index = track.pointee.sinks.firstSlot
        while index != Link.none {
            let slot = slots.element(at: Int(index))
            if slot.pointee.current == UInt8(layer) { slot.pointee.current = nil }
            index = slot.pointee.next
        }
    }
}
