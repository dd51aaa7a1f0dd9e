import Mailbox
import Wire

/// A peer whose NAT gave it another address goes on without loss: its next authentic media packet moves the Session,
/// seconds before its next ICE check would.
extension Worker where Queue: ~Copyable {
    private func sourceKey(_ ssrc: UInt32) -> FlowKey {
        // Unspecified addresses are nobody's, so SSRCs cannot meet endpoints in the key's form.
        FlowKey(remote: Endpoint(address: IPAddress(high: 0, low: UInt64(ssrc)), port: 0), localPort: 0)
    }

    /// The Session that an SSRC from an unknown address may belong to; its key will tell.
    func strayOwner(_ datagram: DatagramFrame) -> UInt64? {
        guard let header = RTPPacket(encrypted: datagram.payload) else { return nil }
        return sources.find(sourceKey(header.ssrc))
    }

    /// Notes the owner of an SSRC. The first Session keeps it: a second one with the same SSRC cannot be told apart.
    mutating func noteSource(_ ssrc: UInt32, of session: SessionHandle) {
        if sources.find(sourceKey(ssrc)) == nil { _ = sources.insert(sourceKey(ssrc), session.raw) }
    }

    mutating func forgetSource(_ ssrc: UInt32, of session: SessionHandle) {
        if sources.find(sourceKey(ssrc)) == session.raw { _ = sources.remove(sourceKey(ssrc)) }
    }

    /// Forgets an SSRC of a Session, here and on the other workers.
    mutating func closeStream(at index: Int, of session: UnsafeMutablePointer<Session>) {
        let ssrc = session.pointee.streams[index].ssrc
        forgetSource(ssrc, of: session.pointee.handle)
        counters.drop(.handoverFull, UInt64(siblings.tellAll(.sourceClosed(ssrc, session.pointee.handle))))
        session.pointee.streams.remove(at: index)
    }

    /// Forgets the SSRCs of a Track.
    mutating func closeStreams(of track: UInt32, session: UnsafeMutablePointer<Session>) {
        var index = 0
        while index < session.pointee.streams.count {
            if session.pointee.streams[index].track == track {
                closeStream(at: index, of: session)
            } else {
                index &+= 1
            }
        }
    }

    /// An authentic packet, newer than all before it, came from a new address: that is where the peer is now. An
    /// old one that somebody repeats from elsewhere fails the replay check before this.
    mutating func follow(_ datagram: DatagramFrame, session: UnsafeMutablePointer<Session>, now: UInt64) {
        let isOurs = flows.find(flowKey(datagram.source)) == session.pointee.handle.raw
        guard isOurs || openFlow(datagram.source, session: session) else { return counters.drop(.flowTableFull) }
        renewPictures(for: session, now: now)
        session.pointee.heardAt = now
        direct(
            session, to: datagram.source,
            FrameTemplate(
                source: datagram.destination, destination: datagram.source, sourceMAC: neighbors.mac,
                destinationMAC: datagram.sourceMAC))
        tell(.sessionMoved(session.pointee.handle, remote: datagram.source))
    }

    /// The peer goes on elsewhere. What was sent while nothing came from its former address may be lost, and a decoder waits for
    /// it before it asks for a keyframe: 3 s in libwebrtc.
    mutating func renewPictures(for session: UnsafeMutablePointer<Session>, now: UInt64) {
        guard now &- session.pointee.heardAt > Session.lossySilence else { return }
        var index = session.pointee.firstSlot
        while index != Link.none {
            let slot = slots.element(at: Int(index))
            if let layer = slot.pointee.current, let track = tracks.find(slot.pointee.track),
                track.pointee.keyframes.allowsRepetition(now: now)
            {
                requestKeyframe(slot.pointee.track, layer: Int(layer), now: now)
            }
            index = slot.pointee.nextOfSession
        }
    }
}
