// Package helm renders charts as `helm template` does, with Helm 4's own packages, and composes the
// values as Argo CD does: value files in order, then values or valuesObject, parameters, file parameters.
package helm

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	commonutil "helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"

	"muster.dev/renderer/fault"
	"muster.dev/renderer/output"
)

// Request is `spec.source.helm` of an Application with the path of its chart and the destination's facts.
type Request struct {
	Path                    string            `json:"path"`
	ReleaseName             string            `json:"releaseName"`
	Namespace               string            `json:"namespace"`
	KubeVersion             string            `json:"kubeVersion"`
	APIVersions             []string          `json:"apiVersions"`
	ValueFiles              []string          `json:"valueFiles"`
	IgnoreMissingValueFiles bool              `json:"ignoreMissingValueFiles"`
	Values                  string            `json:"values"`
	ValuesObject            json.RawMessage   `json:"valuesObject"`
	Parameters              []Parameter       `json:"parameters"`
	FileParameters          []FileParameter   `json:"fileParameters"`
	IncludeCRDs             *bool             `json:"includeCRDs"`
	SkipSchemaValidation    bool              `json:"skipSchemaValidation"`
	SkipTests               bool              `json:"skipTests"`
	Env                     map[string]string `json:"env"`
}

// Parameter is one --set, or one --set-string where ForceString.
type Parameter struct {
	Name        string `json:"name"`
	Value       string `json:"value"`
	ForceString bool   `json:"forceString"`
}

// FileParameter is one --set-file.
type FileParameter struct {
	Name string `json:"name"`
	Path string `json:"path"`
}

// Render answers a request (JSON of Request) with an output.Result.
func Render(body []byte) (any, error) {
	var r Request
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, err
	}
	values, err := composeValues(&r)
	if err != nil {
		return nil, err
	}
	result, err := r.render(values)
	if err != nil {
		return nil, withoutSecrets(err, values)
	}
	return result, nil
}

func (r *Request) render(values map[string]any) (*output.Result, error) {
	capabilities, err := r.capabilities()
	if err != nil {
		return nil, err
	}
	ch, err := loadChart(r.Path)
	if err != nil {
		return nil, err
	}
	if err := installable(ch, r.Path); err != nil {
		return nil, err
	}
	asked = false
	if err := r.checkKubeVersion(ch, capabilities); err != nil {
		return nil, err
	}
	rendered, err := r.execute(ch, values, capabilities)
	if err != nil {
		return nil, err
	}
	result := &output.Result{Objects: []output.Object{}}
	if err := r.collect(ch, rendered, result); err != nil {
		return nil, err
	}
	result.Capabilities = asked
	return result, nil
}

func (r *Request) capabilities() (*common.Capabilities, error) {
	capabilities := common.DefaultCapabilities.Copy()
	if r.KubeVersion != "" {
		version, err := common.ParseKubeVersion(r.KubeVersion)
		if err != nil {
			return nil, &fault.Fault{Code: fault.Invalid, Message: fmt.Sprintf("kubeVersion %q is not a version: %v", r.KubeVersion, err)}
		}
		capabilities.KubeVersion = *version
	}
	capabilities.APIVersions = append(slices.Clone(capabilities.APIVersions), r.APIVersions...)
	return capabilities, nil
}

// checkKubeVersion compares what the chart demands; having to compare makes the version an input.
func (r *Request) checkKubeVersion(ch *chart.Chart, capabilities *common.Capabilities) error {
	want := ch.Metadata.KubeVersion
	if want == "" {
		return nil
	}
	asked = true
	if chartutil.IsCompatibleRange(want, capabilities.KubeVersion.String()) {
		return nil
	}
	return &fault.Fault{
		Code: fault.Invalid, File: chartFile(r.Path, "Chart.yaml"),
		Message: fmt.Sprintf("chart requires kubeVersion: %s which is incompatible with Kubernetes %s", want, capabilities.KubeVersion.Version),
	}
}

func (r *Request) execute(ch *chart.Chart, values map[string]any, capabilities *common.Capabilities) (map[string]string, error) {
	if err := chartutil.ValidateReleaseName(r.ReleaseName); err != nil {
		return nil, &fault.Fault{Code: fault.Invalid, Message: fmt.Sprintf("release name %q: %v", r.ReleaseName, err)}
	}
	if err := chartutil.ProcessDependencies(ch, values); err != nil {
		return nil, fmt.Errorf("chart dependencies processing failed: %w", err)
	}
	if err := refuseRemoteSchemas(ch, r); err != nil {
		return nil, err
	}
	options := common.ReleaseOptions{Name: r.ReleaseName, Namespace: r.Namespace, Revision: 1, IsInstall: true}
	top, err := commonutil.ToRenderValuesWithSchemaValidation(ch, values, options, capabilities, r.SkipSchemaValidation)
	if err != nil {
		return nil, err
	}
	top["Capabilities"] = &Recorded{Of: capabilities}
	e := engine.Engine{CustomTemplateFuncs: seededFuncs()}
	rendered, err := e.Render(ch, top)
	if err != nil {
		return nil, r.templateFault(ch, err)
	}
	for name := range rendered {
		if strings.HasSuffix(name, "NOTES.txt") {
			delete(rendered, name)
		}
	}
	return rendered, nil
}
