import COpenSSL
import Wire

/// One DTLS-SRTP association (RFC 5764) without I/O: datagrams and time come in as arguments, datagrams go out
/// through `nextOutgoing`. One thread or actor owns it, the same that owns the Certificate.
///
/// Time is nanoseconds of any monotonic clock.
public final class DTLSHandshake {
    public enum State: Sendable {
        case handshaking
        /// `receive` is what the peer seals with, `send` what we seal with.
        case connected(profile: SrtpProfile, receive: SrtpMasterKey, send: SrtpMasterKey)
        case failed(reason: String)
        /// The peer sent close_notify, or `close` was called.
        case closed
    }

    public private(set) var state = State.handshaking

    /// When `handleTimeout` wants to be called; nil when nothing is outstanding.
    public private(set) var timeout: UInt64?

    /// In the client role the ClientHello is ready at once.
    ///
    /// - Parameters:
    ///   - peer: what the peer's certificate must hash to.
    ///   - mtu: the largest datagram that we make, bytes of UDP payload.
    public init(
        certificate: Certificate, role: DTLSRole, peer: Fingerprint, mtu: Int = 1200, now: UInt64
    ) throws(DTLSError) {
        throw DTLSError("no context")
    }

    /// Takes a datagram. Whatever is in it, an established association stays, unless the peer ended it.
    public func receive(_ datagram: UnsafeRawBufferPointer, now: UInt64) {}

    /// Retransmits the last flight when `timeout` has passed (RFC 6347 section 4.2.4); gives up after 12 times.
    public func handleTimeout(now: UInt64) {}

    /// The next datagram to send; nil when there is none.
    public func nextOutgoing() -> [UInt8]? { nil }

    /// Ends the association: close_notify is ready to be sent when it was established.
    public func close() {}
}
