/// When the publisher of a Track may be asked for keyframes. One for all its Layers: libwebrtc answers each request with
/// keyframes on all of them.
struct KeyframeThrottle: BitwiseCopyable {
    /// Between two requests at least, ns: encoders answer each with large frames, and libwebrtc drops a second one within
    /// 300 ms. It doubles with each request that was not answered, up to `longestInterval`.
    static let interval: UInt64 = 300_000_000
    static let longestInterval: UInt64 = 4_800_000_000
    /// Likewise for those who show the layer already, ns.
    static let repeatedInterval: UInt64 = 1_000_000_000
    /// A Track from which nothing comes is given up after so many.
    static let vainRequests: UInt8 = 3
    /// Between two requests that no viewer made, ns: doubles up to `longestOwnInterval`, and begins anew after `ownMemory`.
    static let ownInterval: UInt64 = 500_000_000
    static let longestOwnInterval: UInt64 = 4_000_000_000
    static let ownMemory: UInt64 = 30_000_000_000

    /// When a keyframe was last asked for, ns; 0 never.
    private(set) var askedAt: UInt64 = 0
    /// Requests since the latest keyframe of any layer.
    private(set) var unanswered: UInt8 = 0
    private var ownAt: UInt64 = 0
    private var ownWait: UInt64 = 0

    /// Whether the next request may go out.
    func isDue(now: UInt64) -> Bool {
        let doublings = UInt64(min(max(unanswered, 1), 5) &- 1)
        return askedAt == 0 || now &- askedAt >= min(Self.interval << doublings, Self.longestInterval)
    }

    /// Whether one who shows the layer already may have another.
    func allowsRepetition(now: UInt64) -> Bool { askedAt == 0 || now &- askedAt >= Self.repeatedInterval }

    /// Whether the worker may make a request by itself; counts it.
    mutating func takeOwn(now: UInt64) -> Bool {
        let passed = now &- ownAt
        guard ownAt == 0 || passed >= ownWait else { return false }
        let beginsAnew = ownAt == 0 || passed >= Self.ownMemory
        ownWait = beginsAnew ? Self.ownInterval : min(ownWait &* 2, Self.longestOwnInterval)
        ownAt = max(now, 1)
        return true
    }

    mutating func noteRequest(now: UInt64) {
        askedAt = max(now, 1)
        if unanswered < .max { unanswered &+= 1 }
    }

    mutating func noteKeyframe() { unanswered = 0 }

    /// The Track goes on after nothing came of it.
    mutating func resume() {
        unanswered = 0
        ownWait = 0
    }
}
