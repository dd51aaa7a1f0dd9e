import ArgumentParser
import Foundation
import Logging
import UnixSignals

/// Has BIRD announce the service prefixes while the node is ready. A process of its own, which outlives the node: a node
/// that hangs or is killed does not withdraw anything itself.
struct AnnounceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "announce",
        abstract: "Have BIRD announce the service prefixes while the node is ready, until SIGTERM or SIGINT.")

    @Option(name: .long, help: "The node's ops listener, HOST:PORT.")
    var ops = "127.0.0.1:9090"

    @Option(name: .long, help: "BIRD's control socket.")
    var bird = "/run/bird/bird.ctl"

    @Option(name: .long, help: "BIRD's static protocols with the prefixes, separated by commas.")
    var protocols = "needletail_v4,needletail_v6"

    @Option(name: .long, help: "Those that are on instead above the load threshold; empty: there are none.")
    var reserveProtocols = "needletail_v4_reserve,needletail_v6_reserve"

    @Option(name: .long, help: "The load, 0 to 1, above which other PoPs are preferred.")
    var load = 0.8

    func validate() throws {
        guard OpsAddress(ops) != nil else { throw ValidationError("--ops must be HOST:PORT, as 127.0.0.1:9090") }
        guard (0.1...1).contains(load) else { throw ValidationError("--load must be from 0.1 to 1") }
        guard !names(protocols).isEmpty else { throw ValidationError("--protocols must name at least one") }
        let all = names(protocols) + names(reserveProtocols)
        guard Set(all).count == all.count else { throw ValidationError("a protocol is named twice") }
        // They become part of a command line of BIRD.
        guard all.allSatisfy({ $0.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]*/) != nil }) else {
            throw ValidationError("a protocol's name has letters, digits and _")
        }
    }

    func run() async throws {
        // They would end it without a word to BIRD.
        for number in [SIGPIPE, SIGHUP, SIGUSR1, SIGUSR2] { signal(number, SIG_IGN) }
        LoggingSystem.bootstrap { StreamLogHandler(label: $0, stream: LogSink.standardError) }
        let control = BirdControl(socket: bird, preferred: names(protocols), reserve: names(reserveProtocols))
        guard let address = OpsAddress(ops) else { throw ExitCode.validationFailure }
        let manager = NotifySocket()
        let announcer = Announcer(
            probe: OpsProbe(address: address), control: control, threshold: load,
            logger: Logger(label: "announce"), notify: { manager?.send($0) })
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await announcer.run() }
            group.addTask { for await _ in signals { return } }
            await group.next()
            group.cancelAll()
        }
        manager?.send("STOPPING=1")
        if let failure = await announcer.tell(.withdrawn) { throw ConfigurationError("BIRD at \(bird): \(failure)") }
    }

    private func names(_ list: String) -> [String] {
        list.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    }
}
