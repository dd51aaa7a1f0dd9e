import Foundation
import Hummingbird
import NIOCore

/// What programs read of the API: its calls as OpenAPI, the messages of the signaling socket and the bodies of
/// webhooks as JSON Schema.
enum Descriptions {
    static let names = ["openapi.json", "signaling.schema.json", "webhooks.schema.json"]

    /// A description as it was built in; nil where its file is missing.
    static func text(_ name: String) -> Data? {
        try? Data(contentsOf: Bundle.module.bundleURL.appendingPathComponent("Schemas").appendingPathComponent(name))
    }

    /// Serves them beside the calls; always revalidated, as the web client's files are.
    static func add(to router: Router<ApiContext>) {
        for name in names {
            guard let text = text(name) else { continue }
            let body = ByteBuffer(bytes: text)
            router.get("api/v1/\(name)") { _, _ in
                Response(
                    status: .ok,
                    headers: [.contentType: "application/json; charset=utf-8", .cacheControl: "no-cache"],
                    body: ResponseBody(byteBuffer: body))
            }
        }
    }
}
