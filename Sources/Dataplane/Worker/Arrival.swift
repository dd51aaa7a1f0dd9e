/// How a datagram came in.
struct Arrival: BitwiseCopyable {
    /// The listening port and own address, as `Listeners.key` makes it.
    var listener: UInt16
    /// On an alternate port only STUN and TURN are served.
    var isAlternate = false
    /// From another worker; it is not handed over again.
    var isHandedOver: Bool
    /// It was never on the wire: a Session or client of ours sent it to another one of ours.
    var isLooped: Bool
}
