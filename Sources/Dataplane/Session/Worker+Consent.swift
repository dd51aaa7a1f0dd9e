import Mailbox
import Wire

/// Consent to send (RFC 7675): nothing goes to a peer whose checks have stopped, though what it sends is still taken.
extension Worker where Queue: ~Copyable {
    /// An authentic check came from the address that we send to.
    mutating func noteConsent(of session: UnsafeMutablePointer<Session>, now: UInt64) {
        session.pointee.heardAt = now
        session.pointee.consentAt = now
        if session.pointee.send == nil, session.pointee.sendKeys != nil { beginSending(to: session, now: now) }
    }

    /// There are keys and consent. Its Slots could not be served before: what is mapped into them needs a keyframe.
    mutating func beginSending(to session: UnsafeMutablePointer<Session>, now: UInt64) {
        session.pointee.send = session.pointee.sendKeys
        var slot = session.pointee.firstSlot
        while slot != Link.none {
            let place = slots.element(at: Int(slot))
            refreshTarget(of: place, now: now)
            slot = place.pointee.nextOfSession
        }
    }

    /// Consent is gone: no media, no reports and no feedback until the next check.
    mutating func endSending(to session: UnsafeMutablePointer<Session>) {
        // What came before was sent with consent.
        distribute()
        session.pointee.send = nil
        var slot = session.pointee.firstSlot
        while slot != Link.none {
            let place = slots.element(at: Int(slot))
            place.pointee.current = nil
            slot = place.pointee.nextOfSession
        }
    }
}
