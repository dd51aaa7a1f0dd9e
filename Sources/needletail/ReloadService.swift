import Agents
import Api
import Logging
import ServiceLifecycle
import UnixSignals

/// SIGHUP: reads the configuration again and takes what can be changed while the node serves. Nothing ends.
struct ReloadService: Service {
    /// Keys that are taken at once.
    static let changeable: Set<ConfigurationKey> = [.authKeys, .logLevel, .turnSecrets]

    /// What runs: the file's path, and what was in it.
    private let path: String
    private let text: String
    private let keys: ServiceKeys
    /// Nil without a relay.
    private let secrets: TURNSecrets?
    private let certificates: [CertificateStore]
    private let logger: Logger

    /// - Parameter configuration: what runs.
    init(_ configuration: NodeConfiguration, keys: ServiceKeys, logger: Logger) {
        (path, text) = (configuration.file.path, configuration.file.content)
        secrets = configuration.turn?.control.secrets
        certificates = configuration.certificates
        self.keys = keys
        self.logger = logger
    }

    func run() async {
        let signals = await UnixSignalsSequence(trapping: .sighup)
        await cancelWhenGracefulShutdown {
            for await _ in signals { reload() }
        }
    }

    private func reload() {
        readCertificates()
        let new: NodeConfiguration
        let old: ConfigurationFile
        do {
            new = try NodeConfiguration(ConfigurationFile(path: path))
            old = try ConfigurationFile(text: text, path: path)
        } catch {
            return logger.error("configuration not taken, the old one stays", metadata: ["error": "\(error)"])
        }
        keys.replace(with: new.api.keys)
        LogOutput.level.set(new.logLevel)
        if let given = new.turn?.secrets, !given.isEmpty { secrets?.replace(with: given) }
        let rest = new.file.differences(from: old).subtracting(Self.changeable)
        var metadata: Logger.Metadata = ["file": "\(path)"]
        if !rest.isEmpty {
            metadata["needs a restart"] = "\(rest.map(\.rawValue).sorted().joined(separator: ", "))"
        }
        logger.notice("configuration read again", metadata: metadata)
    }

    private func readCertificates() {
        for store in certificates {
            do {
                try store.reload(isForced: true)
            } catch {
                logger.error("certificate not taken, the old one stays", metadata: ["error": "\(error)"])
            }
        }
    }
}

extension ReloadService: CustomStringConvertible {
    /// For the log, in which the configuration's secrets have no place.
    var description: String { "ReloadService" }
}
