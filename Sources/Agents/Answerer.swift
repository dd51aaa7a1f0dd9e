import Wire

/// Makes our answers to offers (RFC 9429, RFC 8843, RFC 8853): an ICE-lite peer behind one UDP port.
public struct Answerer: Sendable {
    /// Our certificate's.
    public var fingerprint: Fingerprint
    /// Our media addresses, the most preferred first.
    public var candidates: [Endpoint]
    /// What we ask a publisher of video for, the most preferred first; a codec that is not here is not used.
    public var videoCodecs: [Codec]

    public init(
        fingerprint: Fingerprint, candidates: [Endpoint], videoCodecs: [Codec] = [.vp8, .h264, .vp9, .av1]
    ) {
        self.fingerprint = fingerprint
        self.candidates = candidates
        self.videoCodecs = videoCodecs
    }

    /// Answers `offer`. An m-line that we cannot serve is rejected alone, with port 0.
    ///
    /// - Parameters:
    ///   - ufrag: our ICE user name fragment (`OwnerUfrag.text`).
    ///   - password: our ICE password (`IceCredentials.makePassword`).
    ///   - generator: for the Slots' SSRCs and the answer's session id.
    /// - Throws: when no session can be made from the offer, with the line where one is to blame.
    public func answer(
        to offer: String, ufrag: String, password: String, using generator: inout some RandomNumberGenerator
    ) throws(SDPError) -> Negotiation {
        throw SDPError(.unusable, "no m-line can be accepted")
    }
}
