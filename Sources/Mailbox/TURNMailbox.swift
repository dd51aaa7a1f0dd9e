import Wire

/// The rings of TURN between control and one worker. Whoever handles TURN in control is the one producer and the one
/// consumer of control's ends, apart from whoever uses the other rings of the mailbox.
public struct TURNMailbox: Sendable {
    /// Worker to control: Allocate requests whose credentials are to be verified.
    public let requests: Ring<TURNRequest>
    /// Control to worker: the answers, and other orders.
    public let commands: Ring<TURNCommand>
    /// Worker to control: what became of allocations.
    public let events: Ring<TURNEvent>
    /// Control to worker: messages that came in over TCP and TLS connections.
    public let arrivals: Ring<TURNStreamMessage>
    /// Worker to control: messages to send over them. When it is full media is dropped, and counted.
    public let departures: Ring<TURNStreamMessage>
    /// Rung by whoever puts something into `commands` or `arrivals`, or into other rings to the worker.
    public let workerBell: Doorbell
    /// Rung by the worker after `requests` and `events`.
    public let controlBell: Doorbell

    /// `requests` may wait for control, `events` for its next look, `messages` in either direction of streams. Without
    /// `bells` either side looks by itself.
    public init(requests: Int = 1_024, events: Int = 8_192, messages: Int = 512, bells: Bool = false) {
        self.requests = Ring(capacity: requests)
        commands = Ring(capacity: requests)
        self.events = Ring(capacity: events)
        arrivals = Ring(capacity: messages)
        departures = Ring(capacity: messages)
        workerBell = bells ? Doorbell() : .silent
        controlBell = bells ? Doorbell() : .silent
    }

    /// Control: whether the worker has told something.
    public var hasNews: Bool { requests.count > 0 || events.count > 0 }

    public func deallocate() {
        requests.deallocate()
        commands.deallocate()
        events.deallocate()
        arrivals.deallocate()
        departures.deallocate()
        workerBell.deallocate()
        controlBell.deallocate()
    }
}

/// How a TURN client reaches us.
@frozen
public enum TURNTransport: UInt8, Sendable, BitwiseCopyable {
    case udp, tcp, tls
}

/// Who a TURN client is and over what it speaks; worker and control name it the same way.
@frozen
public struct TURNClient: Hashable, Sendable, BitwiseCopyable {
    public var transport: TURNTransport
    /// What tells clients apart: over UDP the client's address; for streams `streamEndpoint(connection)`.
    public var endpoint: Endpoint
    /// The client's real address, as XOR-MAPPED-ADDRESS and limits by address want it.
    public var remote: Endpoint
    /// Our address that it speaks to.
    public var local: Endpoint

    @inlinable
    public init(transport: TURNTransport, endpoint: Endpoint, remote: Endpoint, local: Endpoint) {
        self.transport = transport
        self.endpoint = endpoint
        self.remote = remote
        self.local = local
    }

    /// The client of a TCP or TLS connection, by a number that control gives no other connection of this worker while
    /// anything of it may be under way.
    @inlinable
    public init(stream connection: UInt64, transport: TURNTransport, remote: Endpoint, local: Endpoint) {
        self.init(
            transport: transport, endpoint: Self.streamEndpoint(connection), remote: remote, local: local)
    }

    /// A connection's stand-in for an endpoint: in the discard-only prefix (RFC 6666), from which no frame is taken.
    @inlinable
    public static func streamEndpoint(_ connection: UInt64) -> Endpoint {
        Endpoint(address: IPAddress(high: 0x0100_0000_0000_0000, low: connection), port: 0)
    }

    /// The number of a stream's connection; nil over UDP.
    @inlinable
    public var connection: UInt64? { transport == .udp ? nil : endpoint.address.low }
}

/// A STUN or ChannelData message of a TCP or TLS connection (RFC 8656 section 3.1), or the connection's end.
///
/// Control to worker: each whole message as it was cut from the stream, without the padding of ChannelData, to the worker
/// that the connection is given to for its life; `closed` deletes the allocation. Worker to control: messages to write,
/// ChannelData padded to 4 bytes (section 12.5); `closed` asks control to end the connection.
@frozen
public struct TURNStreamMessage: Sendable, BitwiseCopyable {
    /// What a message on Ethernet can hold, and the padding.
    @inlinable public static var capacity: Int { 1_504 }

    public var client: TURNClient
    public var closed: Bool
    public var count: UInt16
    public var bytes: InlineArray<1504, UInt8>

    /// An empty message; `fill` it.
    @inlinable
    public init(_ client: TURNClient, closed: Bool = false) {
        self.client = client
        self.closed = closed
        count = 0
        bytes = InlineArray(repeating: 0)
    }

    /// Takes a copy of `source`; false, and nothing is taken, when it does not fit.
    @inlinable
    public mutating func fill(_ source: UnsafeRawBufferPointer) -> Bool {
        guard source.count <= Self.capacity else { return false }
        count = UInt16(truncatingIfNeeded: source.count)
        withUnsafeMutableBytes(of: &bytes) { $0.copyMemory(from: source) }
        return true
    }
}
