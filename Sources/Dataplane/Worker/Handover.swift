import Mailbox
import Wire

/// What one worker hands another through the ring between them. Packets carry their reference along.
enum Handover: BitwiseCopyable {
    /// A received frame whose Session lives on the other worker.
    case frame(Mbuf)
    /// An opened media packet for the Track's replica there; its `PacketRecord` travels with it.
    case media(Mbuf, TrackHandle)
    /// A frame that says where a neighbour lives, for a worker that may have asked.
    case neighbor(Mbuf)
    /// A frame to send, from a worker that has no transmit queue of its own.
    case transmit(Mbuf)
    /// A frame for the kernel, to the worker that owns its interface.
    case exception(Mbuf)
    /// A Sink of the replica needs a keyframe: to the Track's owner.
    case keyframe(TrackHandle, layer: UInt8)
    /// The Layers that the Sinks of a replica want: to the source's owner.
    case layersWanted(TrackHandle, by: TrackHandle, LayerSet)
    /// The Layers that the source of a replica is sent at present (`Track.choices`), and their rates, kbit/s, 0 where they are
    /// not known: to the replica's owner.
    case layersSent(TrackHandle, choices: UInt64, kilobits: InlineArray<3, UInt16>)
    /// The clock of a Layer of the replica's source.
    case sourceClock(TrackHandle, layer: UInt8, SourceClock)
    /// Frames from this endpoint belong to a Session on the sender's worker.
    case flowOpened(Endpoint, SessionHandle)
    case flowClosed(Endpoint, SessionHandle)
    /// Likewise for packets of this SSRC that come from an unknown address.
    case sourceOpened(UInt32, SessionHandle)
    case sourceClosed(UInt32, SessionHandle)
    /// Frames from this client are for an Allocation on the sender's worker, though its hash does not lead there.
    case clientOpened(FlowKey, AllocationHandle)
    case clientClosed(FlowKey, AllocationHandle)
}

extension Handover {
    /// The packet whose reference travels with it.
    var packet: Mbuf? {
        switch self {
        case .frame(let packet), .media(let packet, _), .neighbor(let packet), .transmit(let packet),
            .exception(let packet):
            packet
        case .keyframe, .layersWanted, .layersSent, .sourceClock, .flowOpened, .flowClosed, .sourceOpened,
            .sourceClosed,
            .clientOpened, .clientClosed:
            nil
        }
    }
}
