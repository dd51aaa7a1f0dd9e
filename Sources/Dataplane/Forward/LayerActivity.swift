/// Whether a Layer is sent at present, judged by its pictures: packets of padding alone keep nothing alive, as encoders
/// probe with them on layers that they have stopped.
struct LayerActivity: BitwiseCopyable {
    /// A layer is silent when nothing came for three of its own frame intervals, within these bounds, ns, ...
    static let shortestSilence: UInt64 = 700_000_000
    static let longestSilence: UInt64 = 7_000_000_000
    /// ... and other layers have had so many pictures meanwhile: when all of them slow down at once, none is silent.
    static let silentPictures: UInt8 = 3
    /// A timestamp that is further back than this, 11 s at 90 kHz, is a new beginning and no late packet.
    private static let restart: Int32 = -0x10_0000

    /// When the latest packet of a picture came, ns; 0 before the first.
    private(set) var lastPacket: UInt64 = 0
    /// Between the beginnings of two pictures, ns: follows a longer one at once, and shorter ones within about 20.
    private(set) var interval: UInt64 = 0
    /// When the latest picture began, ns, and its timestamp.
    private var lastBegin: UInt64 = 0
    private(set) var timestamp: UInt32 = 0
    /// Pictures of the Track's other layers since the latest of its own.
    private(set) var overtaken: UInt8 = 0

    /// How long it may be behind other layers before it counts as silent, ns.
    var silence: UInt64 { min(max(interval &* 3, Self.shortestSilence), Self.longestSilence) }

    /// A packet of a picture came. Whether it begins another picture.
    @inline(__always)
    mutating func note(timestamp: UInt32, now: UInt64) -> Bool {
        let isFirst = lastPacket == 0
        lastPacket = now
        overtaken = 0
        let ahead = Int32(bitPattern: timestamp &- self.timestamp)
        guard isFirst || ahead > 0 || ahead < Self.restart else { return false }
        begin(timestamp: timestamp, now: now)
        return true
    }

    private mutating func begin(timestamp: UInt32, now: UInt64) {
        if lastBegin != 0 {
            // Bounded, as a pause is no frame interval.
            let latest = min(now &- lastBegin, Self.longestSilence)
            interval = latest >= interval ? latest : interval &- (interval &- latest) / 8
        }
        lastBegin = now
        self.timestamp = timestamp
    }

    /// Another layer of the Track had a picture.
    mutating func noteOther() {
        if overtaken < Self.silentPictures { overtaken &+= 1 }
    }

    /// Whether others went on without it up to `latest`, when the latest packet of any layer came, ns.
    func isSilent(latest: UInt64) -> Bool {
        overtaken >= Self.silentPictures && latest &- lastPacket > silence
    }
}
