import CPacketSocket
import Glibc
import Wire

/// One worker's sockets on an interface of the kernel: a ring that receives, and a socket that sends. Only that worker's
/// thread uses it.
struct PacketSocketQueue: ~Copyable {
    private let sender: Int32
    let counters: PacketCounters
    private let pool: BufferPool
    /// Bytes of the longest frame that is taken.
    private let longestFrame: Int
    private var ring: ReceiveRing
    private var batch: MessageBatch
    private var stock = BufferStock()
    private var split = SegmentSplit()
    /// A frame that was too long for the ring, behind its `virtio_net_hdr`.
    private let whole: UnsafeMutableRawBufferPointer

    /// Owns the sockets and closes them.
    init(
        sender: Int32, ring: consuming ReceiveRing, segments: Int, pool: BufferPool,
        counters: PacketCounters, longestFrame: Int
    ) {
        self.sender = sender
        self.ring = ring
        self.pool = pool
        self.counters = counters
        self.longestFrame = longestFrame
        batch = MessageBatch(segments: segments)
        whole = .allocate(byteCount: 1 << 16 + ReceiveRing.virtioLength + EthernetHeader.length, alignment: 16)
    }

    deinit {
        close(sender)
        whole.deallocate()
    }

    /// Readable when a frame has come.
    @inline(__always)
    var receiver: Int32 { ring.handle }

    /// Whether something has come already.
    @inline(__always)
    var hasFrame: Bool { ring.peek() != nil }

    /// See `PortQueue`.
    @inline(never)
    mutating func receive(into burst: UnsafeMutablePointer<Mbuf>, capacity: Int) -> Int {
        var count = 0
        var bytes = 0
        while count < capacity {
            if let packet = split.next() {
                burst[count] = packet
            } else if let frame = ring.peek() {
                let packet = take(frame)
                ring.release()
                guard let packet else { continue }
                burst[count] = packet
            } else {
                break
            }
            bytes &+= burst[count].length
            count &+= 1
        }
        guard count > 0 else { return 0 }
        counters.add(.receivedPackets, count)
        counters.add(.receivedBytes, bytes)
        return count
    }

    /// Forgets that the interface went down, which would make the socket readable until somebody asks.
    func clearError() {
        var error: Int32 = 0
        var length = socklen_t(4)
        getsockopt(ring.handle, SOL_SOCKET, SO_ERROR, &error, &length)
    }

    /// A copy of a frame that came in; nil when it was dropped, or taken apart.
    @inline(__always)
    private mutating func take(_ frame: ReceivedFrame) -> Mbuf? {
        let length = frame.length
        guard !frame.isOutgoing, !frame.isPart, frame.offload.gso_type == UInt8(VIRTIO_NET_HDR_GSO_NONE),
            length <= longestFrame, !frame.isTagged
        else {
            takeApart(frame)
            return nil
        }
        guard let packet = stock.take(from: pool), let place = packet.append(length) else {
            counters.add(.noBuffer)
            return nil
        }
        place.copyMemory(from: frame.data, byteCount: length)
        return packet
    }

    /// Takes what is no frame of the link: several in one are taken apart, everything else is dropped and counted.
    @inline(never)
    private mutating func takeApart(_ frame: ReceivedFrame) {
        var offload = frame.offload
        var bytes = UnsafeRawBufferPointer(start: frame.data, count: frame.length)
        if frame.isPart {
            // The kernel keeps the whole one in the socket's queue, as far as there is room. Also what is not wanted is taken
            // from there, or it would be the next one's.
            let header = ReceiveRing.virtioLength
            let length = frame.isCopied ? Self.receive(ring.handle, whole) : 0
            guard length > header else { return counters.add(.receiveErrors) }
            offload = UnsafeRawPointer(whole.baseAddress!).loadUnaligned(as: virtio_net_hdr.self)
            bytes = UnsafeRawBufferPointer(start: whole.baseAddress! + header, count: length &- header)
        }
        if frame.isOutgoing { return }
        if frame.isTagged
            || !split.take(bytes, offload, longestFrame: longestFrame, stock: &stock, pool: pool)
        {
            counters.add(.receiveErrors)
        }
    }

    /// The system call for a frame that is longer than the link's.
    @inline(never)
    private static func receive(_ handle: Int32, _ memory: UnsafeMutableRawBufferPointer) -> Int {
        recv(handle, memory.baseAddress, memory.count, Int32(MSG_DONTWAIT))
    }

    /// See `PortQueue`. What the kernel refuses for another reason than that it has too much is lost.
    @inline(never)
    mutating func transmit(_ frames: UnsafeMutablePointer<Mbuf>, count: Int) -> Int {
        var taken = 0
        while taken < count {
            let part = min(count &- taken, MessageBatch.capacity)
            batch.gather(frames + taken, count: part)
            let sent = send(frames + taken)
            (frames + taken).freeAll(sent)
            taken &+= sent
            guard sent == part else { break }
        }
        return taken
    }

    /// Sends the batch; how many of its frames are gone.
    private mutating func send(_ frames: UnsafeMutablePointer<Mbuf>) -> Int {
        var gone = 0
        var bytes = 0
        var lost = 0
        while gone < batch.count {
            let result = Self.send(sender, batch.messages + gone, UInt32(truncatingIfNeeded: batch.count &- gone))
            if result > 0 {
                gone &+= Int(result)
            } else if result == -EAGAIN {
                break
            } else if result != -EINTR {
                let refused = batch.frames(inFirst: gone)..<batch.frames(inFirst: gone &+ 1)
                lost &+= refused.count
                for index in refused { bytes &-= frames[index].length }
                gone &+= 1
            }
        }
        let count = batch.frames(inFirst: gone)
        for index in 0..<count { bytes &+= frames[index].length }
        counters.add(.transmittedPackets, count &- lost)
        counters.add(.transmittedBytes, bytes)
        if lost > 0 { counters.add(.transmitErrors, lost) }
        return count
    }

    /// The one system call of a worker that has something to send.
    @inline(never)
    private static func send(_ handle: Int32, _ messages: UnsafeMutablePointer<packet_message>, _ count: UInt32)
        -> Int32
    {
        packet_socket_send(handle, messages, count)
    }
}
