import Fleet

/// Messages of Trunks that wait for one peer.
struct TrunkQueue {
    private let policy: LinkPolicy
    private var messages = Fifo<[UInt8]>()
    private var bytes = 0

    init(policy: LinkPolicy) { self.policy = policy }

    /// - Returns: false where there is no room.
    mutating func append(_ message: [UInt8]) -> Bool {
        guard messages.count < policy.trunkMessages, bytes + message.count <= policy.trunkBytes else {
            return false
        }
        messages.append(message)
        bytes += message.count
        return true
    }

    mutating func popFirst() -> [UInt8]? {
        guard let message = messages.popFirst() else { return nil }
        bytes -= message.count
        return message
    }
}
