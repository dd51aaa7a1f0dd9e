/// How a frame came.
struct Arrival: BitwiseCopyable {
    /// The listening port and own address, as `Listeners.key` makes it.
    var listener: UInt16
    /// On an alternate port only STUN and TURN are served.
    var isAlternate = false
    /// From another worker: it does not cross again.
    var isHandedOver: Bool
    /// Never on the wire: what one of our own sent to one of our own.
    var isLooped: Bool
}
