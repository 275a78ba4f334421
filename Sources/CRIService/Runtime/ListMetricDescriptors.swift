import CRIProto
import SwiftProtobuf

extension CRIService {
    func listMetricDescriptors(_ request: Runtime_V1_ListMetricDescriptorsRequest)
        -> Runtime_V1_ListMetricDescriptorsResponse
    {
        .with { $0.descriptors = Metrics.descriptors }
    }
}
