import Foundation
import Hummingbird
import Logging
import NIOPosix

/// The web client's files.
enum WebClient {
    /// The folder that was built in.
    static var bundledFolder: String { Bundle.module.bundleURL.appendingPathComponent("Web").path }

    /// Files in pieces that are small, as several wait for a slow reader.
    private struct Files: FileProvider {
        let folder: LocalFileSystem
        let reader = FileIO()

        func getFileIdentifier(_ path: String) -> String? { folder.getFileIdentifier(path) }

        func getAttributes(id: String) async throws -> LocalFileSystem.FileAttributes? {
            try await folder.getAttributes(id: id)
        }

        func loadFile(id: String, context: some RequestContext) async throws -> ResponseBody {
            try await reader.loadFile(path: id, context: context, chunkLength: 8_192)
        }

        func loadFile(id: String, range: ClosedRange<Int>, context: some RequestContext) async throws -> ResponseBody {
            try await reader.loadFile(path: id, range: range, context: context, chunkLength: 8_192)
        }
    }

    /// Serves `folder` where no route matches; always revalidated, so that a new version is seen at once.
    static func middleware(folder: String, logger: Logger) -> some MiddlewareProtocol<
        Request, Response, ApiContext
    > {
        FileMiddleware<ApiContext, Files>(
            fileProvider: Files(
                folder: LocalFileSystem(rootFolder: folder, threadPool: .singleton, logger: logger)),
            cacheControl: CacheControl([(MediaType(type: .any), [CacheControl.CacheControlValue.noCache])]),
            searchForIndexHtml: true
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
