import ArgumentParser
import Foundation
import Logging

/// Runs the PoP until SIGTERM or SIGINT.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the PoP until SIGTERM (empties it first) or SIGINT (ends it at once).")

    @Option(name: .long, help: "The configuration file (YAML).")
    var config: String

    @Flag(name: .long, help: "Make an API key on start, print it, and let the web client create meetings with it.")
    var dev = false

    /// EX_CONFIG of sysexits.h: trying again does not help.
    static let misconfigured = ExitCode(78)

    func run() async throws {
        // A closed pipe is an error of the one who writes to it; SIGHUP is taken once the node is up; the others mean
        // nothing here.
        for number in [SIGPIPE, SIGHUP, SIGUSR1, SIGUSR2] { signal(number, SIG_IGN) }
        DescriptorPlan.raise()
        var configuration: NodeConfiguration
        do {
            configuration = try NodeConfiguration(ConfigurationFile(path: config))
        } catch {
            LineWriter.standardError.write("needletail: \(error)\n")
            throw Self.misconfigured
        }
        do {
            configuration.api.isDevelopment = dev
            LogOutput.bootstrap(json: configuration.logsJSON, level: configuration.logLevel)
            try await PoP(configuration, logger: Logger(label: "needletail")).run()
        } catch let error where !(error is ExitCode) {
            // One line with the remedy, never a trace.
            LineWriter.standardError.write("needletail: \(error)\n")
            throw ExitCode.failure
        }
    }
}
