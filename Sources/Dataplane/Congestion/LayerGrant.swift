/// The best Layer of its Track that a Slot may show by the bandwidth of its Session.
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

    init(layer: UInt8) { word = layer }

    var isNothing: Bool { self == .none || self == .awaited }

    /// Nil where it is no single Layer.
    var layer: Int? { word < UInt8(Track.maximumLayers) ? Int(word) : nil }
}
