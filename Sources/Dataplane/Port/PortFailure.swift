/// Why EAL, a pool or a port could not be had: one line with the remedy, for the operator.
public struct PortFailure: Error, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}
