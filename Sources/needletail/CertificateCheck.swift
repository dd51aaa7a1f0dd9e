import Api
import Meetings

/// Looks at the certificates of the configuration: whether they may be used now. That they fit their keys, and the fleet's
/// its name, is seen when the configuration is read.
enum CertificateCheck {
    static func findings(_ configuration: NodeConfiguration, at now: Timestamp) -> [MachineCheck.Finding] {
        configuration.api.certificateConditions(at: now).map { condition in
            MachineCheck.Finding(
                severity: condition.isMet ? .ok : .error,
                subject: condition.name.replacing("_", with: " "), text: condition.detail)
        }
    }
}
