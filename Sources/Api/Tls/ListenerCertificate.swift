import Meetings

/// The certificate of those listeners that speak TLS with it: readiness depends on each.
struct ListenerCertificate: Sendable {
    /// Whose it is, by the section of the configuration.
    enum Listener: String {
        case api, turn
    }

    let listener: Listener
    let store: CertificateStore

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
    /// All certificates that the node serves TLS with.
    var listenerCertificates: [ListenerCertificate] {
        [(.api, certificates), (.turn, turn?.certificates)].compactMap { listener, store in
            store.map { ListenerCertificate(listener: listener, store: $0) }
        }
    }
}
