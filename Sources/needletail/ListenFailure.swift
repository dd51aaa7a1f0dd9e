import Api

/// Why the node cannot listen, in one line.
struct ListenFailure: Error, CustomStringConvertible {
    let description: String

    init(_ key: ConfigurationKey, _ listen: ApiConfiguration.Listen, _ why: String) {
        description =
            "cannot listen on \(listen.host) port \(listen.port): \(why): choose another \(key.rawValue), "
            + "or end the program that has it"
    }
}
