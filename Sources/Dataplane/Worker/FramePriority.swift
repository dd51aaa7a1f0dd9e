import Mailbox
import Wire

/// What goes first when the port does not take all that a worker sends: the lowest. A call lives on its control traffic
/// and its sound; a shared screen is what the meeting is about; a large tile's upper layers cost most, and their receiver
/// can be shown a lower one.
enum FramePriority: UInt8, BitwiseCopyable {
    /// What the kernel sends: its TCP asks again.
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
    init(_ kind: MediaKind, layer: UInt8) {
        switch kind {
        case .audio: self = .audio
        case .screen: self = .screen
        case .video: self = layer == 0 ? .camera : .upperLayer
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
