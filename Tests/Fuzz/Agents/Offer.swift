import Agents
import Wire

private let answerer = Answerer(
    fingerprint: Fingerprint(algorithm: .sha256, bytes: [UInt8](repeating: 1, count: 32))!,
    candidates: [Endpoint("192.0.2.1:3478")!])

/// Not random: collisions of SSRCs are part of what is tried.
private struct Constant: RandomNumberGenerator {
    mutating func next() -> UInt64 { 0xffff_ffff_ffff_ffff }
}

/// Offers, a second one of the same client behind a zero: what is answered gives an answer that parses and keeps the m-lines, and a result within its bounds.
func fuzzOffer(_ input: UnsafeRawBufferPointer) {
    let parts = input.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    let text = String(decoding: parts[0], as: UTF8.self)
    var constant = Constant()
    guard let offer = try? SessionDescription(parsing: text),
        let negotiation = try? answerer.answer(
            to: text, ufrag: "abcd", password: "abcdefghijklmnopqrstuv", using: &constant)
    else { return }
    let answer = try! SessionDescription(parsing: negotiation.answer)
    precondition(answer.media.map(\.kind) == offer.media.map(\.kind))
    precondition(!answer.media.allSatisfy { $0.port == 0 })
    precondition(answer.media.map(\.proto) == offer.media.map(\.proto))
    // No more is accepted than is served.
    for (kind, most) in [(MediaKind.audio, 2), (.video, 1), (.screen, 1)] {
        precondition(negotiation.sends.count { $0.kind == kind } <= most)
    }
    let attributes = answer.media.flatMap(\.attributes)
    precondition(!attributes.contains { $0.name == "rtcp-fb" && $0.value.contains("remb") })
    precondition(!attributes.contains { $0.name == "fmtp" && $0.value.contains("sprop-") })
    for send in negotiation.sends {
        precondition((1...3).contains(send.layers.count) && send.payloadTypes.hasMedia && ShortText(send.mid) != nil)
        precondition(send.layers.allSatisfy { ShortText($0.rid) != nil })
    }
    let ssrcs = negotiation.receives.flatMap { $0.rtxSsrc == 0 ? [$0.ssrc] : [$0.ssrc, $0.rtxSsrc] }
    precondition(Set(ssrcs).count == ssrcs.count && !ssrcs.contains(0))
    answerAgain(parts.count > 1 ? String(decoding: parts[1], as: UTF8.self) : text, after: negotiation)
}

/// What goes on with a session keeps its Slots, and has other credentials of ours where the client has.
private func answerAgain(_ text: String, after earlier: Negotiation) {
    var constant = Constant()
    let later = try? answerer.answer(
        to: text, after: earlier, ufrag: "efgh", password: "vutsrqponmlkjihgfedcba", using: &constant)
    guard let later, later.isContinuation else { return }
    precondition(later.fingerprint.bytes == earlier.fingerprint.bytes && later.origin == earlier.origin)
    precondition(later.receives.map(\.mid) == earlier.receives.map(\.mid))
    precondition(later.receives.map(\.ssrc) == earlier.receives.map(\.ssrc))
    let isRestart =
        later.remoteUfrag != earlier.remoteUfrag || later.remotePassword != earlier.remotePassword
    precondition((later.ufrag == "efgh") == isRestart && (later.answer == earlier.answer) == !isRestart)
}
