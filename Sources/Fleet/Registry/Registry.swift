import Meetings

/// Which PoPs there are, how loaded they are, and which meeting has its Home where; as one PoP sees it and speaks to it.
///
/// Nothing that runs may need it: calls fail soon and clearly where it cannot be reached, and are made again later.
public protocol Registry: Sendable {
    /// Whether it can be reached.
    var isUp: Bool { get }

    /// Says what the PoP is and how it fares; again every `RegistryTimes.refresh`.
    ///
    /// - Returns: another process that has said so by the same name since the caller last did. After the first time that is
    ///   none that the caller has come after: two PoPs have one name.
    @discardableResult
    func announce(_ record: PoPRecord) async throws(RegistryError) -> PoPInstance?
    /// Takes the PoP's record away before its time.
    func withdraw() async throws(RegistryError)
    /// The PoPs that are there, by name; at most `RegistryLimits.pops`.
    func pops() async throws(RegistryError) -> [PoPRecord]

    /// Asks to be the Home of a meeting. A Home that asks again gets its epoch again.
    func claim(_ meeting: MeetingID, number: MeetingNumber) async throws(RegistryError) -> ClaimOutcome
    /// Asks to be the Home after another; granted when its lease is gone, or when its epoch is still `seen` and the caller
    /// says that it is dead. Of several that ask, one gets it.
    func takeOver(
        _ meeting: MeetingID, number: MeetingNumber, seen: UInt64, homeIsDead: Bool
    ) async throws(RegistryError) -> ClaimOutcome
    /// Renews leases, and makes those anew that the Registry has lost; again every `RegistryTimes.renewal`.
    func renew(_ leases: [Lease]) async throws(RegistryError) -> RenewalOutcome
    /// Ends the lease that the caller has with this epoch. The epoch is remembered.
    func release(_ meeting: MeetingID, epoch: UInt64) async throws(RegistryError)

    /// Nil where no Home has a lease.
    func find(_ meeting: MeetingID) async throws(RegistryError) -> Registration?
    func find(_ number: MeetingNumber) async throws(RegistryError) -> Registration?
}

/// Why the Registry did not do what it was asked.
public enum RegistryError: Error, Hashable, Sendable, CustomStringConvertible {
    /// It cannot be reached.
    case unavailable(String)
    /// There was no answer, or none in time. What was asked may have been done, or be done later.
    case unanswered
    /// More calls wait than it may have.
    case overloaded
    /// It said no.
    case refused(String)
    /// Its answer cannot be understood.
    case garbled(String)
    /// The caller asked for what cannot be.
    case invalid(String)

    public var description: String {
        switch self {
        case .unavailable(let reason): "the registry cannot be reached: \(reason)"
        case .unanswered: "the registry did not answer"
        case .overloaded: "too many calls wait for the registry"
        case .refused(let reason): "the registry refused: \(reason)"
        case .garbled(let what): "the registry's answer cannot be understood: \(what)"
        case .invalid(let what): "the registry was asked for what cannot be: \(what)"
        }
    }
}

/// How long what is in the Registry lives there.
public struct RegistryTimes: Hashable, Sendable {
    /// How often a PoP says how it fares, and how long that is believed.
    public var refresh: Duration = .seconds(2)
    public var record: Duration = .seconds(10)
    /// How often a Home renews its leases, and how long they last.
    public var renewal: Duration = .seconds(5)
    public var lease: Duration = .seconds(15)
    /// How long a meeting's epoch is remembered after its last lease began.
    public var epoch: Duration = .seconds(86_400)

    public init() {}
}

/// How much may be in the Registry.
public enum RegistryLimits {
    public static let pops = 4_096
}
