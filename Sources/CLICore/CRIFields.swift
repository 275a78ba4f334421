// swift-format-ignore-file
// Made from proto/runtime/v1/api.proto by the test "the table of fields is that of api.proto" with UPDATE_GOLDENS=1.
let criFields = """
"""
