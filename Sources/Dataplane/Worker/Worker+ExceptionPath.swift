import Mailbox
import Wire

/// Frames to the kernel, and from it.
extension Worker where Queue: ~Copyable {
    /// Takes over a frame that the data plane has no use for: the kernel's, if there is a way to it and the frame was sent
    /// to this host or to a group; else dropped for `reason`, or freed when the data plane did make use of it. `isLooped`: a
    /// client of the relay sent it to one of our own addresses; the kernel's sockets are no peers of it.
    mutating func passToKernel(
        _ packet: Mbuf, otherwise reason: DropReason?, isLooped: Bool = false, now: UInt64
    ) {
        let receiver = MACAddress(load: packet.data)
        guard exception.isOpen, !isLooped, receiver == neighbors.mac || receiver.isMulticast else {
            if let reason { counters.drop(reason) }
            return packet.free()
        }
        guard exception.inbound.available(now: now) > 0 else { return drop(packet, .exceptionRate) }
        exception.inbound.take(1)
        if configuration.number == 0 {
            queueForKernel(packet)
        } else if !siblings.hand(.exception(packet), to: 0) {
            drop(packet, .exceptionFull)
        }
    }

    /// Takes over a frame for the kernel, on the worker that owns its interface.
    mutating func queueForKernel(_ packet: Mbuf) {
        if !exception.add(packet) { drop(packet, .exceptionFull) }
    }

    /// Moves frames between port and kernel, once per turn after everything else: how many. `isBusy` when the device had
    /// a full burst.
    mutating func exchangeWithKernel(now: UInt64, isBusy: Bool) -> Int {
        guard exception.queue != nil, !isBusy || now >= exception.due else { return 0 }
        exception.due = now &+ ExceptionPath<Queue>.patience
        let sent = sendToKernel()
        return sent &+ receiveFromKernel(now: now)
    }

    private mutating func sendToKernel() -> Int {
        let count = exception.takeWaiting()
        guard count > 0 else { return 0 }
        for index in 0..<count { PartialChecksum.complete(exception.frames[index].mutableBytes) }
        let sent = exception.queue?.transmit(exception.frames, count: count) ?? 0
        counters.add(.exceptionToKernel, UInt64(truncatingIfNeeded: sent))
        if sent < count {
            counters.drop(.exceptionFull, UInt64(truncatingIfNeeded: count &- sent))
            (exception.frames + sent).freeAll(count &- sent)
        }
        return count
    }

    private mutating func receiveFromKernel(now: UInt64) -> Int {
        // Frames over the rate, or for a port that is full, stay in the kernel, whose queue applies back-pressure.
        guard outbox.heldCount == 0 else { return 0 }
        let most = min(ExceptionPath<Queue>.burst, exception.outbound.available(now: now))
        guard most > 0 else { return 0 }
        let count = exception.queue?.receive(into: exception.frames, capacity: most) ?? 0
        exception.outbound.take(count)
        for index in 0..<count {
            sendForKernel(exception.frames[index])
            if outbox.isFull { flush() }
        }
        return count
    }

    /// Takes over a frame that the kernel wants to send.
    private mutating func sendForKernel(_ packet: Mbuf) {
        guard packet.isContiguous, packet.length >= EthernetHeader.length else { return drop(packet, .truncated) }
        // Only the data plane sends from the media port.
        if let datagram = DatagramFrame(packet.bytes), datagram.source.port == configuration.mediaPort,
            neighbors.isOwn(datagram.source.address)
        {
            return drop(packet, .exceptionRefused)
        }
        counters.add(.exceptionFromKernel)
        packet.clearOffloads()
        outbox.add(packet, priority: .kernel)
    }
}
