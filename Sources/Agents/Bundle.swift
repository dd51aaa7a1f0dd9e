/// The first BUNDLE group of an offer (RFC 8843).
struct Bundle {
    /// Whether the offer has one; without it only a single m-line can be served, as all share our one UDP port.
    var exists: Bool
    private var mids: [String]

    /// - Throws: when several m-lines are offered without a group.
    init(_ offer: SessionDescription) throws(SDPError) {
        let groups = offer.attributes.values("group").map(\.words)
        let group = groups.first { $0.first == "BUNDLE" }
        exists = group != nil
        mids = group?.dropFirst().reduce(into: []) { if !$0.contains($1) { $0.append($1) } } ?? []
        guard exists || offer.media.filter({ $0.port != 0 }).count <= 1 else {
            throw SDPError(.unusable, "the offer has no a=group:BUNDLE")
        }
    }

    /// Why the m-line cannot be served on our one UDP port; nil when it can.
    func refusal(of media: OfferedMedia) -> String? {
        exists && !mids.contains(media.mid) ? "it is in no BUNDLE group, and one transport is served" : nil
    }

    /// The accepted m-lines, that first whose attributes count for the whole group.
    func inOrder(_ answers: [MediaAnswer]) -> [MediaAnswer] {
        let accepted = answers.filter(\.isAccepted)
        guard exists else { return accepted }
        return mids.compactMap { mid in accepted.first { $0.offered.mid == mid } }
    }
}
