// Package conventions has what Prometheus' translation reads of go.opentelemetry.io/collector/semconv, which Debian's
// package of the collector no longer has.
package conventions

const (
	AttributeServiceName       = "service.name"
	AttributeServiceNamespace  = "service.namespace"
	AttributeServiceInstanceID = "service.instance.id"
)
