// The OTLP receiver of Prometheus, in front of a Prometheus that was built without it, as Debian's are.
//
// It decodes a request and translates it with Prometheus' own code, which is put beside this file as package
// prometheusremotewrite, and hands the result to the remote-write receiver. Prometheus' own OTLP receiver does the same
// within one process (storage/remote/write_handler.go: rwExporter.ConsumeMetrics), with the same responses.
package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/golang/snappy"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/prometheus/prometheus/prompb"

	"receiver/prometheusremotewrite"
)

// Where Prometheus receives OTLP.
const path = "/api/v1/otlp/v1/metrics"

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: receiver ADDRESS PROMETHEUS")
		os.Exit(2)
	}
	http.HandleFunc(path, receive)
	http.HandleFunc("/-/ready", func(http.ResponseWriter, *http.Request) {})
	fmt.Fprintln(os.Stderr, http.ListenAndServe(os.Args[1], nil))
	os.Exit(1)
}

func receive(w http.ResponseWriter, r *http.Request) {
	metrics, err := decode(r)
	if err != nil {
		fmt.Println("cannot decode:", err)
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	converter := prometheusremotewrite.NewPrometheusConverter()
	// With the settings of a Prometheus whose configuration has no section "otlp".
	notes, err := converter.FromMetrics(r.Context(), metrics, prometheusremotewrite.Settings{AddMetricSuffixes: true})
	// Prometheus says this in its log, and stores the rest.
	if err != nil {
		fmt.Println("not translated:", err)
	}
	for _, note := range notes.AsErrors() {
		fmt.Println("warning:", note)
	}
	write := prompb.WriteRequest{Timeseries: converter.TimeSeries(), Metadata: converter.Metadata()}
	status, said, err := hand(&write)
	switch {
	case err != nil:
		fmt.Println("not handed on:", err)
		http.Error(w, err.Error(), http.StatusInternalServerError)
	case status/100 == 2:
		w.WriteHeader(http.StatusOK)
	default:
		fmt.Println("not stored:", status, string(said))
		w.WriteHeader(status)
		w.Write(said)
	}
}

func decode(r *http.Request) (pmetric.Metrics, error) {
	if kind := r.Header.Get("Content-Type"); kind != "application/x-protobuf" {
		return pmetric.NewMetrics(), fmt.Errorf("unsupported content type: %s", kind)
	}
	var reader io.Reader = r.Body
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "":
	case "gzip":
		unzipped, err := gzip.NewReader(reader)
		if err != nil {
			return pmetric.NewMetrics(), err
		}
		reader = unzipped
	default:
		return pmetric.NewMetrics(), fmt.Errorf("unsupported compression: %s", encoding)
	}
	body, err := io.ReadAll(reader)
	if err != nil {
		return pmetric.NewMetrics(), err
	}
	// An ExportMetricsServiceRequest has the one field of MetricsData, under the same number.
	return (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(body)
}

// Hands the series to the remote-write receiver.
func hand(write *prompb.WriteRequest) (int, []byte, error) {
	data, err := write.Marshal()
	if err != nil {
		return 0, nil, err
	}
	request, err := http.NewRequest(http.MethodPost, os.Args[2]+"/api/v1/write", bytes.NewReader(snappy.Encode(nil, data)))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", "application/x-protobuf")
	request.Header.Set("Content-Encoding", "snappy")
	request.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	return response.StatusCode, said, err
}
