import Glibc
import Mailbox
import Wire

/// Forwards a million packets through two workers, with all that a meeting brings, and counts what they must not do.
@main
struct PacketPath {
    nonisolated(unsafe) static var failures = 0

    static func expect(_ condition: Bool, _ claim: String) {
        print(condition ? "ok \(claim)" : "FAIL \(claim)")
        if !condition { failures += 1 }
    }

    static func main() throws {
        let error = hooksStart()
        expect(error == 0, "the kernel tells system calls of a thread\(error == 0 ? "" : ": errno \(error)")")
        for (kind, name) in [(Int32(0), "an allocation"), (2, "a lock"), (3, "a system call")] {
            hooksReset()
            hooksOffend(kind)
            expect(hooksCount(kind) > 0, "the hooks see \(name)")
        }
        try run(SRTPEngine().kind, goal: 1_000_000)
        // What other CPUs run; the rest of the way is the same.
        try run(.openssl, goal: 50_000)
        exit(failures == 0 ? 0 : 1)
    }

    private static func run(_ kind: SRTPEngine.Kind, goal: UInt64) throws {
        let meeting = try Meeting(kind)
        // Reaches what happens once: the first packet of a layer, the first report.
        for step in 0..<200 { meeting.step(step) }
        hooksReset()
        meeting.isMeasuring = true
        var step = 200
        while meeting.total(.forwardedPackets) < goal && step < 200_000 {
            meeting.step(step)
            step += 1
        }
        meeting.isMeasuring = false
        let forwarded = meeting.total(.forwardedPackets)
        expect(forwarded >= goal, "\(forwarded) packets were forwarded by two workers, sealed by \(kind)")
        if goal >= 1_000_000 { reportWays(meeting) }
        reportOffences(kind)
    }

    /// The test is worth nothing if it does not reach the rooms.
    private static func reportWays(_ meeting: Meeting) {
        for (counter, least) in [
            (Counter.retransmittedPackets, 1_000), (.nacksReceived, 500), (.nacksSent, 50),
            (.keyframeRequestsReceived, 20), (.keyframeRequestsSent, 5), (.stunRequests, 200), (.handoverPackets, 100),
            (.puntedPackets, 10),
        ] { expect(meeting.total(counter) >= least, "\(counter): \(meeting.total(counter))") }
        for (event, least) in [
            ("slotSwitched", 50), ("sessionClosed", 20), ("audioLevel", 20), ("punt", 10), ("layersWanted", 4),
            ("tap 0", 100), ("tap 1", 1_000),
        ] {
            expect(meeting.events[event, default: 0] >= least, "event \(event): \(meeting.events[event, default: 0])")
        }
    }

    private static func reportOffences(_ engine: SRTPEngine.Kind) {
        for (kind, name) in [(Int32(0), "heap allocations"), (1, "frees"), (2, "locks"), (3, "system calls")] {
            let count = hooksCount(kind)
            let which = kind == 3 && count > 0 ? ", the first number \(hooksFirstCall())" : ""
            expect(count == 0, "\(count) \(name) in the workers' turns with \(engine)\(which)")
        }
        if (0..<4).contains(where: { hooksCount($0) > 0 }) { hooksPrintTrace() }
    }
}

extension Meeting {
    func total(_ counter: Counter) -> UInt64 {
        workers.reduce(0) { $0 + $1.pointee.counters[counter] }
    }

    /// A millisecond of the meeting.
    func step(_ step: Int) {
        for worker in 0..<2 {
            let publisher = members[worker][0]
            for layer in 0..<3 { sendVideo(publisher, layer: layer, isLost: random.next() % 200 == 0) }
            if step % 20 == 0 { sendAudio(publisher) }
        }
        sendRepairs()
        let member = everyone[step % everyone.count]
        if step % 4 == 0 { sendNack(member, member.slots[step / 4 % 2]) }
        if step % 150 == 7 {
            sendRTCP(member) {
                _ = $0.addPictureLossIndication(senderSSRC: 1, mediaSSRC: member.slotSsrc(member.slots[0]))
            }
        }
        if step % 10 == 3 { check(member) }
        if step % 25 == 4 { sendNoise(member, step) }
        if step % 30 == 5 { control(member, step) }
        turns()
    }

    /// DTLS, which goes to the slow path, and what is nothing.
    private func sendNoise(_ member: Member, _ step: Int) {
        sendBytes(member, [22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0])
        sendBytes(member, [0x80, 96, 1, 2, 0, 0, 0, 0, 0, 0, 0, 9] + [UInt8](repeating: 1, count: 60))
        sendBytes(member, [0, 1, 0, 0, 1, 2, 3, 4])
        sendBytes(member, [0x80, 201, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        var reply = Datagram(session: member.peer.session)
        [UInt8](repeating: 23, count: 100).withUnsafeBytes { reply.fill($0) }
        _ = mailboxes[member.peer.session.worker].replies.push(reply)
    }

    /// What control does all the time: other layers, Slots in and out, people who come and go.
    private func control(_ member: Member, _ step: Int) {
        let worker = member.peer.session.worker
        let heights: [UInt16] = [180, 360, 720]
        command(worker, map(member, 0, maxHeight: heights[step / 30 % 3]))
        command(worker, .mapSlot(MapSlot(slot: member.slots[1], track: .none, maxHeight: 0)))
        command(worker, map(member, 1, maxHeight: 720))
        let guest = BenchmarkPeer(index: 40, worker: worker, mac: Self.mac)
        let session = SessionHandle(worker: UInt8(worker), index: 40, generation: UInt32(step))
        // OpenSSL's contexts are allocated with a Session's keys, never for a packet.
        for profile in [SRTPProfile.aeadAes128Gcm, .aes128CmHmacSha1] where kind == .ipsecMB {
            command(
                worker,
                .openSession(
                    OpenSession(
                        session: session, ufragSecret: UInt64(step), password: ShortText("guest-password-0123456")!)),
                .installKeys(
                    InstallKeys(
                        session: session, profile: profile, receive: guest.master(profile, isSend: false),
                        send: guest.master(profile, isSend: true))))
        }
        command(worker, .closeSession(session))
    }
}
