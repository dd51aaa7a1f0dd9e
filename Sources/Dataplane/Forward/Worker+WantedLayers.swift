import Mailbox
import Wire

/// Which Layers anybody wants: told upstream, so that nothing crosses between workers and nothing is encoded that nobody
/// sees. Upstream of a replica is the worker of its source, that of a publisher's Track is control.
extension Worker where Queue: ~Copyable {
    /// Between two looks at what nobody wants any more of a publisher's Track, ns. So control hears of a Track at most
    /// `Track.maximumLayers` + 1 times in so long. Workers and other PoPs hear of it within `choiceIntervalOfCopies`.
    static var wantedInterval: UInt64 { 1_000_000_000 }

    /// A Sink wants these: upstream hears of what nobody wanted before at once.
    @inline(__always)
    mutating func want(_ layers: LayerSet, of track: UnsafeMutablePointer<Track>, now: UInt64) {
        let union = track.pointee.sinks.wanted.union(layers)
        if union != track.pointee.sinks.wanted { tellWanted(union, of: track, now: now) }
    }

    /// What all Sinks want now, where `slots` is what the Slots want. What nobody wants any more stays wanted for a while:
    /// viewers come back, and encoders take time to begin.
    mutating func reviseWanted(slots: LayerSet, of track: UnsafeMutablePointer<Track>, now: UInt64) {
        let interval = track.pointee.source.session == nil ? Self.choiceIntervalOfCopies : Self.wantedInterval
        guard now &- track.pointee.sinks.toldAt >= interval else { return }
        let union = track.pointee.sinks.union(slots: slots)
        // A sibling's ring may have been full, or the feed may not have been open yet.
        let isRepeated = track.pointee.isReplica || track.pointee.sinks.isUntold
        if union != track.pointee.sinks.wanted || isRepeated { tellWanted(union, of: track, now: now) }
    }

    @inline(never)
    private mutating func tellWanted(_ layers: LayerSet, of track: UnsafeMutablePointer<Track>, now: UInt64) {
        for layer in 0..<track.pointee.layerCount {
            let isWanted = layers.contains(UInt8(truncatingIfNeeded: layer))
            let since = track.pointee.layers[layer].wantedSince
            track.pointee.layers[layer].wantedSince = !isWanted ? 0 : since == 0 ? now : since
        }
        track.pointee.sinks.wanted = layers
        track.pointee.sinks.toldAt = now
        let handle = track.pointee.handle
        switch track.pointee.source {
        case .session:
            // A microphone is always wanted: its loudness decides who is heard.
            guard track.pointee.kind.isVideo else { return }
            track.pointee.sinks.isUntold = !mailbox.events.push(.layersWanted(handle, layers))
            if track.pointee.sinks.isUntold { counters.drop(.eventFull) }
        case .sibling(let origin):
            guard siblings.hand(.layersWanted(origin, by: handle, layers), to: origin.worker) else {
                return counters.drop(.handoverFull)
            }
        case .lane(let lane):
            track.pointee.sinks.isUntold = true
            cascade.lanes.find(lane)?.pointee.hasNews = true
        }
    }

    /// A sibling says what it wants for its replica.
    mutating func noteWanted(_ layers: LayerSet, by replica: TrackHandle, of origin: TrackHandle, now: UInt64) {
        // The Track may be gone, or fed to nobody there any more.
        guard let track = tracks.find(origin), replica.worker < siblings.count,
            track.pointee.sinks.siblings.replica(replica.worker) == replica
        else { return }
        setSibling(replica.worker, replica, layers.intersection(track.pointee.allLayers), of: track)
        want(layers.intersection(track.pointee.allLayers), of: track, now: now)
    }

    /// Changes what a sibling gets of a Track.
    mutating func setSibling(
        _ worker: Int, _ replica: TrackHandle, _ layers: LayerSet, of track: UnsafeMutablePointer<Track>
    ) {
        // What was handed over must not be patched, though the sibling gets nothing more.
        distribute()
        track.pointee.sinks.setSibling(worker, replica, layers)
    }

    /// Tells the siblings which layers are sent: they get but those that they want.
    func announceLayers(of track: UnsafeMutablePointer<Track>) {
        let choices = track.pointee.chosenBy
        track.pointee.choicesTold = choices
        tellLanes(of: track)
        guard track.pointee.sinks.siblings.count > 0 else { return }
        let layers = track.pointee.layerCount
        let kilobits = InlineArray<3, UInt16> { $0 < layers ? track.pointee.layers[$0].rate.kilobits : 0 }
        for worker in 0..<siblings.count {
            let replica = track.pointee.sinks.siblings.replica(worker)
            guard !replica.isNone else { continue }
            if !siblings.hand(.layersSent(replica, choices: choices, kilobits: kilobits), to: worker) {
                counters.drop(.handoverFull)
            }
        }
    }

    /// Likewise the far ends of Lanes, with the next of their messages.
    private func tellLanes(of track: UnsafeMutablePointer<Track>) {
        var index = track.pointee.sinks.firstCrossing
        while index != Link.none {
            let crossing = cascade.crossings.element(at: Int(index))
            cascade.lanes.element(at: crossing.pointee.lane.index).pointee.hasNews = true
            index = crossing.pointee.nextOfTrack
        }
    }

    /// The worker of a replica's source says which layers are sent there.
    mutating func noteSent(
        _ choices: UInt64, _ kilobits: InlineArray<3, UInt16>, replica: TrackHandle, now: UInt64
    ) {
        guard let track = tracks.find(replica), track.pointee.isReplica else { return }
        for layer in 0..<track.pointee.layerCount {
            track.pointee.layers[layer].rate.note(told: kilobits[layer])
        }
        noteSent(choices, of: track, now: now)
    }

    /// Upstream says which layers are sent there.
    mutating func noteSent(_ choices: UInt64, of track: UnsafeMutablePointer<Track>, now: UInt64) {
        let isFirst = track.pointee.announced == nil
        let before = track.pointee.choices
        track.pointee.take(choices: choices)
        if track.pointee.choices != before { selectLayers(of: track, now: now) }
        // It is fed only now: what was told before was lost.
        if isFirst, track.pointee.announced != nil { tellWanted(track.pointee.sinks.wanted, of: track, now: now) }
    }
}
