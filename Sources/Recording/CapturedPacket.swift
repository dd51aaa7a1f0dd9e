import Wire

/// An RTP packet in memory of its own, as it waits for its turn.
struct CapturedPacket: Sendable, Equatable {
    /// The sequence number, counted on where its 16 bits wrap.
    var sequence: UInt64
    var timestamp: UInt32
    var marker: Bool
    /// Without padding.
    var payload: [UInt8]
    /// When it came in, ns of the recorder's clock.
    var arrival: UInt64

    init(_ packet: RTPPacket, sequence: UInt64, arrival: UInt64) {
        self.sequence = sequence
        timestamp = packet.timestamp
        marker = packet.marker
        payload = Array(packet.payload)
        self.arrival = arrival
    }
}
