/// The best Layer of its Track that a Slot may show by the bandwidth of its Session, and how many of its temporal layers.
struct LayerGrant: BitwiseCopyable, Equatable {
    private let word: UInt8

    /// Whatever fits the tile.
    static let unlimited = LayerGrant(word: 0xff)
    /// The lowest, until it is known what there is.
    static let lowest = LayerGrant(word: 0xfe)
    /// Nothing.
    static let none = LayerGrant(word: 0xfd)
    /// Nothing yet, as bitrates have not been shared since the Slot got its Track.
    static let awaited = LayerGrant(word: 0xfc)

    private init(word: UInt8) { self.word = word }

    init(layer: Int, upTo temporalLimit: UInt8) { word = UInt8(truncatingIfNeeded: layer) << 2 | temporalLimit & 3 }

    /// By its name in a ladder.
    init(step: UInt8) { word = step }

    /// Its name in a ladder.
    var step: UInt8 { word }

    var isNothing: Bool { self == .none || self == .awaited }

    /// Nil where it is no single Layer.
    var layer: Int? { word >> 2 < UInt8(Track.maximumLayers) ? Int(word >> 2) : nil }

    /// The highest temporal layer; `TemporalLayer.highest` stands for all.
    var temporalLimit: UInt8 { layer == nil ? TemporalLayer.highest : word & 3 }
}
