/// What happened in simulated PoPs: a thousand courses in which nothing goes wrong show nothing.
struct PoPTally: Equatable {
    var packets = 0
    var joins = 0
    /// Joins and offers that found no place.
    var refusals = 0
    /// Malformed requests and foreign resume tokens, each refused.
    var faultyRequests = 0
    var resumes = 0
    /// Places that were given up while the socket was lost.
    var expiries = 0
    /// Transports that ended against the client's will.
    var failures = 0
    /// Participants that left while their answer was made.
    var runaways = 0
    var pictures = 0
    /// What publishers were told of their layers.
    var wants = 0
    /// Clients that went on from another address.
    var restarts = 0
    /// Of all that was told and received, in its order.
    var digest: UInt64 = 0xcbf2_9ce4_8422_2325

    /// FNV-1a.
    mutating func note(_ text: String) {
        for byte in text.utf8 { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }

    mutating func add(_ other: PoPTally) {
        packets += other.packets
        joins += other.joins
        refusals += other.refusals
        faultyRequests += other.faultyRequests
        resumes += other.resumes
        expiries += other.expiries
        failures += other.failures
        runaways += other.runaways
        pictures += other.pictures
        wants += other.wants
        restarts += other.restarts
    }

    /// Nothing of it is missing.
    var isComplete: Bool {
        [packets, joins, refusals, faultyRequests, resumes, expiries, failures, runaways, pictures, wants, restarts]
            .allSatisfy { $0 > 0 }
    }
}
