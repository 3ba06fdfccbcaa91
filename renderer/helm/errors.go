package helm

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"

	chart "helm.sh/helm/v4/pkg/chart/v2"

	"muster.dev/renderer/fault"
)

var (
	templatePlace = regexp.MustCompile(`([^\s():"]+/[^\s():"]+):(\d+)(?::\d+)?`)
	lineOf        = regexp.MustCompile(`line (\d+)`)
	inlineText    = regexp.MustCompile(`(tpl function execution for|cannot parse template) "(?:[^"\\]|\\.)*"`)
	parseErrorOn  = regexp.MustCompile(`YAML parse error on (\S+): (?s:(.*))`)
	remoteRef     = regexp.MustCompile(`"\$(?:ref|schema|id)"\s*:\s*"((?:https?|file):[^"]*)"`)
)

// sourceFile turns the name of a template (`chart/charts/sub/templates/x.yaml`) into its path in the repository.
func (r *Request) sourceFile(ch *chart.Chart, name string) string {
	return path.Join(r.Path, strings.TrimPrefix(name, ch.Name()+"/"))
}

// templateFault finds the innermost place that an engine error names, and drops the text of `tpl` templates,
// which comes from values.
func (r *Request) templateFault(ch *chart.Chart, err error) error {
	message := inlineText.ReplaceAllString(err.Error(), `$1 a text from the values`)
	f := &fault.Fault{Code: fault.Invalid, Message: message}
	for _, place := range templatePlace.FindAllStringSubmatch(message, -1) {
		if strings.HasPrefix(place[1], ch.Name()+"/") {
			f.File = r.sourceFile(ch, place[1])
			f.Line, _ = strconv.Atoi(place[2])
		}
	}
	return f
}

// manifestFault names the template whose output is not YAML. Templates are named `chart/…`.
func (r *Request) manifestFault(err error) error {
	found := parseErrorOn.FindStringSubmatch(err.Error())
	if found == nil {
		return err
	}
	_, inside, _ := strings.Cut(found[1], "/")
	file := path.Join(r.Path, inside)
	problem := strings.TrimPrefix(found[2], "error converting YAML to JSON: ")
	return &fault.Fault{Code: fault.Invalid, File: file, Line: lineIn(problem), Message: fmt.Sprintf("what %s renders to is not YAML: %s", file, problem)}
}

// refuseRemoteSchemas names a values.schema.json that would have to be fetched, before anything tries to.
func refuseRemoteSchemas(ch *chart.Chart, r *Request) error {
	if r.SkipSchemaValidation {
		return nil
	}
	for _, ref := range remoteRef.FindAllSubmatch(ch.Schema, -1) {
		if bytes.HasPrefix(ref[0], []byte(`"$ref"`)) {
			return &fault.Fault{
				Code: fault.Unsupported, File: path.Join(r.Path, "values.schema.json"),
				Message: fmt.Sprintf("the schema refers to %s; rendering has no network and no files outside the chart", ref[1]),
				Hint:    "Inline the definition, or set skipSchemaValidation.",
			}
		}
	}
	for _, dependency := range ch.Dependencies() {
		if err := refuseRemoteSchemas(dependency, &Request{Path: path.Join(r.Path, "charts", dependency.Name())}); err != nil {
			return err
		}
	}
	return nil
}

func lineIn(message string) int {
	if found := lineOf.FindStringSubmatch(message); found != nil {
		line, _ := strconv.Atoi(found[1])
		return line
	}
	return 0
}
