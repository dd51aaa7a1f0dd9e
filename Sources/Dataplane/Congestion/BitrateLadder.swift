/// What one video Slot of a Session could show, step by step, and what it may.
struct BitrateLadder: BitwiseCopyable {
    /// Three Layers, one of them in three steps of its temporal layers.
    static let mostSteps = 5

    /// What its owner knows it by.
    let slot: UInt32
    /// Whom it shows: lower ones come first.
    let rank: UInt8
    /// Pixels: of tiles of a rank the larger ones come first.
    let height: UInt16
    /// It got its source since the last time: nothing that failed before was its doing.
    let isFresh: Bool

    /// bits/s; ascending.
    private var rates = InlineArray<5, UInt32>(repeating: 0)
    private var names = InlineArray<5, UInt8>(repeating: 0)
    /// A bit for each step that can be taken back at once.
    private var reversible: UInt8 = 0
    private(set) var count: UInt8 = 0
    /// How many steps it had before; 0: it showed nothing.
    private(set) var before: UInt8 = 0
    /// How many steps it has now.
    private(set) var granted: UInt8 = 0

    init(slot: UInt32, rank: UInt8, height: UInt16, isFresh: Bool = false) {
        self.slot = slot
        self.rank = rank
        self.height = height
        self.isFresh = isFresh
    }

    /// Adds the next better step. One that costs no more than those below takes their place: nothing is gained by them.
    ///
    /// - Parameters:
    ///   - name: what its owner knows it by.
    ///   - rate: of it with all that it needs, bits/s.
    ///   - isShown: the tile shows it at present.
    ///   - isReversible: going back to the step below takes no keyframe, so that it may be tried.
    mutating func add(_ name: UInt8, rate: UInt32, isShown: Bool, isReversible: Bool = false) {
        while count > 0, rates[Int(count) &- 1] >= rate {
            count &-= 1
            before = min(before, count)
        }
        guard count < Self.mostSteps else { return }
        rates[Int(count)] = rate
        names[Int(count)] = name
        // What it goes back to may have been replaced.
        let isFirst = count == 0
        reversible = reversible & ~(1 << count) | (isReversible && !isFirst ? 1 << count : 0)
        count &+= 1
        if isShown { before = count }
    }

    /// What it shows from now on; nil: nothing, until there is room.
    var choice: UInt8? { granted == 0 ? nil : names[Int(granted) &- 1] }

    /// bits/s; of the first `steps`.
    private func rate(_ steps: UInt8) -> UInt64 { steps == 0 ? 0 : UInt64(rates[Int(steps) &- 1]) }

    /// bits/s.
    var granting: UInt64 { rate(granted) }

    /// What the next step costs beside what it has, bits/s; nil: it has all.
    var nextCost: UInt64? { granted == count ? nil : rate(granted &+ 1) &- rate(granted) }

    /// It has more than before after the next step.
    var nextIsNew: Bool { granted >= before }

    /// The next step can be taken back at once.
    var nextIsReversible: Bool { reversible & 1 << granted != 0 }

    /// It has less than before.
    var isLowered: Bool { granted < before }
    /// It has more than before.
    var isRaised: Bool { granted > before }

    mutating func grant() { granted &+= 1 }

    /// Comes before `other`. Of those as important the ones that show more come first: none takes the place of another.
    func precedes(_ other: BitrateLadder) -> Bool {
        guard rank == other.rank else { return rank < other.rank }
        return height == other.height ? before > other.before : height > other.height
    }

    /// Of one importance, so that they go up together.
    func isPeer(of other: BitrateLadder) -> Bool { rank == other.rank && height == other.height }
}
