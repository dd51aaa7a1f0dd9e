/// Whose sound a meeting hears: as many as a viewer has audio Slots, and one more, for a viewer
/// who is on the stage does not hear itself.
///
/// One stage serves all viewers of the meeting: the first of it that are not the viewer. While no more
/// publish than the stage holds it is fixed; beyond that the loudest have it.
struct AudioStage {
    /// Only grows.
    private(set) var capacity: Int
    /// In the order of preference: the last one is heard only by the others on the stage.
    private(set) var holders: [SourceID] = []

    init(audioSlots: Int) { capacity = audioSlots + 1 }

    mutating func widen(audioSlots: Int) { capacity = max(capacity, audioSlots + 1) }

    /// Fits the stage to who publishes sound now: the gone leave it, free places are taken in the order of
    /// joining, and nobody muted stands on it while one who is not wants to.
    ///
    /// - Returns: whether `holders` changed. Costs a look at as many as the stage holds, not at all.
    mutating func settle(unmuted: Roster<SourceID>, muted: Roster<SourceID>) -> Bool {
        let before = holders
        holders.removeAll { !unmuted.contains($0) && !muted.contains($0) }
        while holders.count < capacity,
            let next = first(of: unmuted) ?? first(of: muted)
        {
            holders.append(next)
        }
        while let index = holders.lastIndex(where: { muted.contains($0) }), let next = first(of: unmuted) {
            holders[index] = next
        }
        // Off the stage nobody hears the last place: it is a muted one's, if there is one.
        if holders.count == capacity, let last = holders.last, !muted.contains(last),
            let index = holders.lastIndex(where: { muted.contains($0) })
        {
            holders.swapAt(index, holders.count - 1)
        }
        return holders != before
    }

    /// Gives places to those who are clearly louder than the quietest holder.
    ///
    /// - Parameter muted: they never challenge.
    /// - Returns: whether `holders` changed.
    mutating func challenge(by ranking: SpeakerRanking, muted: Roster<SourceID>) -> Bool {
        var changed = false
        for speaker in ranking.speakers where !holders.contains(speaker) && !muted.contains(speaker) {
            guard holders.count == capacity, let weakest = weakest(in: ranking),
                ranking.isClearlyLouder(speaker, than: holders[weakest])
            else { break }
            holders[weakest] = speaker
            changed = true
        }
        // Who is on the stage's last place is heard by the others on it only: speakers move up.
        let last = holders.count - 1
        if holders.count == capacity, last > 0 {
            let weakest = holders.indices.dropLast().min { loudness($0, ranking) < loudness($1, ranking) }
            if let weakest, ranking.isClearlyLouder(holders[last], than: holders[weakest]) {
                holders.swapAt(last, weakest)
                changed = true
            }
        }
        return changed
    }

    private func first(of roster: Roster<SourceID>) -> SourceID? { roster.members.first { !holders.contains($0) } }

    private func weakest(in ranking: SpeakerRanking) -> Int? {
        // Of equals the last in the order goes.
        holders.indices.reversed().min { loudness($0, ranking) < loudness($1, ranking) }
    }

    private func loudness(_ index: Int, _ ranking: SpeakerRanking) -> Double {
        ranking.loudness(of: holders[index])
    }
}
