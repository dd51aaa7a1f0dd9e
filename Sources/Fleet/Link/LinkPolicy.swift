/// The times and sizes of links between PoPs, in one place.
public struct LinkPolicy: Sendable {
    /// The versions of the protocol that this build speaks.
    public static let versions: ClosedRange<Int> = 1...1
    /// A whole meeting of 1,000 people fits into a frame as its state.
    public static let frameLimit = 1 << 20
    /// A name, a fleet and two versions: who has not said hello gets no more memory than this.
    public static let helloLimit = 4 << 10
    /// The longest change, bytes: a meeting's changes are a few hundred.
    public static let changeLimit = 64 << 10
    /// The longest message of a Trunk, bytes.
    public static let trunkLimit = 64 << 10
    /// How deep JSON in a body may be nested: no body needs a quarter of it, and a parser recurses.
    public static let depthLimit = 32

    /// How often a link is probed. Three in a row must be lost before it counts as dead.
    public var ping: Duration = .seconds(1)
    /// Silence after which a link is dead: a repair of TCP on a path of 300 ms takes less, and people wait no longer for
    /// a Home. Within it hello must be said, too.
    public var silence: Duration = .seconds(3)
    /// The first wait before dialling again, and the longest: doubled each time, half of it at random, so that a PoP that
    /// comes back is not dialled by all at once.
    public var firstWait: Duration = .milliseconds(100)
    public var longestWait: Duration = .seconds(5)
    /// The wait where a peer cannot be spoken with (another fleet, no common version): only an operator changes that.
    public var partedWait: Duration = .seconds(30)
    /// A link that was open for so long starts with the first wait when it is lost.
    public var steady: Duration = .seconds(10)
    /// A peer that takes nothing of what is written to it for so long is let go, though it may speak.
    public var stall: Duration = .seconds(10)
    /// Messages of Trunks that wait for one peer, and their bytes. A change of what is wanted has some hundred; who lets
    /// more wait is behind by far, and starts anew with the next link.
    public var trunkMessages = 4_096
    public var trunkBytes = 1 << 20
    /// As many as the Registry lists PoPs, and some that have not said hello.
    public var mostConnections = 4_096 + 256

    /// Changes that a Home keeps for a meeting: a Branch that is further behind takes the state.
    public var logChanges = 256
    public var logBytes = 256 << 10
    /// Changes that are kept though all have them: a link that is lost for a moment costs these, and not the state.
    public var logTail = 32
    /// Changes on their way to one Branch for one meeting without an acknowledgement: 32 each round trip of 100 ms are
    /// 320 a second, more than a meeting makes.
    public var window = 32
    /// Requests of one meeting that wait for its Home, and those of them that are on their way. The latter are fewer than
    /// `RequestWindow.width`, which is what tells a repeated one.
    public var pendingRequests = 256
    public var requestWindow = 32
    /// Answers to one peer for one meeting. A peer has `requestWindow` requests on their way; who has more is no PoP of ours.
    public var replies = 128
    /// Notices to one peer about meetings that are not here. A Home that was started again and knows none is asked for all
    /// of a Branch's at once.
    public var notices = 16_384
    /// Changes of own clients that are offered again after a merge, a meeting.
    public var ownChanges = 4_096
    /// Meetings that were ended for all, and how long that is remembered: as long as the Registry remembers a meeting's epoch.
    public var endedMeetings = 16_384
    public var endedMemory: Duration = .seconds(86_400)
    /// Meetings in one frame of Homes.
    public var homesInFrame = 1_024

    /// How long a Branch waits for its Home to be back before another is looked for. It doubles each time that a PoP is
    /// Home no more, up to the longest, so that two that do not reach each other do not take a meeting to and fro.
    public var patience: Duration = .seconds(1)
    public var longestPatience: Duration = .seconds(16)
    /// After so long without that it starts anew.
    public var calm: Duration = .seconds(600)
    /// How often a search is repeated, and a subscription that nobody answers.
    public var search: Duration = .seconds(1)
    public var answer: Duration = .seconds(3)
    /// The same for a standby: it waits for the lease of a Home to run out, of many meetings at once.
    public var standbySearch: Duration = .seconds(5)

    public init() {}
}
