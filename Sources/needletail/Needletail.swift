import ArgumentParser

/// The appliance's one program.
@main
struct Needletail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "needletail",
        abstract: "A bare-metal edge for video meetings: SFU, signaling, health and metrics in one box.",
        version: Version.text,
        subcommands: [
            ServeCommand.self, StatusCommand.self, DrainCommand.self, UndrainCommand.self, FleetCommand.self,
            WebhooksCommand.self, CheckCommand.self, AnnounceCommand.self, RecordCommand.self, ComposeCommand.self,
            VersionCommand.self,
        ])

    static func main() async {
        StandardStreams.secure()
        await main(nil)
    }
}
