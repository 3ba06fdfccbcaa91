package helm

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	chart "helm.sh/helm/v4/pkg/chart/v2"
	release "helm.sh/helm/v4/pkg/release/v1"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
	"sigs.k8s.io/yaml"

	"muster.dev/renderer/fault"
	"muster.dev/renderer/output"
)

// collect orders what was rendered as `helm template --include-crds` prints it: CRDs, manifests, hooks.
func (r *Request) collect(ch *chart.Chart, rendered map[string]string, result *output.Result) error {
	documents := documents{}
	heads, err := documents.read(r, ch, rendered)
	if err != nil {
		return err
	}
	hooks, manifests, err := releaseutil.SortManifests(heads, nil, releaseutil.InstallOrder)
	if err != nil {
		return r.manifestFault(err)
	}
	if r.IncludeCRDs == nil || *r.IncludeCRDs {
		for _, crd := range ch.CRDObjects() {
			if err := result.Append(r.sourceFile(ch, crd.Filename), string(crd.File.Data)); err != nil {
				return err
			}
		}
	}
	for _, m := range manifests {
		if err := result.AppendJSON(r.sourceFile(ch, m.Name), documents[m.Content]); err != nil {
			return err
		}
	}
	for _, h := range hooks {
		if r.SkipTests && slices.Contains(h.Events, release.HookTest) {
			continue
		}
		if err := result.AppendJSON(r.sourceFile(ch, h.Path), documents[h.Manifest]); err != nil {
			return err
		}
	}
	return nil
}

// documents holds each rendered document as JSON, by its head.
type documents map[string]json.RawMessage

// head is what Helm looks at to order a document.
type head struct {
	Version  json.RawMessage `json:"apiVersion,omitempty"`
	Kind     json.RawMessage `json:"kind,omitempty"`
	Metadata *struct {
		Name        json.RawMessage `json:"name,omitempty"`
		Annotations json.RawMessage `json:"annotations,omitempty"`
	} `json:"metadata,omitempty"`
}

// read parses every document once, and answers files for Helm to sort that hold only the heads: reading YAML is
// the most expensive part of a small render, and Helm reads it only to sort.
func (d documents) read(r *Request, ch *chart.Chart, rendered map[string]string) (map[string]string, error) {
	names := make([]string, 0, len(rendered))
	for name := range rendered {
		names = append(names, name)
	}
	slices.Sort(names)
	heads := make(map[string]string, len(rendered))
	for _, name := range names {
		if strings.HasPrefix(path.Base(name), "_") || strings.TrimSpace(rendered[name]) == "" {
			continue
		}
		split := releaseutil.SplitManifests(rendered[name])
		var file strings.Builder
		// Helm numbers them manifest-0, manifest-1, …
		for i := range len(split) {
			text, err := d.add(r, ch, name, split[fmt.Sprintf("manifest-%d", i)])
			if err != nil {
				return nil, err
			}
			file.WriteString("---\n" + text + "\n")
		}
		heads[name] = file.String()
	}
	return heads, nil
}

func (d documents) add(r *Request, ch *chart.Chart, name, text string) (string, error) {
	document, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return "", r.manifestFault(fmt.Errorf("YAML parse error on %s: %w", name, err))
	}
	// The number makes each head the only one of its kind.
	var h struct {
		Number int `json:"number"`
		head
	}
	if string(document) != "null" {
		if document[0] != '{' {
			return "", output.NotAnObject(r.sourceFile(ch, name), document)
		}
		if err := json.Unmarshal(document, &h.head); err != nil {
			return "", &fault.Fault{Code: fault.Invalid, File: r.sourceFile(ch, name), Message: fmt.Sprintf("what %s renders to has no usable metadata: %v", r.sourceFile(ch, name), err)}
		}
	}
	h.Number = len(d)
	line, err := json.Marshal(h)
	if err != nil {
		return "", err
	}
	// SortManifests hands a document back without the space around it, but with the end of its line.
	d[string(line)+"\n"] = document
	return string(line), nil
}
