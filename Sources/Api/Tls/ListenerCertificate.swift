import Meetings

/// The certificate of those listeners that speak TLS with it: readiness depends on those that clients reach.
struct ListenerCertificate: Sendable {
    /// Whose it is, by the section of the configuration.
    enum Listener: String {
        case api, turn, fleet
    }

    let listener: Listener
    let store: CertificateStore

    /// A PoP without its fleet serves those whom it has.
    var decidesReadiness: Bool { listener != .fleet }

    /// Whether clients will take it.
    func condition(at now: Timestamp) -> ReadinessCondition {
        let validity = store.validity
        let isValid = validity.contains(now)
        let detail =
            now < validity.notBefore
            ? "not valid before \(validity.notBefore.rfc3339): look at the clock"
            : isValid
                ? "valid until \(validity.notAfter.rfc3339)"
                : "expired at \(validity.notAfter.rfc3339): renew \(listener).certificate, it is read again by itself"
        let name = listener == .api ? "certificate" : "\(listener)_certificate"
        return ReadinessCondition(name: name, isMet: isValid, detail: detail)
    }
}

extension ApiConfiguration {
    /// Whether each certificate may be used at this time, for those who look at a configuration before the node runs.
    public func certificateConditions(at now: Timestamp) -> [ReadinessCondition] {
        listenerCertificates.map { $0.condition(at: now) }
    }

    /// All certificates that the node serves TLS with.
    var listenerCertificates: [ListenerCertificate] {
        let all: [(ListenerCertificate.Listener, CertificateStore?)] = [
            (.api, certificates), (.turn, turn?.certificates), (.fleet, fleet?.links?.certificates),
        ]
        return all.compactMap { listener, store in
            store.map { ListenerCertificate(listener: listener, store: $0) }
        }
    }
}
