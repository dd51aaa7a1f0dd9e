import Fleet

/// How a PoP is linked with the others of its fleet.
public struct LinkConfiguration: Sendable {
    /// Which fleet it is: who says another is refused.
    public var fleet: String
    /// Where the others come in.
    public var listen: [ApiConfiguration.Listen]
    /// Where they are told to come in.
    public var announced: [LinkAddress]
    /// What both sides prove themselves with; with authorities.
    public var certificates: CertificateStore
    /// The others, where they are a fixed list; empty: those of the Registry.
    public var peers: [PoPName: [LinkAddress]]
    public var policy = LinkPolicy()

    public init(
        fleet: String, listen: [ApiConfiguration.Listen], announced: [LinkAddress], certificates: CertificateStore,
        peers: [PoPName: [LinkAddress]] = [:]
    ) {
        self.fleet = fleet
        self.listen = listen
        self.announced = announced
        self.certificates = certificates
        self.peers = peers
    }

    /// Who a certificate is for: the first DNS name of its subjectAltName, all of it, is the PoP's name.
    public static func pop(of names: [String]) -> PoPName? { names.first.flatMap(PoPName.init) }
}

extension LinkConfiguration: Equatable {
    public static func == (left: LinkConfiguration, right: LinkConfiguration) -> Bool {
        left.fleet == right.fleet && left.listen == right.listen && left.announced == right.announced
            && left.peers == right.peers && left.certificates === right.certificates
    }
}
