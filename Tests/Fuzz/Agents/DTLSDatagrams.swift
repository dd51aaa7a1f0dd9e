import Agents

nonisolated(unsafe) private let ours = try! Certificate(notBefore: 0)
nonisolated(unsafe) private let theirs = try! Certificate(notBefore: 0)

/// A handshake whose wire the input plays with: datagrams are delivered, bent, lost, made up, and time passes.
///
/// The input is steps of one byte of what, one byte of how much, and that many bytes of data.
func fuzzDTLSDatagrams(_ input: UnsafeRawBufferPointer) {
    var now: UInt64 = 0
    let server = try! DTLSHandshake(certificate: ours, role: .server, peer: theirs.fingerprint, now: now)
    let client = try! DTLSHandshake(certificate: theirs, role: .client, peer: ours.fingerprint, now: now)
    var rest = input[...]
    var steps = 0
    while rest.count >= 2, steps < 64 {
        steps += 1
        let (what, size) = (rest[rest.startIndex], Int(rest[rest.startIndex + 1]))
        let data = UnsafeRawBufferPointer(rebasing: rest.dropFirst(2).prefix(size))
        rest = rest.dropFirst(2 + data.count)
        switch what & 7 {
        case 0, 1: deliver(from: client, to: server, now, bend: what & 1 == 0 ? nil : data)
        case 2, 3: deliver(from: server, to: client, now, bend: what & 1 == 0 ? nil : data)
        case 4: invent(data, to: server, now)
        case 5: invent(data, to: client, now)
        case 6:
            now = [server.timeout, client.timeout].compactMap { $0 }.min() ?? now
            server.handleTimeout(now: now)
            client.handleTimeout(now: now)
        default: _ = client.nextOutgoing()
        }
    }
    use(server.timeout ?? 0)
}

/// Bytes that the peer did not make must not end an established association.
private func invent(_ data: UnsafeRawBufferPointer, to end: DTLSHandshake, _ now: UInt64) {
    let wasConnected = end.isConnected
    end.receive(data, now: now)
    precondition(end.isConnected || !wasConnected)
}

private func deliver(
    from sender: DTLSHandshake, to receiver: DTLSHandshake, _ now: UInt64, bend: UnsafeRawBufferPointer?
) {
    while var datagram = sender.nextOutgoing() {
        precondition(datagram.count <= 1200)
        if let bend, bend.count >= 2 {
            for (index, byte) in bend.dropFirst(2).enumerated() {
                datagram[(Int(bend[0]) << 8 + Int(bend[1]) + index) % datagram.count] ^= byte
            }
        }
        datagram.withUnsafeBytes { receiver.receive($0, now: now) }
    }
}

extension DTLSHandshake {
    fileprivate var isConnected: Bool {
        if case .connected = state { true } else { false }
    }
}
