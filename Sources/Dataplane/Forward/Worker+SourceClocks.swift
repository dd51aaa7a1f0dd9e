import Mailbox
import Wire

/// The publishers' clocks, from their sender reports to ours.
///
/// Receivers synchronise streams of one CNAME (RFC 3550 section 6.4.1; libwebrtc those of one MediaStream id of
/// `a=msid`) by comparing NTP times. Ours have one CNAME and one clock, the server's: whatever Slots show two sources of
/// one participant, sound and picture that were taken at the same moment have the same NTP time.
extension Worker where Queue: ~Copyable {
    /// A packet tells when its content was captured: the first pictures and sounds fit before there are sender reports, which
    /// tell more about the clock.
    @inline(never)
    func noteCaptureTime(
        of packet: Mbuf, track: UnsafeMutablePointer<Track>, session: UnsafeMutablePointer<Session>, now: UInt64
    ) {
        let record = UnsafePointer(packet.record)
        let field = UnsafeRawPointer(packet.data) + Int(record.pointee.captureTimeOffset)
        guard record.pointee.captureTimeLength >= 8 else { return }
        // 64-bit NTP by the publisher's clock. The second field, where it is: how far the clock of who captured is behind it.
        let ntp = field.be64(0) &+ (record.pointee.captureTimeLength >= 16 ? field.be64(8) : 0)
        let moment =
            session.pointee.clock.moment(ofNTP: ntp) ?? session.pointee.clock.note(ntp: ntp, arrival: now)
        let timestamp = record.pointee.timestamp
        let clock = SourceClock(timestamp: timestamp, moment: moment)
        guard clock.agrees(timestamp: timestamp, arrival: now, clockRate: track.pointee.codec.clockRate) else { return }
        track.pointee.layers[Int(record.pointee.layer)].clock = clock
        tellClocks(of: track)
    }

    /// A sender report tells a clock: it is taken if it fits the latest packet.
    func noteClock(_ clock: SourceClock, of track: UnsafeMutablePointer<Track>, layer: Int) {
        let latest = track.pointee.layers[layer].activity
        guard latest.lastPacket != 0,
            clock.agrees(
                timestamp: latest.timestamp, arrival: latest.lastPacket, clockRate: track.pointee.codec.clockRate)
        else { return }
        track.pointee.layers[layer].clock = clock
        tellClocks(of: track)
    }

    /// Tells the siblings that have replicas.
    func tellClocks(of track: UnsafeMutablePointer<Track>) {
        guard track.pointee.sinks.siblings.count > 0 else { return }
        for worker in 0..<siblings.count {
            let replica = track.pointee.sinks.siblings.replica(worker)
            guard !replica.isNone else { continue }
            for layer in 0..<track.pointee.layerCount {
                guard let clock = track.pointee.layers[layer].clock else { continue }
                let message = Handover.sourceClock(replica, layer: UInt8(truncatingIfNeeded: layer), clock)
                if !siblings.hand(message, to: worker) { counters.drop(.handoverFull) }
            }
        }
    }

    /// The worker of a replica's source tells its clock.
    func noteClock(_ clock: SourceClock, replica: TrackHandle, layer: UInt8) {
        guard let track = tracks.find(replica), track.pointee.isReplica, layer < track.pointee.layerCount else {
            return
        }
        track.pointee.layers[Int(layer)].clock = clock
    }

    /// The timestamp of a Slot's stream at `now`; nil while it has sent nothing of its Track.
    func reportedTimestamp(
        of slot: UnsafeMutablePointer<Slot>, _ track: UnsafeMutablePointer<Track>, now: UInt64
    ) -> UInt32? {
        let present = slot.pointee.rewriter.present
        let layer = Int(present.layer)
        guard slot.pointee.rewriter.hasSent, present.track == track.pointee.handle.raw,
            layer < track.pointee.layerCount
        else { return nil }
        let clockRate = track.pointee.codec.clockRate
        guard let clock = track.pointee.layers[layer].clock else {
            return slot.pointee.rewriter.timestamp(at: now, clockRate: clockRate)
        }
        return slot.pointee.rewriter.timestamp(at: now, clockRate: clockRate, clock: clock)
    }
}
