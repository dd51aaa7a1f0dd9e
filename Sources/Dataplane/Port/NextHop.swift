import Wire

/// The next hop toward an address.
enum NextHop: BitwiseCopyable, Equatable {
    /// To this link address, from this address of ours.
    case known(MACAddress, source: IPAddress)
    /// The neighbour's link address is being asked for: try again later.
    case pending
    /// No interface of that family, and no gateway.
    case unreachable
}
