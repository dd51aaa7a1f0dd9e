import Api
import ArgumentParser
import Foundation

/// Says what is wrong with a configuration or with the machine, and what to do about it.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract:
            "Check the configuration, its certificates and the machine: memory, cores, NUMA, IOMMU, device binding.")

    @Option(name: .long, help: "The configuration file (YAML).")
    var config: String

    func run() async throws {
        let configuration: NodeConfiguration
        do {
            configuration = try NodeConfiguration(ConfigurationFile(path: config))
        } catch {
            print("error    \(error)")
            throw ExitCode.failure
        }
        print("ok       configuration: \(config)")
        let findings =
            CertificateCheck.findings(configuration, at: SystemClock().utc) + MachineCheck(configuration).findings()
        for finding in findings { print(finding.line) }
        if findings.contains(where: { $0.severity == .error }) { throw ExitCode.failure }
    }
}
