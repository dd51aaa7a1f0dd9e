import Mailbox
import Wire

/// What a worker must know when it starts; nothing of it changes later.
public struct WorkerConfiguration: Sendable {
    /// Of this PoP: the first part of the ufrags that name us.
    public var pop: UInt16
    /// Which of the workers.
    public var number: Int
    public var capacity: Capacity
    /// The one UDP port for STUN, DTLS and SRTP.
    public var mediaPort: UInt16
    /// Seeds the worker's own random numbers: initial sequence numbers and timestamps, hash seeds.
    public var seed: UInt64
    /// Adds the worker's clock to NTP time: 2^32 a second since 1900 at the worker's time 0.
    public var ntpEpoch: UInt64
    /// How long packets are kept for retransmission, ns.
    public var cacheAge: UInt64
    /// How many packets all caches together may keep: the buffer pool less what reception and transmission need.
    public var cacheBudget: Int
    /// Nil: no TURN, and no plain STUN.
    public var relay: RelayConfiguration?
    /// Frames a second that this worker may pass to the kernel, and take from it; 0: there is no exception path.
    public var exceptionRate: Int

    public init(
        pop: UInt16, number: Int, capacity: Capacity, mediaPort: UInt16, seed: UInt64, ntpEpoch: UInt64,
        cacheAge: UInt64 = 1_000_000_000, cacheBudget: Int = 16_384,
        relay: RelayConfiguration? = nil, exceptionRate: Int = 0
    ) {
        self.pop = pop
        self.number = number
        self.capacity = capacity
        self.mediaPort = mediaPort
        self.seed = seed
        self.ntpEpoch = ntpEpoch
        self.cacheAge = cacheAge
        self.cacheBudget = cacheBudget
        self.relay = relay
        self.exceptionRate = exceptionRate
    }
}
