import Foundation
import Testing

@testable import Api

@Suite(.timeLimit(.minutes(1))) struct WebClientFiles {
    /// A folder with a page in it and a secret beside it.
    private static func withFolder(_ body: @Sendable (ApiConfiguration) async throws -> Void) async throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("needletail-\(UUID())")
        let web = root.appendingPathComponent("web")
        try FileManager.default.createDirectory(at: web, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: root) }
        try Data("<!doctype html>hello".utf8).write(to: web.appendingPathComponent("index.html"))
        try Data("export {}".utf8).write(to: web.appendingPathComponent("app.js"))
        try Data("hidden".utf8).write(to: web.appendingPathComponent(".hidden"))
        try Data("secret".utf8).write(to: root.appendingPathComponent("secret.txt"))
        var configuration = ApiNode.configuration
        configuration.webFolder = web.path
        try await body(configuration)
    }

    @Test func aPageIsServedWithTypeAndSafetyHeaders() async throws {
        try await Self.withFolder { configuration in
            try await ApiNode.run(configuration) { node async throws in
                let page = try await node.call("GET", "/")
                #expect(page.status == 200)
                #expect(page.body == "<!doctype html>hello")
                #expect(page.headers["content-type"]?.hasPrefix("text/html") == true)
                #expect(page.headers["cache-control"] == "no-cache")
                #expect(page.headers["content-security-policy"]?.contains("default-src 'self'") == true)
                #expect(page.headers["x-content-type-options"] == "nosniff")
                #expect(page.headers["referrer-policy"] == "no-referrer")
                #expect(page.headers["permissions-policy"]?.contains("camera=(self)") == true)
                let script = try await node.call("GET", "/app.js")
                #expect(script.headers["content-type"]?.contains("javascript") == true)
            }
        }
    }

    @Test func anUnchangedFileIsNotSentAgain() async throws {
        try await Self.withFolder { configuration in
            try await ApiNode.run(configuration) { node async throws in
                let tag = try #require(try await node.call("GET", "/app.js").headers["etag"])
                let again = try await node.call("GET", "/app.js", headers: ["If-None-Match": tag])
                #expect(again.status == 304)
                #expect(again.body == "")
            }
        }
    }

    /// RFC 9110 section 13.1.2.
    @Test func aConditionIsAListOrAnything() async throws {
        try await Self.withFolder { configuration in
            try await ApiNode.run(configuration) { node async throws in
                let tag = try #require(try await node.call("GET", "/app.js").headers["etag"])
                let opaque = tag.hasPrefix("W/") ? String(tag.dropFirst(2)) : tag
                for known in ["*", tag, opaque, "W/\(opaque)", "\"a,b\", \(tag)", "\"a\" ,\(tag), W/\"c\""] {
                    for method in ["GET", "HEAD"] {
                        let fields = ["If-None-Match": known, "If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"]
                        let answer = try await node.call(method, "/app.js", headers: fields)
                        #expect(answer.status == 304)
                        #expect(answer.headers["etag"] == tag)
                    }
                }
                for other in ["\"a\"", "\"a, \(opaque.dropFirst())", "\"a\", \"b\""] {
                    // Tags count more than dates.
                    let fields = ["If-None-Match": other, "If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"]
                    #expect(try await node.call("GET", "/app.js", headers: fields).body == "export {}")
                }
                #expect(try await node.call("GET", "/none.js", headers: ["If-None-Match": "*"]).status == 404)
            }
        }
    }

    /// RFC 9110 section 14. The file has 9 bytes.
    @Test(
        arguments: [
            ("bytes=0-0", 206, "e", "bytes 0-0/9"), ("bytes=7-", 206, "{}", "bytes 7-8/9"),
            ("bytes=-2", 206, "{}", "bytes 7-8/9"), ("bytes=-20", 206, "export {}", "bytes 0-8/9"),
            ("Bytes=7-99999999999999999999", 206, "{}", "bytes 7-8/9"), ("bytes=9-", 416, nil, "bytes */9"),
            ("bytes=9-12", 416, nil, "bytes */9"), ("bytes=99999999999999999999-", 416, nil, "bytes */9"),
            ("bytes=-0", 416, nil, "bytes */9"), ("bytes=2-1", 200, "export {}", nil),
            ("bytes=0-1,3-4", 200, "export {}", nil), ("bytes=", 200, "export {}", nil),
            ("bytes", 200, "export {}", nil),
            ("bytes=-", 200, "export {}", nil), ("bytes=a-b", 200, "export {}", nil),
            ("lines=0-1", 200, "export {}", nil),
            ("bytes=+1-2", 200, "export {}", nil),
        ] as [(String, Int, String?, String?)])
    func aRangeIsServedOrPastTheEnd(_ range: String, _ status: Int, _ body: String?, _ said: String?) async throws {
        try await Self.withFolder { configuration in
            try await ApiNode.run(configuration) { node async throws in
                let answer = try await node.call("GET", "/app.js", headers: ["Range": range])
                #expect(answer.status == status)
                #expect(answer.headers["content-range"] == said)
                if let body {
                    #expect(answer.body == body)
                    #expect(answer.headers["content-length"] == "\(body.utf8.count)")
                } else {
                    #expect(answer.code == "range_not_satisfiable")
                }
                // Of another version than the client has, the whole.
                let fields = ["Range": range, "If-Range": "\"old\""]
                #expect(try await node.call("GET", "/app.js", headers: fields).body == "export {}")
            }
        }
    }

    @Test(arguments: [
        "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/%2e%2e%2fsecret.txt", "//../secret.txt",
        "/a/../../secret.txt", "/.hidden", "/%2ehidden", "/app.js%00.html", "/..%5csecret.txt", "/%",
    ])
    func nothingOutsideTheFolderIsServed(_ path: String) async throws {
        try await Self.withFolder { configuration in
            try await ApiNode.run(configuration) { node async throws in
                let answer = try await node.call("GET", path)
                #expect((400...404).contains(answer.status))
                #expect(!answer.body.contains("secret") && !answer.body.contains("hidden"))
            }
        }
    }

    @Test func theBuiltInClientIsServed() async throws {
        try await ApiNode.run { node async throws in
            let answer = try await node.call("GET", "/api.js")
            #expect(answer.status == 200)
            #expect(answer.body.contains("export"))
        }
    }

    @Test(arguments: Descriptions.names)
    func theDescriptionsAreServedBesideTheCalls(_ name: String) async throws {
        try await ApiNode.run { node async throws in
            let answer = try await node.call("GET", "/api/v1/\(name)")
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"] == "application/json; charset=utf-8")
            #expect(answer.headers["cache-control"] == "no-cache")
            #expect(answer.body == Descriptions.text(name).map { String(decoding: $0, as: UTF8.self) })
            #expect(answer.json["openapi"] == "3.1.0" || answer.json["$defs"] != nil)
        }
    }
}
