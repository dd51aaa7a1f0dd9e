import COpenSSL

/// Takes the retransmission timer of a DTLS handshake from OpenSSL's wall clock.
///
/// OpenSSL 3.0 keeps the deadline as a `timeval` in the `SSL`, compares it with `gettimeofday`, and tells its
/// address to the input BIO (`BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT`) whenever the timer starts or stops. So the timer is
/// given an interval that never ends on the wall clock, and `expire` writes a deadline in the past when the caller's
/// clock says so. From version 3.2 on the BIO gets the address of a copy: there `expire` does nothing, the
/// intervals are the true ones, and OpenSSL's clock decides.
final class DTLSTimer {
    /// Nanoseconds until the next retransmission. It begins with what RFC 9147 section 5.8.2 recommends for DTLS-SRTP: a lost
    /// flight delays the first picture less than with the 1 s of RFC 6347 section 4.2.4.1, and nothing is repeated while the
    /// round trip is shorter (an ICE-lite agent has not measured it). It ends below the 60 s since nobody waits so long.
    private(set) var interval = DTLSTimer.first

    private static let first: UInt64 = 400_000_000
    private static let last: UInt64 = 5_000_000_000
    /// Microseconds, over an hour: nearly the most that the type holds.
    private static let never: UInt32 = 4_000_000_000

    private static let isDeadlineInPlace = OpenSSL_version_num() >> 20 == 0x300

    private var restarted = false
    /// Lives as long as the `SSL`.
    private var deadline: UnsafeMutablePointer<timeval>?

    /// Whether OpenSSL has set the timer anew since the last call.
    func takeRestart() -> Bool {
        defer { restarted = false }
        return restarted
    }

    func expire() {
        deadline?.pointee = timeval(tv_sec: 1, tv_usec: 0)
    }

    func attach(to ssl: OpaquePointer, input: OpaquePointer) {
        let owner = Unmanaged.passUnretained(self).toOpaque()
        BIO_set_callback_arg(input, owner.assumingMemoryBound(to: CChar.self))
        BIO_set_callback_ex(input) { bio, operation, argument, _, command, _, result, _ in
            if operation == BIO_CB_CTRL, command == BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT, DTLSTimer.isDeadlineInPlace {
                let owner = UnsafeRawPointer(BIO_get_callback_arg(bio)!)
                Unmanaged<DTLSTimer>.fromOpaque(owner).takeUnretainedValue().deadline =
                    UnsafeMutableRawPointer(mutating: argument)?.assumingMemoryBound(to: timeval.self)
            }
            return Int(result)
        }
        // The timer is found through the input BIO, as the SSL's own place belongs to the handshake.
        DTLS_set_timer_cb(ssl) { ssl, previous in
            guard let owner = BIO_get_callback_arg(SSL_get_rbio(ssl)) else { return DTLSTimer.never }
            return Unmanaged<DTLSTimer>.fromOpaque(UnsafeRawPointer(owner)).takeUnretainedValue().next(after: previous)
        }
    }

    func detach(from ssl: OpaquePointer, input: OpaquePointer) {
        DTLS_set_timer_cb(ssl, nil)
        BIO_set_callback_ex(input, nil)
        BIO_set_callback_arg(input, nil)
    }

    /// OpenSSL's question when a flight is sent (`previous` is 0) and when it is sent again; microseconds.
    private func next(after previous: UInt32) -> UInt32 {
        interval = previous == 0 ? Self.first : min(interval * 2, Self.last)
        restarted = true
        return Self.isDeadlineInPlace ? Self.never : UInt32(interval / 1000)
    }
}
