import Fleet
import Mailbox
import Meetings

/// How what is taken of somebody is replaced, who is at another PoP now or has another session: what comes still goes on until the
/// new one comes, so that nobody misses a word.
extension MediaDirector {
    /// How long the former one may stay, ns.
    private static let patience: UInt64 = 2_000_000_000

    /// Its publisher is to be taken from elsewhere.
    func replaceImports(of participant: ParticipantID, now: UInt64) {
        guard let remote = trunks.remotes[participant] else { return }
        for role in SourceRole.allCases {
            let source = SourceID(participant, role)
            trunks.setbacks[source] = nil
            if let handle = remote.successors[role] { endImport(handle, isTold: true, now: now) }
            guard let handle = remote.tracks[role], let known = trunks.imports[handle] else { continue }
            guard known.users > 0, known.isCarried, startSuccessor(of: handle, source, now: now) else {
                endImport(handle, isTold: true, now: now)
                continue
            }
        }
    }

    private func startSuccessor(of handle: TrackHandle, _ source: SourceID, now: UInt64) -> Bool {
        guard let remote = trunks.remotes[source.participant],
            case .track(let track) = startImport(source, remote, on: handle.worker)
        else { return false }
        trunks.remotes[source.participant]?.tracks[source.role] = handle
        trunks.remotes[source.participant]?.successors[source.role] = track.handle
        trunks.remotes[source.participant]?.succeedsSince = now
        return true
    }

    /// What was to succeed is the source's Track from now on, where nothing is before it.
    func succeed(_ source: SourceID) {
        guard let handle = trunks.remotes[source.participant]?.successors.removeValue(forKey: source.role) else {
            return
        }
        trunks.remotes[source.participant]?.tracks[source.role] = handle
    }

    /// The successor comes, or nobody waits for it any longer.
    func endPredecessor(_ source: SourceID, now: UInt64) {
        let former = trunks.remotes[source.participant]?.tracks.removeValue(forKey: source.role)
        succeed(source)
        if let former { endImport(former, isTold: true, now: now) }
    }

    /// Those that do not come in time.
    func endPredecessors(now: UInt64) {
        for participant in trunks.people {
            guard let remote = trunks.remotes[participant], !remote.successors.isEmpty,
                now >= remote.succeedsSince &+ Self.patience
            else { continue }
            for role in SourceRole.allCases where remote.successors[role] != nil {
                endPredecessor(SourceID(participant, role), now: now)
            }
        }
    }
}

extension TrunkTable {
    func isSuccessor(_ known: Import) -> Bool {
        remotes[known.source.participant]?.successors[known.source.role] == known.handle
    }

    /// The Track is the source's no more.
    mutating func forget(_ handle: TrackHandle, of source: SourceID) {
        if remotes[source.participant]?.tracks[source.role] == handle {
            remotes[source.participant]?.tracks[source.role] = nil
        }
        if remotes[source.participant]?.successors[source.role] == handle {
            remotes[source.participant]?.successors[source.role] = nil
        }
    }
}
