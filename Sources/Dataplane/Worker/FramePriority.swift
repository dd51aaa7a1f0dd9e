import Mailbox
import Wire

/// Which frames are dropped first when the port cannot take all: those of the lowest priority. A call needs its control
/// traffic and audio most, then the shared screen; upper simulcast layers take the most bandwidth, and a lower one can
/// replace them.
enum FramePriority: UInt8, BitwiseCopyable {
    /// From the kernel, whose TCP retransmits.
    case kernel
    /// A camera's layer above the lowest.
    case upperLayer
    /// A camera's lowest or only layer.
    case camera
    case screen
    case audio
    /// RTCP, STUN, DTLS, ARP and the rest.
    case control

    @inline(__always)
    init(_ kind: MediaKind, isUpper: Bool) {
        switch kind {
        case .audio: self = .audio
        case .screen: self = .screen
        case .video: self = isUpper ? .upperLayer : .camera
        }
    }

    var dropReason: DropReason {
        switch self {
        case .kernel: .exceptionFull
        case .upperLayer: .transmitFullUpperLayer
        case .camera: .transmitFullCamera
        case .screen: .transmitFullScreen
        case .audio: .transmitFullAudio
        case .control: .transmitFull
        }
    }
}
