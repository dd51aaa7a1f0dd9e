import Fleet
import Mailbox
import Meetings

/// A remote source that is taken from another PoP. It lasts as long as its Track, under whose handle it is kept.
struct Import {
    let source: SourceID
    let feeder: PoPName
    let track: PublishedTrack
    /// Our name for the Lane over which it comes.
    let lane: UInt32
    /// Its worker has the Track.
    var isOpen = false
    /// The far end says that it sends.
    var isCarried = false
    /// Slots that show it, here or by a replica, and other PoPs that are to be carried it.
    var users = 0
    /// Since when there are none, ns.
    var idleSince: UInt64

    var handle: TrackHandle { track.handle }
}

/// When a source that was refused is asked for again.
struct Setback {
    private static let shortest: UInt64 = 250_000_000
    private static let longest: UInt64 = 8_000_000_000

    /// Ns.
    private(set) var until: UInt64 = 0
    /// Where the far end said that it is.
    private(set) var worker: UInt8?
    /// Those who wait have been looked at since.
    var isOver = false
    private var delay: UInt64 = 0

    mutating func note(_ refusal: CarryRefusal, now: UInt64) {
        isOver = false
        if case .elsewhere(let worker) = refusal, self.worker != worker, delay <= Self.shortest {
            // The first time that is no failure.
            self.worker = worker
            until = now
            delay = max(delay, 1)
            return
        }
        delay = min(max(delay * 2, Self.shortest), Self.longest)
        until = now + delay
    }
}

/// Somebody who publishes at another PoP.
struct RemoteMember {
    let meeting: MeetingID
    var publisher: RemotePublisher
    /// It is in its meeting here: its PoP is not lost, and nobody of that name is at this PoP.
    var isShown = false
    var isLost = false
    /// Those that are taken.
    var tracks: [SourceRole: TrackHandle] = [:]
    /// What takes their places as soon as it comes, of a publisher that is elsewhere or has another session now.
    var successors: [SourceRole: TrackHandle] = [:]
    /// When the latest successor was asked for, ns.
    var succeedsSince: UInt64 = 0

    init(_ publisher: RemotePublisher, in meeting: MeetingID) {
        self.meeting = meeting
        self.publisher = publisher
    }

    /// What others can be given of it.
    var sources: MediaSources {
        MediaSources(publisher.state) { publisher.publication.source($0) != nil }
    }
}
