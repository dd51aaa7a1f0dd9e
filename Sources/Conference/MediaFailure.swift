/// Why a media path is gone; the raw value is for people.
public enum MediaFailure: String, Sendable {
    case consent = "nothing was heard from your device for 30 seconds (ICE consent expired)"
    case neverConnected = "no media connection came about in time"
    case handshake = "the encryption handshake (DTLS) failed"
    /// By DTLS's close_notify: the client is done, or its page is gone.
    case closedByPeer = "your device closed the media connection"
    case worker = "the media server ended the connection"
    case stopping = "the media server is stopping"
}
