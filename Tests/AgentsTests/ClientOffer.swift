import Foundation

/// An offer in the shape that a client of others gives it, by file name.
struct ClientOffer {
    let text: String

    init(_ client: String) throws {
        let folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Interop/offers")
        text = try String(contentsOf: folder.appendingPathComponent("\(client).sdp"), encoding: .utf8)
            .replacing("\n", with: "\r\n")
    }
}
