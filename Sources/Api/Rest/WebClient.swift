import Foundation
import Hummingbird
import Logging

/// The web client's files.
enum WebClient {
    /// The folder that was built in.
    static var bundledFolder: String { Bundle.module.bundleURL.appendingPathComponent("Web").path }

    /// Serves `folder` where no route matches; always revalidated, so that a new version is seen at once.
    static func middleware(folder: String, logger: Logger) -> FileMiddleware<ApiContext, LocalFileSystem> {
        FileMiddleware<ApiContext, LocalFileSystem>(
            folder, cacheControl: CacheControl([(MediaType(type: .any), [CacheControl.CacheControlValue.noCache])]),
            searchForIndexHtml: true, logger: logger
        )
        .withAdditionalMediaType(MediaType(type: .text, subType: "javascript"), mappedToFileExtension: "mjs")
        .withAdditionalMediaType(
            MediaType(type: .application, subType: "manifest+json"), mappedToFileExtension: "webmanifest"
        )
        .withAdditionalMediaType(MediaType(type: .font, subType: "woff2"), mappedToFileExtension: "woff2")
    }
}

/// Lets only plain names through to the file system: no hidden files, no `..`, no control characters, whatever
/// way they are escaped.
struct PlainPath<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard let path = request.uri.path.removingPercentEncoding, Self.isPlain(path) else {
            throw Problem(404, "not_found", "There is nothing here.")
        }
        return try await next(request, context)
    }

    static func isPlain(_ path: String) -> Bool {
        path.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x5c && $0 != 0x7f }
            && path.split(separator: "/").allSatisfy { !$0.hasPrefix(".") }
    }
}
