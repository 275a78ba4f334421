import CRIProto
package import GRPC
import Lifecycle
package import Model
import SwiftProtobuf

extension CRIService {
    /// The server's table for the CRI's two services. Answers from memory are given on the connection's own thread; a method
    /// that this version does not have says so.
    package func methods() -> [GRPCMethod] {
        let built = runtimeMethods + imageMethods
        let paths = Set(built.map(\.path))
        return built + CRIMethods.all.filter { !paths.contains($0.path) }.map { Self.missing($0.request, $0) }
    }

    private var runtimeMethods: [GRPCMethod] {
        [
            inline(CRIMethods.version, version),
            unary(CRIMethods.status, status),
            inline(CRIMethods.runtimeConfig, runtimeConfig),
            inline(CRIMethods.updateRuntimeConfig, updateRuntimeConfig),
            unary(CRIMethods.runPodSandbox, runPodSandbox),
            unary(CRIMethods.stopPodSandbox, stopPodSandbox),
            unary(CRIMethods.removePodSandbox, removePodSandbox),
            inline(CRIMethods.podSandboxStatus, podSandboxStatus),
            inline(CRIMethods.listPodSandbox, listPodSandbox),
            stream(CRIMethods.streamPodSandboxes, streamPodSandboxes),
            unary(CRIMethods.updatePodSandboxResources, updatePodSandboxResources),
            unary(CRIMethods.createContainer, createContainer),
            unary(CRIMethods.startContainer, startContainer),
            unary(CRIMethods.stopContainer, stopContainer),
            unary(CRIMethods.removeContainer, removeContainer),
            inline(CRIMethods.listContainers, listContainers),
            stream(CRIMethods.streamContainers, streamContainers),
            unary(CRIMethods.containerStatus, containerStatus),
            unary(CRIMethods.updateContainerResources, updateContainerResources),
            unary(CRIMethods.reopenContainerLog, reopenContainerLog),
            unary(CRIMethods.execSync, execSync),
            inline(CRIMethods.exec, exec),
            inline(CRIMethods.attach, attach),
            inline(CRIMethods.portForward, portForward),
            stream(CRIMethods.getContainerEvents, getContainerEvents),
            inline(CRIMethods.checkpointContainer, checkpointContainer),
            inline(CRIMethods.checkpointPod, checkpointPod), inline(CRIMethods.restorePod, restorePod),
        ] + statisticsMethods + metricsMethods
    }

    private var statisticsMethods: [GRPCMethod] {
        [
            unary(CRIMethods.containerStats, containerStats),
            unary(CRIMethods.listContainerStats, listContainerStats),
            stream(CRIMethods.streamContainerStats, streamContainerStats),
            unary(CRIMethods.podSandboxStats, podSandboxStats),
            unary(CRIMethods.listPodSandboxStats, listPodSandboxStats),
            stream(CRIMethods.streamPodSandboxStats, streamPodSandboxStats),
        ]
    }

    private var metricsMethods: [GRPCMethod] {
        [
            inline(CRIMethods.listMetricDescriptors, listMetricDescriptors),
            unary(CRIMethods.listPodSandboxMetrics, listPodSandboxMetrics),
            stream(CRIMethods.streamPodSandboxMetrics, streamPodSandboxMetrics),
        ]
    }

    private var imageMethods: [GRPCMethod] {
        [
            unary(CRIMethods.listImages, listImages),
            stream(CRIMethods.streamImages, streamImages),
            unary(CRIMethods.imageStatus, imageStatus),
            unary(CRIMethods.pullImage, pullImage),
            unary(CRIMethods.removeImage, removeImage),
            unary(CRIMethods.imageFsInfo, imageFsInfo),
        ]
    }

    private func inline<Request, Response>(
        _ method: CRIMethod<Request, Response>, _ body: @escaping @Sendable (Request) throws(Fault) -> Response
    ) -> GRPCMethod {
        .inline(method.path) { request, _ throws(GRPCStatus) in
            do throws(Fault) {
                return try body(request)
            } catch {
                throw GRPCStatus(error)
            }
        }
    }

    private func unary<Request, Response>(
        _ method: CRIMethod<Request, Response>, _ body: @escaping @Sendable (Request) async throws -> Response
    ) -> GRPCMethod {
        .unary(method.path) { request, context in
            do {
                guard let caller = context.traceParent else { return try await body(request) }
                return try await TraceParent.$current.withValue(caller) { try await body(request) }
            } catch let fault as Fault {
                throw GRPCStatus(fault)
            }
        }
    }

    private func stream<Request, Response>(
        _ method: CRIMethod<Request, Response>,
        _ body: @escaping @Sendable (Request, ResponseWriter<Response>) async throws -> Void
    ) -> GRPCMethod {
        .serverStream(method.path) { request, _, writer in
            do {
                try await body(request, writer)
            } catch let fault as Fault {
                throw GRPCStatus(fault)
            }
        }
    }

    private static func missing<Request: SwiftProtobuf.Message>(_ type: Request.Type, _ method: AnyCRIMethod)
        -> GRPCMethod
    {
        .unary(method.path) { (_: Request, _) -> Google_Protobuf_Empty in
            throw GRPCStatus(code: .unimplemented, message: "\(method.name) is not supported by this version")
        }
    }
}

extension GRPCStatus {
    /// The one place where a fault becomes a status of gRPC.
    package init(_ fault: Fault) {
        let code: Code
        switch fault.code {
        case .cancelled: code = .cancelled
        case .unknown: code = .unknown
        case .invalidArgument: code = .invalidArgument
        case .deadlineExceeded: code = .deadlineExceeded
        case .notFound: code = .notFound
        case .alreadyExists: code = .alreadyExists
        case .permissionDenied: code = .permissionDenied
        case .resourceExhausted: code = .resourceExhausted
        case .failedPrecondition: code = .failedPrecondition
        case .aborted: code = .aborted
        case .outOfRange: code = .outOfRange
        case .unimplemented: code = .unimplemented
        case .internal: code = .internal
        case .unavailable: code = .unavailable
        case .dataLoss: code = .dataLoss
        case .unauthenticated: code = .unauthenticated
        }
        self.init(code: code, message: Self.cut(fault.description))
    }

    /// A message travels in a header, and clients end a connection over headers of more than 16 KiB, in which a byte of the
    /// message may take three.
    private static func cut(_ message: String) -> String {
        guard message.utf8.count > 4096 else { return message }
        var end = message.utf8.index(message.startIndex, offsetBy: 4093)
        while end.samePosition(in: message.unicodeScalars) == nil { end = message.utf8.index(before: end) }
        return message[..<end] + "..."
    }
}
