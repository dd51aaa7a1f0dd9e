import Mailbox
import Wire

/// Opening, closing and feeding Taps.
extension Worker where Queue: ~Copyable {
    mutating func openTap(_ open: OpenTap, now: UInt64) {
        guard let track = tracks.find(open.track), Int(open.reader) < tapOutlets.count else {
            return counters.drop(.staleHandle)
        }
        let layers = open.layers.intersection(track.pointee.allLayers)
        var tap = Tap(handle: open.tap, track: open.track, layers: layers, reader: Int(open.reader))
        tap.next = track.pointee.sinks.firstTap
        guard taps.insert(open.tap, tap) else { return counters.drop(.tableFull) }
        track.pointee.sinks.firstTap = UInt32(open.tap.index)
        noteTapped(track)
        want(layers, of: track, now: now)
        for layer in 0..<track.pointee.layerCount where layers.contains(UInt8(layer)) {
            requestKeyframe(open.track, layer: layer, now: now)
        }
    }

    /// What its reader holds stays readable until it is given back.
    mutating func closeTap(_ handle: TapHandle) {
        guard let tap = taps.find(handle) else { return counters.drop(.staleHandle) }
        if let track = tracks.find(tap.pointee.track) {
            unlink(tap, from: track)
            noteTapped(track)
        }
        _ = taps.remove(handle)
        tell(.tapClosed(handle))
    }

    private func unlink(_ tap: UnsafeMutablePointer<Tap>, from track: UnsafeMutablePointer<Track>) {
        let index = UInt32(tap.pointee.handle.index)
        guard track.pointee.sinks.firstTap != index else {
            track.pointee.sinks.firstTap = tap.pointee.next
            return
        }
        var previous = track.pointee.sinks.firstTap
        while previous != Link.none {
            let candidate = taps.element(at: Int(previous))
            if candidate.pointee.next == index {
                candidate.pointee.next = tap.pointee.next
                return
            }
            previous = candidate.pointee.next
        }
    }

    /// The Track's Taps changed.
    private mutating func noteTapped(_ track: UnsafeMutablePointer<Track>) {
        var layers = LayerSet()
        var index = track.pointee.sinks.firstTap
        while index != Link.none {
            let tap = taps.element(at: Int(index))
            layers = layers.union(tap.pointee.layers)
            index = tap.pointee.next
        }
        // What a Tap has must not be patched, though it gets nothing more.
        distribute()
        track.pointee.sinks.setTapped(layers)
    }

    /// Gives each Tap that wants the packet's layer a reference.
    mutating func feedTaps(_ packet: Mbuf, of track: UnsafeMutablePointer<Track>) {
        let record = UnsafePointer(packet.record)
        var index = track.pointee.sinks.firstTap
        while index != Link.none {
            let tap = taps.element(at: Int(index))
            if tap.pointee.layers.contains(record.pointee.layer), !tapOutlets.hand(packet, record, to: tap) {
                counters.drop(.tapFull)
            }
            index = tap.pointee.next
        }
    }
}
