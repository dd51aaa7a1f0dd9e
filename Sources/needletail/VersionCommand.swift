import ArgumentParser
import Dataplane

/// What runs here, and which of its ways it takes on this CPU.
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print versions of the program and of what it stands on.")

    func run() {
        print(Version.text)
        print(EAL.version)
        print("SRTP by \(SRTPSupport.description)")
    }
}
